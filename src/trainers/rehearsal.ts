import { freemem } from "node:os";
import type { Learner, OtherPolicy, SequenceBatch } from "../policy/index.ts";
import { ConfigError, messageOf, SessionError } from "../utils/errors.ts";
import type { JobRecipe } from "./job.ts";
import { type PhaseMemory, partsText, peakOf, type StepWork } from "./memory-budget.ts";
import { type MicroBatch, packRows, type TrainingRow } from "./micro-batch.ts";
import type { Objective } from "./objective.ts";

/** What a rehearsal works with. */
export interface RehearsalParts {
  readonly learner: Pick<Learner, "policy" | "config">;
  readonly recipe: JobRecipe;
  /** null: supervised. */
  readonly objective: Objective | null;
  readonly work: StepWork;
}

/** Whether running out of memory is near enough to be tried first: under a budget, and where the forecast takes more than half of what is free. */
export function isWorthRehearsing(recipe: JobRecipe, memory: PhaseMemory): boolean {
  return recipe.update.memory !== null || peakOf(memory) > freemem() / 2;
}

/**
 * Goes through the longest rollout and the largest micro-batch that may come, so that what does not fit fails before the first step. Tokens are made up and their
 * features zero; no random stream is touched, the gradient is cleared and no weight, moment or counter changes: a run's bytes are the same with and without.
 * @throws ConfigError when memory cannot be had, with what the forecast says of each phase
 */
export async function rehearse(parts: RehearsalParts, memory: PhaseMemory): Promise<void> {
  try {
    if (parts.work.rollout) await rehearseRollout(parts);
    await rehearseUpdate(parts);
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    const phases = [memory.rollout, memory.update].map((phase) => (phase ? partsText(phase) : "")).filter(Boolean);
    throw new ConfigError(
      `the longest completions of this recipe do not fit this machine's memory (${messageOf(error)}). The forecast: ${phases.join("; ")}. Give a budget with --memory, or lower rollout.batchSize, rollout.maxTokens or update.microBatchTokens`,
      { cause: error },
    );
  }
}

const PIECE = 8; // tokens that rows read at a time: few, so that reading needs no more than drawing

/** Rows are filled by reading, which takes as much memory as drawing them and much less time. */
async function rehearseRollout({ learner: { policy, config }, recipe, work }: RehearsalParts): Promise<void> {
  const { completions, groupSize, prompt, tokens } = work.rollout!;
  const rows = Math.min(work.batchSize, completions);
  const repeats = Array.from({ length: Math.ceil(rows / groupSize) }, (_, i) =>
    Math.min(groupSize, rows - i * groupSize),
  );
  const { temperature, topK, topP, minP } = recipe.rollout;
  const uniforms = new Float32Array(rows).fill(0.5);
  await policy.decodeStart({
    ...{ prompts: repeats.map((_, i) => madeUp(prompt, i, config.vocab)), repeats, uniforms },
    ...{ maxTokens: tokens + 1, temperature, topK, topP, minP },
  });
  const all = Array.from({ length: rows }, (_, row) => row);
  for (let read = 0; read + 1 < tokens; read += PIECE) {
    const piece = madeUp(Math.min(PIECE, tokens - 1 - read), read, config.vocab);
    await policy.decodeExtend({ rows: all, tokens: all.map(() => piece), uniforms });
  }
  await policy.decodeStep(uniforms);
  await policy.decodeEnd();
}

async function rehearseUpdate({ learner: { policy, config }, recipe, objective, work }: RehearsalParts): Promise<void> {
  const rows = rowsOf(work, config.vocab);
  const packed = packRows(rows, {
    ...{ maxTokens: recipe.update.microBatchTokens, padId: config.padId },
    temperature: recipe.trainer === "sft" ? 1 : recipe.rollout.temperature,
  });
  const largest = packed.reduce((most, part) => (part.batch.ids.length > most.batch.ids.length ? part : most));
  const batch = withZeros(largest, objective, config.width);
  const moments = new Float32Array(2 * policy.trainableCount).fill(1); // an update will hold them; memory never written to costs nothing
  if (objective?.referenceLogp || objective?.given.includes("reference"))
    await policy.measure(batch, { policy: "reference" });
  if (objective?.control?.control.measure) await policy.measure(batch, { program: "measure" });
  await policy.accumulate(batch);
  if (packed.length > 1) await policy.accumulate(batch); // the sum and a new gradient beside it
  moments.fill(0);
  await policy.clearGradients();
}

/** Groups of rows as long as they may be. */
function rowsOf({ groups, groupSize, prompt, completion }: StepWork, vocab: number): TrainingRow[] {
  return Array.from({ length: groups }, (_, group) => madeUp(prompt, group, vocab)).flatMap((promptIds) =>
    Array.from({ length: groupSize }, (_, member) => ({
      ...{ promptIds, ids: madeUp(completion, member, vocab), features: {} },
    })),
  );
}

/** Ids that differ from one seed to the next, as far as so many tokens can tell. */
function madeUp(length: number, seed: number, vocab: number): number[] {
  return Array.from({ length }, (_, i) => (i === 0 ? seed : i === 1 ? Math.floor(seed / vocab) : i) % vocab);
}

/** A batch with all that the loss reads, zero. */
function withZeros({ batch }: MicroBatch, objective: Objective | null, width: number): SequenceBatch {
  const count = batch.targets.length;
  const zeros = (names: readonly string[]): Record<string, Float64Array> =>
    Object.fromEntries(names.map((name) => [name, new Float64Array(count)]));
  if (!objective) return { ...batch, features: zeros(["weight"]) };
  const { loss, given } = objective;
  const hidden = given.map((name): [OtherPolicy, Float32Array] => [name, new Float32Array(count * width)]);
  return {
    ...batch,
    features: zeros(loss.features),
    scalars: Object.fromEntries(loss.scalars.map((name) => [name, 0])),
    distributions: Object.fromEntries(hidden),
  };
}
