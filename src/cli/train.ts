import { join } from "node:path";
import { Command } from "commander";
import type { KindChange } from "../run/by-kind.ts";
import { consoleProgress, percent, points } from "../run/console.ts";
import { listenForInterrupt } from "../run/interrupt.ts";
import { loadRecipe, recipeToYaml } from "../run/recipe-load.ts";
import type { TrainSummary } from "../run/train.ts";
import { collect, type MachineOptions, memoryAmount, wholeNumber, withExample, withMachine } from "./options.ts";
import { EXIT, Exit, result, tell } from "./output.ts";

interface Options extends MachineOptions {
  readonly set?: string[];
  readonly out?: string;
  readonly steps?: number;
  readonly seed?: number;
  readonly memory?: string;
  readonly resume?: boolean;
  readonly dryRun?: boolean;
  readonly smoke?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `rlvr train RECIPE` */
export function trainCommand(): Command {
  const command = new Command("train")
    .description("Train a model by a recipe; writes a run folder with metrics, samples, checkpoints and a report.")
    .argument("<recipe>", "a YAML file, or a TypeScript module that exports a recipe")
    .option("--set <key=value>", "change one key of the recipe, such as optimizer.lr=1e-4; may be repeated", collect)
    .option("-o, --out <folder>", "run folder (default: runs/NAME)")
    .option("--steps <n>", "number of steps, instead of the recipe's", wholeNumber(1))
    .option("--seed <n>", "seed, instead of the recipe's", wholeNumber(0))
    .option("--memory <amount>", "budget of the whole process, such as 4GB, instead of the recipe's", memoryAmount)
    .option("--resume", "go on from the newest whole checkpoint of the run folder")
    .option("--dry-run", "print the resolved recipe and a forecast, and stop")
    .option("--smoke", "apply the recipe's smoke patch: the same run in seconds")
    .option("-q, --quiet", "no progress");
  withExample(withMachine(command), "rlvr train recipes/start.yaml --set rollout.groupSize=16 --out runs/wide");
  return command.action(run);
}

async function run(file: string, options: Options): Promise<void> {
  const { steps, seed, memory, smoke = false } = options;
  const set = [...(options.set ?? [])];
  if (steps !== undefined) set.push(`steps=${steps}`);
  if (seed !== undefined) set.push(`seed=${seed}`);
  if (memory !== undefined) set.push(`update.memory=${memory}`);
  const recipe = await loadRecipe(file, { set, smoke });
  const out = options.out ?? join("runs", recipe.name);
  if (options.dryRun) {
    const [{ forecast }, { forecastText }, { planRun }] = await Promise.all([
      import("../run/forecast.ts"),
      import("../run/forecast-text.ts"),
      import("../run/folder.ts"),
    ]);
    const { path, checkpoint, notes } = planRun(out, recipe, options.resume ?? false);
    for (const note of notes) tell(note);
    const value = forecast(recipe);
    const from = checkpoint?.manifest.step ?? 0;
    const what = from > 0 ? `go on after step ${from} of` : "start";
    result(
      options.json,
      { recipe, forecast: value, out: path, from },
      () => `${recipeToYaml(recipe)}\n${forecastText(value)}\nwould ${what} the run in ${path}; nothing was written`,
    );
    return;
  }
  const [{ train }, { createTrainer }] = await Promise.all([
    import("../run/train.ts"),
    import("../trainers/create.ts"),
  ]);
  const interrupt = listenForInterrupt(() =>
    tell("stopping after this step, its state will be saved; Ctrl-C again stops at once"),
  );
  try {
    const summary = await train({
      recipe,
      out,
      resume: options.resume ?? false,
      threads: options.threads,
      device: options.device,
      openTrainer: createTrainer,
      ...(options.quiet ? {} : { progress: consoleProgress(process.stderr) }),
      interrupt,
      note: tell,
    });
    result(options.json, summary, () => summaryText(summary));
    if (summary.interrupted) throw new Exit(EXIT.interrupted);
  } finally {
    interrupt.dispose();
  }
}

function summaryText(summary: TrainSummary): string {
  const { run, steps, of, before, after, difference, byKind, report, goOn } = summary;
  const lines = [
    summary.interrupted
      ? `interrupted after step ${steps} of ${of}, state saved in ${run}`
      : `done: ${steps} steps in ${run}`,
  ];
  const interval = ({ value, low, high }: NonNullable<typeof before>): string =>
    `${percent(value)}${low === undefined ? "" : ` (95 % interval ${percent(low)} to ${percent(high!)})`}`;
  if (before && after)
    lines.push(`held-out pass@1 before  ${interval(before)}`, `held-out pass@1 after   ${interval(after)}`);
  if (difference)
    lines.push(
      `gain                    ${points(difference.mean)} points (95 % interval ${points(difference.low)} to ${points(difference.high)}, paired over ${difference.problems} problems)`,
    );
  lines.push(...kindLines(byKind));
  if (report) lines.push(`report                  ${report}`);
  if (goOn) lines.push(`go on with: ${goOn}`);
  return lines.join("\n");
}

/** One line a kind of problem, aligned; none where there are not at least two kinds. */
function kindLines(changes: readonly KindChange[]): string[] {
  if (changes.length === 0) return [];
  const width = Math.max(24, ...changes.map(({ kind }) => kind.length + 4));
  const lines = changes.map(({ kind, before, after, difference }) => {
    const values = `${percent(before.value).padStart(7)} → ${percent(after.value).padStart(7)}`;
    const gain = difference
      ? `  ${points(difference.mean).padStart(6)} (${points(difference.low)} to ${points(difference.high)})`
      : "";
    return `${`  ${kind}`.padEnd(width)}${values}${gain}`;
  });
  return [`${"by task".padEnd(width)} before →   after    gain (95 % interval)`, ...lines];
}
