import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { SampleRow } from "../../trainers/types.ts";
import { DataError } from "../../utils/errors.ts";
import { checkpointName } from "../checkpoints.ts";
import type { Environment } from "../environment.ts";
import { type EvaluationRecord, readRecipeOf } from "../folder.ts";
import { type MetricsRow, readMetrics } from "../metrics-log.ts";
import type { Recipe } from "../recipe.ts";
import { readSamples } from "../samples-log.ts";

/** Everything a report shows of one run. */
export interface RunData {
  readonly path: string;
  readonly name: string;
  readonly recipe: Recipe;
  readonly environment: Environment | null;
  readonly rows: readonly MetricsRow[];
  /** In the order of steps. */
  readonly evaluations: readonly EvaluationRecord[];
  /** The same problems before the first and after the last step; evenly spaced over the evaluation set, not chosen by result. */
  readonly pairs: readonly SamplePair[];
  /** One group each of the first, a middle and the last training step. */
  readonly groups: readonly (readonly SampleRow[])[];
  /** Training completions in which a detector of reward hacking saw something: how many, and the first, a middle and the last of them. */
  readonly flagged: ReadonlyMap<string, { readonly count: number; readonly rows: readonly SampleRow[] }>;
}

/** One held-out problem: completions before and after training. */
export interface SamplePair {
  readonly before: SampleRow;
  readonly after: SampleRow;
}

const MAX_PAIRS = 32;

/** Reads a run folder. @throws ConfigError when it holds no run, DataError when it has no metrics yet or a file is damaged */
export function readRun(path: string): RunData {
  const recipe = readRecipeOf(path);
  const rows = readMetrics(join(path, "metrics.jsonl"));
  if (rows.length === 0) throw new DataError(`${path}: metrics.jsonl has no line yet, there is nothing to report`);
  const file = join(path, "environment.json");
  const environment = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Environment) : null;
  const evaluations = readEvaluations(path);
  const samples = readSamples(join(path, "samples.jsonl.gz"));
  return {
    path,
    name: recipe.name === "recipe" ? basename(resolve(path)) : recipe.name,
    recipe,
    environment,
    rows,
    evaluations,
    pairs: readPairs(path, evaluations),
    groups: pickGroups(samples),
    flagged: pickFlagged(samples),
  };
}

/** Summaries of all evaluations of a run, in the order of steps. */
export function readEvaluations(path: string): EvaluationRecord[] {
  const folder = join(path, "evaluations");
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => /^step-\d+\.json$/.test(name));
  return names
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as EvaluationRecord)
    .sort((a, b) => a.step - b.step);
}

function readPairs(path: string, evaluations: readonly EvaluationRecord[]): SamplePair[] {
  const [first, last] = [evaluations[0], evaluations.at(-1)];
  if (!first || !last || first === last) return [];
  const rowsOf = ({ step }: EvaluationRecord): Map<string, SampleRow> => {
    const rows = readSamples(join(path, "evaluations", `${checkpointName(step)}.jsonl.gz`));
    return new Map(rows.filter((row) => row.member === 0).map((row) => [row.task, row]));
  };
  const [before, after] = [rowsOf(first), rowsOf(last)];
  const shared = [...before.keys()].filter((task) => after.has(task));
  return evenly(shared, MAX_PAIRS).map((task) => ({ before: before.get(task)!, after: after.get(task)! }));
}

function pickGroups(rows: readonly SampleRow[]): SampleRow[][] {
  const steps = [...new Set(rows.map((row) => row.step))];
  return evenly(steps, 3)
    .map((step) => rows.filter((row) => row.step === step && row.group === 0).slice(0, 16))
    .filter((group) => group.length > 0);
}

function pickFlagged(rows: readonly SampleRow[]): RunData["flagged"] {
  const names = new Set(rows.flatMap(({ flags }) => Object.keys(flags ?? {})));
  return new Map(
    [...names].map((name) => {
      const found = rows.filter(({ flags }) => flags?.[name] !== undefined);
      return [name, { count: found.length, rows: evenly(found, 3) }];
    }),
  );
}

/** At most `count` items, first and last included, equal distances between. */
export function evenly<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.round((i * (items.length - 1)) / (count - 1))]!);
}
