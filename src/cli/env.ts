import { Command } from "commander";
import { addPlay } from "./env-play.ts";
import { addServe } from "./env-serve.ts";
import { addValidate } from "./env-validate.ts";
import { withExample } from "./options.ts";

/** `rlvr env validate | play | serve` */
export function envCommand(): Command {
  const command = new Command("env").description("Environments: check one, play it by hand, serve it over HTTP.");
  for (const add of [addValidate, addPlay, addServe]) add(command);
  return withExample(command, "rlvr env validate lab", "rlvr env play lab --actions");
}
