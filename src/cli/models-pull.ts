import { Command } from "commander";
import type { PulledModel } from "../run/pull-model.ts";
import { collect, withExample, withJson } from "./options.ts";
import { EXIT, Exit, result, tell } from "./output.ts";
import { pulledFiles, showProgress } from "./pull-output.ts";

interface Options {
  readonly file?: string[];
  readonly revision: string;
  readonly json?: boolean;
}

/** `rlvr models pull ORG/NAME` */
export function pullCommand(): Command {
  const pull = new Command("pull")
    .description(
      "Bring a model from the Hugging Face hub into its cache; weights only of architectures that rlvr runs. A cut download goes on where it stopped, checksums are checked. HF_TOKEN, HF_HOME and HF_ENDPOINT are honoured.",
    )
    .argument("<name>", "ORG/NAME")
    .option(
      "--file <pattern>",
      "only such files, for instance one of several .gguf; * stands for anything but a slash; may be repeated",
      collect,
    )
    .option("--revision <name>", "branch, tag or commit", "main")
    .action(pullAction);
  return withExample(
    withJson(pull),
    "rlvr models pull HuggingFaceTB/SmolLM2-135M-Instruct",
    "rlvr models pull org/name-GGUF --file '*Q8_0.gguf'",
  );
}

async function pullAction(name: string, { file = [], revision, json }: Options): Promise<void> {
  const { pullModel } = await import("../run/pull-model.ts");
  const pulled = await pullModel({ name, files: file, revision }, undefined, showProgress());
  result(json, pulled, () => text(pulled));
  if (pulled.model !== null || file.length > 0) return;
  tell(`rlvr: ${pulled.name}: is here, but cannot be used: ${pulled.problem}`);
  throw new Exit(EXIT.badInput);
}

function text(pulled: PulledModel): string {
  const { name, commit, model, problem } = pulled;
  const use = model
    ? `${model.family}, ${(model.parameters / 1e6).toFixed(3)} M parameters; in a recipe: model: ${name}`
    : `not a whole model yet: ${problem}`;
  return `${name} at commit ${commit}\n${pulledFiles(pulled)}\n${use}`;
}
