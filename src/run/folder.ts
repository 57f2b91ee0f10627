import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { EvaluationOutput, KindScores, Metrics, SampleRow } from "../trainers/types.ts";
import { ConfigError } from "../utils/errors.ts";
import { writeFileAtomic } from "../utils/files.ts";
import {
  beginCheckpoint,
  type Checkpoint,
  checkpointName,
  commitCheckpoint,
  newestCheckpoint,
  pruneCheckpoints,
} from "./checkpoints.ts";
import { guardDisk } from "./disk.ts";
import type { Environment } from "./environment.ts";
import { MetricsLog } from "./metrics-log.ts";
import type { Recipe } from "./recipe.ts";
import { recipeDifferences, recipeToYaml, resolveRecipe } from "./recipe-load.ts";
import { fromYaml } from "./recipe-source.ts";
import { packRows, SamplesLog } from "./samples-log.ts";

/** Summary of one evaluation, `evaluations/step-000040.json`; its completions lie beside it in `.jsonl.gz`. */
export interface EvaluationRecord {
  readonly step: number;
  readonly samples: number;
  /** Correct samples of each problem, in the order of the evaluation set. */
  readonly correct: readonly number[];
  readonly metrics: Metrics;
  /** The same problems by kind; absent where there are not at least two kinds, and in folders of older versions. */
  readonly byKind?: readonly KindScores[];
}

/** A run folder that may be used: nothing has been written yet. */
export interface RunPlan {
  readonly path: string;
  readonly recipe: Recipe;
  /** Where to go on; null at the beginning. */
  readonly checkpoint: Checkpoint | null;
  /** What a user should know: a damaged checkpoint that was passed over, nothing to resume, … */
  readonly notes: readonly string[];
}

/**
 * Decides whether a recipe may run in a folder, without touching it.
 * @throws ConfigError when it holds something else: another run, the same run without `resume`, or files of another kind
 */
export function planRun(path: string, recipe: Recipe, resume: boolean): RunPlan {
  const fresh = { path, recipe, checkpoint: null };
  requireWritable(path);
  const names = existsSync(path) ? readdirSync(path).filter((name) => !name.endsWith(".part")) : [];
  if (names.length === 0) return { ...fresh, notes: resume ? [`${path}: no run to resume, starting one`] : [] };
  if (!names.includes("recipe.yaml"))
    throw new ConfigError(`${path}: is not empty and holds no run; choose another folder with --out`);
  const previous = readRecipeOf(path);
  const differences = recipeDifferences(previous, recipe).filter(
    (key) => key !== "smoke" && (!["steps", "stopWhen"].includes(key) || !resume), // neither changes a step
  );
  if (!resume) {
    const which = differences.length > 0 ? `another run (${differences.join(", ")} differ)` : "this run already";
    const resumable = differences.every((key) => key === "steps") ? "go on with it by --resume, or " : "";
    throw new ConfigError(`${path}: holds ${which}; ${resumable}choose another folder with --out`);
  }
  if (differences.length > 0)
    throw new ConfigError(
      `${path}: cannot resume, it holds another run (${differences.join(", ")} differ); choose another folder with --out`,
    );
  const { checkpoint, damaged } = newestCheckpoint(join(path, "checkpoints"));
  const notes = damaged.map((problem) => `damaged checkpoint passed over: ${problem}`);
  if (!checkpoint) notes.push(`${path}: no checkpoint yet, starting from the beginning`);
  return { path, recipe, checkpoint, notes };
}

/** @throws ConfigError when the folder, or the nearest one above it that exists, is no folder or cannot be written to */
function requireWritable(path: string): void {
  let place = resolve(path);
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  const problem = !statSync(place).isDirectory()
    ? "is a file"
    : isWritable(place)
      ? undefined
      : "cannot be written to by this user";
  if (problem !== undefined) throw new ConfigError(`${path}: ${place} ${problem}; choose another folder with --out`);
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The resolved recipe of a run folder. @throws ConfigError when there is none or it does not parse */
export function readRecipeOf(path: string): Recipe {
  const file = join(path, "recipe.yaml");
  if (!existsSync(file)) throw new ConfigError(`${path}: not a run folder, recipe.yaml is missing`);
  return resolveRecipe({ name: "recipe", ...fromYaml(readFileSync(file, "utf8"), file) }, false);
}

/** A run folder that is open for writing. */
export class RunFolder {
  readonly path: string;
  readonly recipe: Recipe;
  readonly metrics: MetricsLog;
  readonly samples: SamplesLog;
  #lastWhole: number | null;

  /** Creates the folder, or cuts the logs of an interrupted run back to its checkpoint. */
  constructor(plan: RunPlan, environment: Environment) {
    const { path, recipe, checkpoint } = plan;
    mkdirSync(join(path, "checkpoints"), { recursive: true });
    writeFileAtomic(join(path, "recipe.yaml"), recipeToYaml(recipe));
    this.path = path;
    this.recipe = recipe;
    this.#writeEnvironment(environment, checkpoint?.manifest.step ?? null);
    this.metrics = new MetricsLog(join(path, "metrics.jsonl"));
    this.samples = new SamplesLog(join(path, "samples.jsonl.gz"));
    this.metrics.cutTo(checkpoint?.manifest.metricsBytes ?? 0);
    this.samples.cutTo(checkpoint?.manifest.samplesBytes ?? 0);
    this.#lastWhole = checkpoint?.manifest.step ?? null;
    this.#dropLaterEvaluations(checkpoint?.manifest.step ?? -1);
  }

  /** Logs one step: its completions, then its metrics. @throws TrainingError when the disk is full or a value not finite */
  async log(step: number, metrics: Metrics, samples: readonly SampleRow[]): Promise<void> {
    await this.#guard(this.path, () => {
      this.samples.log(step, samples);
      this.metrics.log(step, metrics);
    });
  }

  /** Keeps the summary and the completions of one evaluation. */
  async logEvaluation(step: number, output: EvaluationOutput): Promise<void> {
    const { samples, correct, metrics, byKind, rows } = output;
    const record: EvaluationRecord = { step, samples, correct, metrics, ...(byKind && { byKind }) };
    const base = join(this.path, "evaluations", checkpointName(step));
    await this.#guard(base, () => {
      writeFileAtomic(`${base}.jsonl.gz`, packRows(rows));
      writeFileAtomic(`${base}.json`, `${JSON.stringify(record)}\n`);
    });
  }

  /** Keeps the batch that a step failed on. Returns its file. */
  saveFailedBatch(step: number, rows: readonly SampleRow[]): string {
    const file = join(this.path, `failed-${checkpointName(step)}.jsonl.gz`);
    writeFileAtomic(file, packRows(rows));
    return file;
  }

  /** First half of a checkpoint: the trainer writes its state beside the others, not yet under its name. */
  async beginCheckpoint(step: number, save: (folder: string) => Promise<void>): Promise<string> {
    const parent = join(this.path, "checkpoints");
    return this.#guard(parent, async () => {
      const folder = beginCheckpoint(parent, step);
      await save(folder);
      return folder;
    });
  }

  /** Second half, after the step's line was logged: from here on a resumed run starts at this step. */
  async commitCheckpoint(step: number, folder: string): Promise<void> {
    await this.#guard(folder, () => {
      this.samples.sync();
      this.metrics.sync();
      commitCheckpoint(folder, { step, metricsBytes: this.metrics.bytes, samplesBytes: this.samples.bytes });
    });
    this.#lastWhole = step;
    pruneCheckpoints(join(this.path, "checkpoints"), this.recipe.checkpoint.keep);
  }

  /** What is safe and how to go on, in words. */
  howToGoOn(): string {
    const whole =
      this.#lastWhole === null ? "There is no checkpoint yet." : `The checkpoint of step ${this.#lastWhole} is whole.`;
    return `${whole} Go on with: ${resumeCommand(this.path)}`;
  }

  /** For a failure that would come again at the same step: what to do instead of resuming. */
  howToChange(): string {
    const whole = this.#lastWhole === null ? null : join(this.path, "checkpoints", checkpointName(this.#lastWhole));
    const from =
      whole === null ? "" : `, from the last whole checkpoint by --set model=${whole} if its weights are good`;
    return `Resumed, it would fail again: change the recipe and train into another folder with --out${from}.`;
  }

  #guard<T>(what: string, write: () => T | Promise<T>): Promise<T> {
    return guardDisk(what, () => `Make room for it. ${this.howToGoOn()}`, write);
  }

  #writeEnvironment(environment: Environment, resumedAt: number | null): void {
    const file = join(this.path, "environment.json");
    const first = existsSync(file) && resumedAt !== null ? (JSON.parse(readFileSync(file, "utf8")) as object) : null;
    const resumed = first && "resumed" in first ? (first.resumed as unknown[]) : [];
    const value = first ? { ...first, resumed: [...resumed, { step: resumedAt, ...environment }] } : environment;
    writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`);
  }

  #dropLaterEvaluations(step: number): void {
    const folder = join(this.path, "evaluations");
    if (!existsSync(folder)) return;
    for (const name of readdirSync(folder)) {
      const of = /^step-(\d+)\./.exec(name)?.[1];
      if (of === undefined || Number(of) > step) rmSync(join(folder, name), { force: true });
    }
  }
}

/** The command that continues a run. */
export function resumeCommand(path: string): string {
  const quoted = /[^\w./-]/.test(path) ? `"${path}"` : path;
  return `npx rlvr train ${quoted}/recipe.yaml --out ${quoted} --resume`;
}

/** The newest whole checkpoint of a run folder, which is a model; any other name as it is. @throws ConfigError for a run without one */
export function latestModel(model: string): string {
  if (!existsSync(join(model, "recipe.yaml"))) return model;
  const { checkpoint, damaged } = newestCheckpoint(join(model, "checkpoints"));
  if (!checkpoint) throw new ConfigError([`${model}: this run has no whole checkpoint`, ...damaged].join("\n"));
  return checkpoint.folder;
}
