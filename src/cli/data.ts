import { Command } from "commander";
import type { HubPull } from "../policy/hub-download.ts";
import type { SetOnMachine } from "../rollout/data/pull.ts";
import { difficultyCommand } from "./data-difficulty.ts";
import { inspectCommand } from "./data-inspect.ts";
import { collect, withExample, withJson } from "./options.ts";
import { columns, result, tell } from "./output.ts";

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

function pullText(name: string, { commit, files }: HubPull): string {
  const lines = files.map(({ local, bytes, fetched }) => [
    sizeText(bytes),
    fetched === 0 ? "was here" : "fetched",
    local,
  ]);
  const use = files.length === 1 || !name.includes("/") ? `hub:${name}` : `hub:${name}/FILE`;
  return `${name} at commit ${commit}\n${columns(lines)}\nin a recipe: tasks: {train: {name: file, path: ${use}}}`;
}

/** One line a file on stderr, redrawn on a terminal while it comes. */
function showProgress(): (file: { path: string; bytes: number }, done: number) => void {
  let shown = -1;
  return ({ path, bytes }, done) => {
    const percent = Math.floor((100 * done) / Math.max(bytes, 1));
    if (done === bytes) tell(`${process.stderr.isTTY ? "\r\u001b[2K" : ""}${path}  ${sizeText(bytes)}`);
    else if (process.stderr.isTTY && percent !== shown) process.stderr.write(`\r\u001b[2K${path}  ${percent} %`);
    shown = done === bytes ? -1 : percent;
  };
}

function sizeText(bytes: number): string {
  return bytes < 1e5 ? `${bytes} bytes` : `${(bytes / 1e6).toFixed(1)} MB`;
}
