import { Command } from "commander";
import { addList } from "./env-list.ts";
import { addPlay } from "./env-play.ts";
import { addReplay } from "./env-replay.ts";
import { addServe } from "./env-serve.ts";
import { addValidate } from "./env-validate.ts";
import { withExample } from "./options.ts";

/** `rlvr env list | validate | play | replay | serve` */
export function envCommand(): Command {
  const command = new Command("env").description(
    "Environments: list them, check one, play it by hand, replay recordings, serve it over HTTP.",
  );
  for (const add of [addList, addValidate, addPlay, addReplay, addServe]) add(command);
  return withExample(command, "rlvr env validate lab", "rlvr env play lab --actions");
}
