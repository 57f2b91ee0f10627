import { Command } from "commander";
import type { HubPull } from "../policy/hub-download.ts";
import type { SetOnMachine } from "../rollout/data/pull.ts";
import { difficultyCommand } from "./data-difficulty.ts";
import { inspectCommand } from "./data-inspect.ts";
import { collect, withExample, withJson } from "./options.ts";
import { columns, result } from "./output.ts";
import { pulledFiles, showProgress } from "./pull-output.ts";

interface Json {
  readonly json?: boolean;
}

/** `rlvr data list|pull|inspect|difficulty` */
export function dataCommand(): Command {
  const data = new Command("data").description("Data sets: bring them, look into them, compare them.");
  withExample(data, "rlvr data pull gsm8k", "rlvr data inspect hub:gsm8k/train --against hub:gsm8k/test");
  const list = new Command("list").description("Data sets known by name, and which are here.").action(listAction);
  const pull = new Command("pull")
    .description(
      "Bring a data set from the Hugging Face hub into its cache; a cut download goes on where it stopped, checksums are checked. HF_TOKEN, HF_HOME and HF_ENDPOINT are honoured.",
    )
    .argument("<name>", "a known name such as gsm8k, or ORG/NAME")
    .option("--file <pattern>", "only such files, * stands for anything but a slash; may be repeated", collect)
    .option("--revision <name>", "branch, tag or commit", "main")
    .action(pullAction);
  data.addCommand(inspectCommand());
  data.addCommand(difficultyCommand());
  data.addCommand(withExample(withJson(list), "rlvr data list"));
  data.addCommand(
    withExample(withJson(pull), "rlvr data pull gsm8k", "rlvr data pull org/name --file 'data/*.parquet'"),
  );
  return data;
}

async function listAction({ json }: Json): Promise<void> {
  const { listKnownSets } = await import("../rollout/data/pull.ts");
  const sets = listKnownSets();
  const number = (value: number | undefined): string => value?.toLocaleString("en-US") ?? "?";
  const row = ({ name, repo, rows, files, licence, commit, what }: SetOnMachine): string[] => [
    name,
    commit ? "yes" : "no",
    files.train ? number(rows.train) : "–",
    files.test ? number(rows.test) : "–",
    licence ?? "not stated",
    repo,
    what,
  ];
  const head = ["name", "here", "train", "test", "licence", "on the hub", "what"];
  result(json, sets, () => columns([head, ...sets.map(row)]));
}

async function pullAction(
  name: string,
  { file = [], revision, json }: Json & { readonly file?: string[]; readonly revision: string },
): Promise<void> {
  const { pullDataset } = await import("../rollout/data/pull.ts");
  const pulled = await pullDataset({ name, files: file, revision }, undefined, showProgress());
  result(json, { name, ...pulled }, () => pullText(name, pulled));
}

function pullText(name: string, pulled: HubPull): string {
  const { commit, files } = pulled;
  const use = files.length === 1 || !name.includes("/") ? `hub:${name}` : `hub:${name}/FILE`;
  return `${name} at commit ${commit}\n${pulledFiles(pulled)}\nin a recipe: tasks: {train: {name: file, path: ${use}}}`;
}
