import { join } from "node:path";
import { openModel } from "../policy/index.ts";
import { seedlingTokenizerFiles } from "../policy/seedling-tokenizer.ts";
import { createTokenizer } from "../policy/tokenizer.ts";
import { type PhaseMemory, peakOf } from "../trainers/memory-budget.ts";
import type { Metrics, Trainer } from "../trainers/types.ts";
import { DataError } from "../utils/errors.ts";
import { writeFileAtomic } from "../utils/files.ts";
import type { KindChange } from "./by-kind.ts";
import type { PairedDifference } from "./compare.ts";
import { guardDisk } from "./disk.ts";
import { describeEnvironment } from "./environment.ts";
import { latestModel, planRun, RunFolder, type RunPlan, resumeCommand } from "./folder.ts";
import type { Headline } from "./headline.ts";
import type { Interrupt } from "./interrupt.ts";
import { type Progress, runLoop } from "./loop.ts";
import type { Recipe } from "./recipe.ts";
import { readRun } from "./report/data.ts";
import { renderReport } from "./report/html.ts";
import type { Decode } from "./report/samples.ts";
import { gainOf } from "./report/tables.ts";

/** Makes the trainer of a recipe: loads the model, opens the tasks. */
export type OpenTrainer = (job: { recipe: Recipe; threads: number }) => Promise<{
  trainer: Trainer;
  modelHash: string;
  adapterHash: string | null;
  notes?: readonly string[];
  memory?: PhaseMemory;
}>;

/** A run from a resolved recipe to its report. */
export interface TrainJob {
  readonly recipe: Recipe;
  /** The run folder; `runs/{name}` when absent. */
  readonly out?: string;
  readonly resume: boolean;
  readonly threads: number;
  readonly device: string;
  readonly openTrainer: OpenTrainer;
  readonly progress?: Progress;
  readonly interrupt?: Interrupt;
  /** Told what a user should know: a damaged checkpoint that was passed over, … */
  readonly note?: (text: string) => void;
}

/** What a finished or interrupted run left. */
export interface TrainSummary {
  readonly run: string;
  readonly steps: number;
  readonly of: number;
  readonly interrupted: boolean;
  readonly before: Headline | null;
  readonly after: Headline | null;
  readonly difference: PairedDifference | null;
  /** The same by kind of problem; empty where there are not at least two kinds. */
  readonly byKind: readonly KindChange[];
  /** null when nothing was logged yet. */
  readonly report: string | null;
  /** The command that continues an interrupted run. */
  readonly goOn: string | null;
}

/**
 * Trains. Everything that can be wrong with the input is found before the folder is touched.
 * @throws ConfigError or DataError before the work starts, TrainingError afterwards
 */
export async function train(job: TrainJob): Promise<TrainSummary> {
  const { recipe, threads, device } = job;
  const path = job.out ?? join("runs", recipe.name);
  const plan = planRun(path, recipe, job.resume);
  for (const text of plan.notes) job.note?.(text);
  const model = typeof recipe.model === "string" ? latestModel(recipe.model) : recipe.model;
  const opened = await job.openTrainer({ recipe: { ...recipe, model }, threads });
  const { trainer, modelHash, adapterHash, memory, notes = [] } = opened;
  const once: Metrics = memory ? { "memory/predicted_peak_gb": peakOf(memory) / 2 ** 30 } : {};
  for (const text of notes) job.note?.(text);
  try {
    if (plan.checkpoint) await trainer.load(plan.checkpoint.folder);
    const hashes = { model: modelHash, ...(adapterHash !== null && { adapter: adapterHash }) };
    const folder = new RunFolder(plan, describeEnvironment(recipe, { threads, device }, hashes));
    const from = plan.checkpoint?.manifest.step ?? 0;
    const { progress, interrupt } = job;
    const result = await runLoop({
      trainer,
      folder,
      from,
      once,
      ...(progress && { progress }),
      ...(interrupt && { interrupt }),
    });
    return await summarise(plan, result, folder.metrics.bytes > 0);
  } finally {
    await trainer.close();
  }
}

async function summarise(
  { path, recipe }: RunPlan,
  result: { step: number; interrupted: boolean },
  hasMetrics: boolean,
): Promise<TrainSummary> {
  const run = hasMetrics ? readRun(path) : null;
  const report = run && join(path, "report.html");
  if (run && report)
    await guardDisk(
      report,
      () => `The run itself is whole; make its report with: npx rlvr report ${path}`,
      () => writeFileAtomic(report, renderReport([run], decoderOf(recipe))),
    );
  const gain = run && gainOf(run);
  return {
    run: path,
    steps: result.step,
    of: recipe.steps,
    interrupted: result.interrupted,
    before: gain?.before ?? null,
    after: gain?.after ?? null,
    difference: gain?.difference ?? null,
    byKind: gain?.byKind ?? [],
    report,
    goOn: result.interrupted ? resumeCommand(path) : null,
  };
}

/** Token ids to text with the recipe's own tokenizer; null when the model is not on this machine (any more). */
export function decoderOf({ model }: Recipe): Decode {
  if (typeof model !== "string") {
    const tokenizer = createTokenizer(seedlingTokenizerFiles(), { bosId: null, eosIds: [], padId: 0 }, "seedling");
    return (ids) => tokenizer.decode(ids);
  }
  try {
    const files = openModel(latestModel(model));
    files.close();
    return (ids) => files.tokenizer.decode(ids);
  } catch (error) {
    if (error instanceof DataError) return null;
    throw error;
  }
}
