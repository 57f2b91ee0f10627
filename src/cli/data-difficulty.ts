import { Command, Option } from "commander";
import type { DifficultyReport } from "../run/difficulty.ts";
import { atLeastZero, collect, type MachineOptions, wholeNumber, withExample, withMachine } from "./options.ts";
import { columns, result, tell } from "./output.ts";

interface Options extends MachineOptions {
  readonly tasks?: string;
  readonly set?: string[];
  readonly split: "train" | "test";
  readonly samples?: number;
  readonly limit?: number;
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly seed?: number;
  readonly out?: string;
  readonly json?: boolean;
}

/** `rlvr data difficulty MODEL` */
export function difficultyCommand(): Command {
  const split = new Option("--split <name>", "of a task set or recipe; a data file is taken whole").choices([
    "train",
    "test",
  ]);
  const command = new Command("difficulty")
    .description(
      "Pass rate of a model on each problem of a set, kept by content, so that training can leave out what is too easy or too hard.",
    )
    .argument("<model>", "shipped name, ORG/NAME, folder, .gguf file, adapter, checkpoint or run folder")
    .option("--tasks <name|file>", "a task set, a data file, hub:NAME, or a recipe or run folder")
    .option("--set <key=value>", "change one key of that recipe; may be repeated", collect)
    .addOption(split.default("train"))
    .option("--samples <n>", "completions per problem", wholeNumber(1))
    .option("--limit <n>", "first n problems only", wholeNumber(1))
    .option("--max-tokens <n>", "tokens per completion", wholeNumber(1))
    .option("--temperature <t>", "sampling temperature", atLeastZero)
    .option("--seed <n>", "seed of the draws", wholeNumber(0))
    .option("-o, --out <file>", "write a line for each problem, for the option difficulty of the task set file")
    .action(difficultyAction);
  return withExample(
    withMachine(command),
    "rlvr data difficulty seedling --tasks countdown --samples 16 --limit 200",
    "rlvr data difficulty models/smollm2-135m-instruct-gguf --tasks train.jsonl --samples 8 -o difficulty.jsonl",
  );
}

async function difficultyAction(model: string, { out, json, ...options }: Options): Promise<void> {
  const [{ estimateDifficulty }, { writeFileAtomic }] = await Promise.all([
    import("../run/difficulty.ts"),
    import("../utils/files.ts"),
  ]);
  const report = await estimateDifficulty(model, {
    ...options,
    progress: (done, of) => tell(`${done} of ${of} problems`),
  });
  if (out !== undefined) writeFileAtomic(out, ...report.rows.map((row) => `${JSON.stringify(row)}\n`));
  result(json, report, () => reportText(report, out));
}

/** Upper ends of the classes between never and always. */
const CLASSES = [0.2, 0.4, 0.6, 0.8] as const;

function reportText({ model, tasks, samples, cached, rows }: DifficultyReport, out: string | undefined): string {
  const rates = rows.flatMap(({ passRate }) => (passRate === null ? [] : [passRate]));
  const share = (count: number): string => `${((100 * count) / Math.max(rows.length, 1)).toFixed(1)} %`;
  const line = (name: string, count: number): string[] => [name, String(count), share(count)];
  const between = rates.filter((rate) => rate > 0 && rate < 1);
  const classOf = (rate: number): number => CLASSES.filter((end) => rate > end).length;
  const counts = [...CLASSES, 1].map((_, i) => between.filter((rate) => classOf(rate) === i).length);
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / Math.max(rates.length, 1);
  return [
    `${model} on ${tasks}: ${rows.length} problems, ${samples} samples each, ${cached} from the cache; mean pass rate ${mean.toFixed(3)}`,
    columns([
      ["pass rate", "problems", "share"],
      line("0 (never)", rates.filter((rate) => rate === 0).length),
      ...counts.map((count, i) => line(`up to ${CLASSES[i] ?? "below 1"}`, count)),
      line("1 (always)", rates.filter((rate) => rate === 1).length),
      ...(rates.length < rows.length ? [line("not judged", rows.length - rates.length)] : []),
    ]),
    ...(out === undefined
      ? []
      : [`written to ${out}; for the task set file: difficulty: {file: ${out}, min: 0.05, max: 0.95}`]),
  ].join("\n");
}
