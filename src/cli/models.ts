import { Command, Option } from "commander";
import type { ModelEntry, ModelReport } from "../run/models.ts";
import { pullCommand } from "./models-pull.ts";
import { verifyCommand } from "./models-verify.ts";
import { withExample, withJson } from "./options.ts";
import { columns, result } from "./output.ts";

interface Json {
  readonly json?: boolean;
}

/** `rlvr models list|pull|inspect|verify|convert` */
export function modelsCommand(): Command {
  const models = new Command("models").description(
    "Models: bring them, what there is, what is in one, whether it computes the right numbers, other formats.",
  );
  withExample(models, "rlvr models list", "rlvr models inspect seedling");
  const list = new Command("list")
    .description("Models in the package, in ./models and in the hub's cache.")
    .action(listAction);
  const inspect = new Command("inspect")
    .description("Sizes, tokenizer, hash and tensors of a model.")
    .argument("<model>", "shipped name, ORG/NAME, folder, .gguf file or adapter folder")
    .action(inspectAction);
  const dtype = new Option("--dtype <type>", "number format").choices(["f32", "bf16", "f16"]).default("f32");
  const convert = new Command("convert")
    .description(
      "Write a model as a safetensors folder that this and other software loads; an adapter is merged into its base.",
    )
    .argument("<model>", "shipped name, ORG/NAME, folder, .gguf file or adapter folder")
    .requiredOption("-o, --out <folder>", "an empty or new folder")
    .addOption(dtype)
    .action(convertAction);
  models.addCommand(withExample(withJson(list), "rlvr models list --json"));
  models.addCommand(pullCommand());
  models.addCommand(withExample(withJson(inspect), "rlvr models inspect models/SmolLM2-135M-Instruct"));
  models.addCommand(verifyCommand());
  models.addCommand(withExample(withJson(convert), "rlvr models convert model.gguf --dtype bf16 -o models/my-model"));
  return models;
}

async function listAction({ json }: Json): Promise<void> {
  const { listModels } = await import("../run/models.ts");
  const entries = listModels();
  const row = ({ name, family, parameters, bytes, problem, path }: ModelEntry): string[] => [
    name,
    family,
    `${(parameters / 1e6).toFixed(3)} M`,
    `${(bytes / 2 ** 20).toFixed(1)} MiB`,
    problem ? `cannot be used: ${problem}` : path,
  ];
  result(json, entries, () =>
    entries.length === 0
      ? "no models"
      : columns([["name", "family", "parameters", "size", "path"], ...entries.map(row)]),
  );
}

async function inspectAction(model: string, { json }: Json): Promise<void> {
  const { inspectModel } = await import("../run/models.ts");
  const report = inspectModel(model);
  result(json, report, () => describe(report));
}

function describe({ name, path, format, parameters, bytes, config, tokenizer, sha256, tensors }: ModelReport): string {
  const { family, layers, width, heads, kvHeads, headDim, ffWidth, vocab, ropeTheta, tied, maxPositions } = config;
  const facts = [
    ["name", name],
    ["path", path],
    ["format", `${format}, ${(bytes / 2 ** 20).toFixed(1)} MiB`],
    ["parameters", `${(parameters / 1e6).toFixed(3)} M in ${tensors.length} tensors`],
    ["family", family],
    [
      "shape",
      `${layers} layers, width ${width}, ${heads} heads of ${headDim} (${kvHeads} key/value), feed-forward ${ffWidth}`,
    ],
    ["vocabulary", `${vocab} rows, head ${tied ? "tied to" : "separate from"} the embedding`],
    ["positions", `${maxPositions}, rotary base ${ropeTheta}`],
    [
      "tokenizer",
      tokenizer
        ? `${tokenizer.ids} ids, end ${tokenizer.eos.join(", ") || "none"}, ${tokenizer.chat ? "with" : "no"} chat template`
        : "none",
    ],
    ["sha256", sha256],
  ];
  return columns(facts);
}

async function convertAction(
  model: string,
  { out, dtype, json }: Json & { out: string; dtype: string },
): Promise<void> {
  const { convertModel } = await import("../run/models.ts");
  convertModel(model, out, dtype.toUpperCase() as "F32" | "BF16" | "F16");
  result(json, { model, out, dtype }, () => out);
}
