import { Command } from "commander";
import type { KindChange } from "../run/by-kind.ts";
import type { PairedDifference } from "../run/compare.ts";
import { percent, points } from "../run/console.ts";
import type { EvaluationOutput, KindScores, Metrics } from "../trainers/types.ts";
import {
  atLeastZero,
  collect,
  type MachineOptions,
  numberList,
  wholeNumber,
  withExample,
  withMachine,
} from "./options.ts";
import { columns, result, tell } from "./output.ts";

interface Options extends MachineOptions {
  readonly tasks?: string;
  readonly set?: string[];
  readonly samples?: number;
  readonly k?: number[];
  readonly limit?: number;
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly seed?: number;
  readonly json?: boolean;
}

/** `rlvr eval MODEL [MODEL]` */
export function evalCommand(): Command {
  const command = new Command("eval")
    .description("Measure pass@k, maj@k and avg@k with 95 % intervals; compares two models with a paired test.")
    .argument("<model>", "shipped name, ORG/NAME, folder, .gguf file, adapter, checkpoint or run folder")
    .argument("[other]", "a second model, compared with the first on the same problems")
    .option(
      "--tasks <name|file>",
      "a task set, a data file (.jsonl, .parquet), or a recipe or run folder whose evaluation is used (default: that of the run)",
    )
    .option(
      "--set <key=value>",
      "change one key of that recipe, such as tasks.eval.format=steps; may be repeated",
      collect,
    )
    .option("--samples <n>", "completions per problem", wholeNumber(1))
    .option("--k <list>", "pass@k to report, such as 1,8,32", numberList)
    .option("--limit <n>", "first n problems only", wholeNumber(1))
    .option("--max-tokens <n>", "tokens per completion", wholeNumber(1))
    .option("--temperature <t>", "sampling temperature; 0 takes the most probable token", atLeastZero)
    .option("--seed <n>", "seed of the draws", wholeNumber(0));
  withExample(withMachine(command), "rlvr eval seedling runs/start --tasks recipes/start.yaml --samples 16 --k 1,8,16");
  return command.action(run);
}

async function run(model: string, other: string | undefined, options: Options): Promise<void> {
  const [{ planEvaluation, evaluateModel }, { pairedDifference }, { compareByKind }] = await Promise.all([
    import("../run/evaluation.ts"),
    import("../run/compare.ts"),
    import("../run/by-kind.ts"),
  ]);
  const models = other === undefined ? [model] : [model, other];
  const plan = await planEvaluation(models, options);
  const outputs: EvaluationOutput[] = [];
  for (const name of models) {
    tell(`evaluating ${name} …`);
    outputs.push(await evaluateModel(name, plan, options.threads));
  }
  const [first, second] = outputs as [EvaluationOutput, EvaluationOutput?];
  const difference = second ? pairedDifference(first, second) : null;
  const changes = compareByKind(first, second);
  const value = {
    models: models.map((name, i) => ({
      model: name,
      metrics: outputs[i]!.metrics,
      correct: outputs[i]!.correct,
      samples: outputs[i]!.samples,
      ...(outputs[i]!.byKind && { byKind: outputs[i]!.byKind }),
    })),
    difference,
    ...(changes.length > 0 && { differenceByKind: changes }),
  };
  result(options.json, value, () => text(models, outputs, difference) + kindTable(models, outputs, changes));
}

function text(
  models: readonly string[],
  outputs: readonly EvaluationOutput[],
  difference: PairedDifference | null,
): string {
  const names = Object.keys(outputs[0]!.metrics).filter(
    (name) => name.startsWith("val-core/") && !name.includes("/ci95_"),
  );
  const rows = names.map((name) => [short(name), ...outputs.map(({ metrics }) => interval(metrics, name))]);
  const lines = [
    columns([["", ...models], ...rows]),
    `${outputs[0]!.correct.length} problems × ${outputs[0]!.samples} samples`,
  ];
  if (difference) {
    const { mean, low, high, p, problems } = difference;
    lines.push(
      `difference ${points(mean)} points, 95 % interval ${points(low)} to ${points(high)}, paired over ${problems} problems, p = ${p.toPrecision(2)}`,
    );
  }
  return lines.join("\n");
}

/** pass@1 of each kind of problem, and of two models the paired change; empty where there are not at least two kinds. */
function kindTable(
  models: readonly string[],
  outputs: readonly EvaluationOutput[],
  changes: readonly KindChange[],
): string {
  const kinds = outputs[0]!.byKind;
  if (!kinds) return "";
  const share = ({ value, low, high }: KindScores): string => intervalText(value, low, high);
  const rows = kinds.map(({ kind, problems }, i) => {
    const difference = changes[i]?.difference;
    return [
      kind,
      String(problems),
      ...outputs.map(({ byKind }) => share(byKind![i]!)),
      difference ? `${points(difference.mean)} (${points(difference.low)} to ${points(difference.high)})` : "",
    ];
  });
  const head = ["pass@1 by task", "problems", ...models, changes.length > 0 ? "difference, points" : ""];
  return `\n\n${columns([head, ...rows])}`;
}

function interval(metrics: Metrics, name: string): string {
  const [value, low, high] = [metrics[name], metrics[`${name}/ci95_low`], metrics[`${name}/ci95_high`]].map(Number);
  return intervalText(value!, low!, high!);
}

function intervalText(value: number, low: number, high: number): string {
  return `${percent(value)} (${percent(low)} to ${percent(high)})`;
}

/** `val-core/countdown/acc/pass@8` → `pass@8`; `mean@8` is avg@8 */
function short(name: string): string {
  return name
    .replace(/^val-core\/.+\/acc\//, "")
    .replace("/mean", "")
    .replace("mean@", "avg@");
}
