import { Command, InvalidArgumentError, Option } from "commander";
import { wholeNumber, withExample, withJson } from "./options.ts";
import { result } from "./output.ts";

const FORMATS = ["safetensors", "peft"] as const;
type Format = (typeof FORMATS)[number];

interface Options {
  readonly format: Format;
  readonly dtype: string;
  readonly out: string;
  readonly checkpoint?: number;
  readonly json?: boolean;
}

/** `rlvr export RUN --format safetensors|peft -o DIR` */
export function exportCommand(): Command {
  const format = new Option("--format <name>", "safetensors (a whole model) or peft (the adapter of a LoRA run)")
    .argParser(formatName)
    .makeOptionMandatory();
  const dtype = new Option("--dtype <type>", "number format").choices(["f32", "bf16", "f16"]).default("f32");
  const command = new Command("export")
    .description(
      "Write what a run trained as a folder that Python's transformers or peft loads: a whole model, in which a LoRA run's adapter is merged, or the adapter alone.",
    )
    .argument("<run>", "run folder")
    .addOption(format)
    .addOption(dtype)
    .option("--checkpoint <step>", "the checkpoint of that step (default: the newest)", wholeNumber(0))
    .requiredOption("-o, --out <folder>", "an empty or new folder");
  withExample(withJson(command), "rlvr export runs/start --format safetensors --dtype bf16 -o my-model");
  return command.action(run);
}

function formatName(text: string): Format {
  const known = FORMATS.find((name) => name === text);
  if (known) return known;
  throw new InvalidArgumentError(
    ["onnx", "gguf"].includes(text)
      ? `${text} is not there yet: this version writes ${FORMATS.join(" and ")}.`
      : `Allowed choices are ${FORMATS.join(", ")} (onnx and gguf are not there yet).`,
  );
}

async function run(folder: string, { format, dtype, out, checkpoint, json }: Options): Promise<void> {
  const { exportRun } = await import("../run/export.ts");
  const done = await exportRun(folder, {
    format,
    dtype: dtype.toUpperCase() as "F32" | "BF16" | "F16",
    out,
    ...(checkpoint !== undefined && { checkpoint }),
  });
  result(json, { run: folder, format, dtype, ...done }, () =>
    [out, `of ${done.checkpoint}`, ...(done.base === null ? [] : [`for the base model ${done.base}`])].join("\n"),
  );
}
