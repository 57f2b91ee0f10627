import { freemem, totalmem } from "node:os";
import type { EvaluationOutput, Metrics, SampleRow, StepOutput, Trainer } from "../trainers/types.ts";
import { messageOf, RlvrError, TrainingError } from "../utils/errors.ts";
import type { RunFolder } from "./folder.ts";
import { type Interrupt, neverInterrupted } from "./interrupt.ts";

/** Who is told how a run goes; everything is optional. */
export interface Progress {
  begin?(run: { from: number; steps: number }): void;
  /** `what` is under way and may take a while. */
  busy?(what: string): void;
  step?(step: number, metrics: Metrics): void;
  /** Something that a user should look at; the run goes on. */
  warning?(step: number, text: string): void;
  evaluation?(step: number, output: EvaluationOutput): void;
  checkpoint?(step: number): void;
  end?(): void;
}

/** A training run: the trainer, the folder it writes to, where it starts. */
export interface RunJob {
  readonly trainer: Trainer;
  readonly folder: RunFolder;
  /** Steps already taken; the trainer has loaded that state. */
  readonly from: number;
  /** Metrics of the run as a whole, logged with its first step. */
  readonly once?: Metrics;
  readonly progress?: Progress;
  readonly interrupt?: Interrupt;
}

/** How a run ended. */
export interface RunResult {
  readonly step: number;
  readonly interrupted: boolean;
}

/**
 * Evaluate, step, log, checkpoint, until the last step or an interrupt. The line of step n holds what was measured while taking it and,
 * when an evaluation is due, the accuracy after it; line 0 is the evaluation before the first step.
 * @throws TrainingError when a step fails, a value is not finite or the disk is full; the last checkpoint stays whole
 */
export async function runLoop(job: RunJob): Promise<RunResult> {
  const { trainer, folder, from, progress = {}, interrupt = neverInterrupted } = job;
  progress.begin?.({ from, steps: trainer.steps });
  try {
    if (from === 0) {
      const metrics = await evaluateIfDue(job, 0);
      if (Object.keys(metrics).length > 0) await folder.log(0, metrics, []);
    }
    let step = from;
    while (step < trainer.steps && !interrupt.requested) {
      const output = await takeStep(job, step);
      step += 1;
      await finishStep(job, step, output);
    }
    return { step, interrupted: step < trainer.steps };
  } finally {
    progress.end?.();
  }
}

async function takeStep({ trainer, folder, progress }: RunJob, step: number): Promise<StepOutput> {
  try {
    progress?.busy?.(`step ${step + 1}`);
    return await trainer.step(step);
  } catch (error) {
    if (!(error instanceof RlvrError)) throw error;
    const { samples: rows, isOutside } = error as { samples?: readonly SampleRow[]; isOutside?: boolean };
    const onward = rows && !isOutside ? folder.howToChange() : folder.howToGoOn();
    const after = rows ? `The batch is saved in ${folder.saveFailedBatch(step + 1, rows)}. ${onward}` : onward;
    throw new TrainingError(`step ${step + 1}: ${sentence(error)} ${after}`, { cause: error });
  }
}

/** Evaluation, log line and checkpoint of a step that was taken. */
async function finishStep(job: RunJob, step: number, output: StepOutput): Promise<void> {
  const { trainer, folder, progress, interrupt } = job;
  for (const text of output.warnings ?? []) progress?.warning?.(step, text);
  const measured: Metrics = {
    ...machineMetrics(),
    ...(step === 1 ? job.once : {}),
    ...output.metrics,
    ...(await evaluateIfDue(job, step)),
  };
  const last = step === trainer.steps;
  const due = last || step % folder.recipe.checkpoint.every === 0 || (interrupt?.requested ?? false);
  if (!due) {
    await log(job, step, measured, output);
    progress?.step?.(step, measured);
    return;
  }
  const start = performance.now();
  const part = await folder.beginCheckpoint(step, (path) => trainer.save(path));
  await log(job, step, { ...measured, "timing_s/save_checkpoint": seconds(start) }, output);
  await folder.commitCheckpoint(step, part);
  progress?.step?.(step, measured);
  progress?.checkpoint?.(step);
}

async function log({ folder }: RunJob, step: number, metrics: Metrics, output: StepOutput): Promise<void> {
  try {
    await folder.log(step, metrics, output.samples);
  } catch (error) {
    if (error instanceof TrainingError && !error.cause && output.samples.length > 0)
      throw new TrainingError(
        `${sentence(error)} The batch is saved in ${folder.saveFailedBatch(step, output.samples)}. ${folder.howToChange()}`,
        { cause: error },
      );
    throw error;
  }
}

async function evaluateIfDue({ trainer, folder, progress }: RunJob, step: number): Promise<Metrics> {
  const plan = folder.recipe.evaluate;
  if (!plan) return {};
  const due = step === 0 || step === trainer.steps || (plan.every !== null && step % plan.every === 0);
  if (!due) return {};
  progress?.busy?.("evaluation");
  const start = performance.now();
  const output = await evaluateAfter(trainer, folder, step);
  if (!output) return {};
  await folder.logEvaluation(step, output);
  progress?.evaluation?.(step, output);
  return { ...output.metrics, "timing_s/testing": seconds(start) };
}

/** What is wrong with the input was found before the run began: from here on it is the work that failed. */
async function evaluateAfter(trainer: Trainer, folder: RunFolder, step: number): Promise<EvaluationOutput | null> {
  try {
    return await trainer.evaluate(step);
  } catch (error) {
    if (!(error instanceof RlvrError)) throw error;
    throw new TrainingError(`evaluation after step ${step}: ${sentence(error)} ${folder.howToGoOn()}`, {
      cause: error,
    });
  }
}

/** The message with one full stop. */
function sentence(error: unknown): string {
  return `${messageOf(error).replace(/\.$/, "")}.`;
}

function seconds(start: number): number {
  return (performance.now() - start) / 1000;
}

/** Memory now and at its highest, in GiB; a trainer that measures the same names itself wins. */
function machineMetrics(): Metrics {
  const gib = 2 ** 30;
  const { rss, arrayBuffers } = process.memoryUsage();
  return {
    "memory/rss_gb": rss / gib,
    "memory/rss_peak_gb": (process.resourceUsage().maxRSS * 1024) / gib,
    "memory/array_buffers_gb": arrayBuffers / gib,
    "perf/cpu_memory_used_gb": (totalmem() - freemem()) / gib,
  };
}
