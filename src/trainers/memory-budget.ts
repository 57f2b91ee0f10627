import { LIMITS } from "../policy/index.ts";
import { ConfigError } from "../utils/errors.ts";
import {
  largestMicroBatch,
  type MemoryParts,
  type MemoryShape,
  rolloutMemory,
  totalOf,
  updateMemory,
} from "./memory.ts";
import { bytesOf } from "./memory-amount.ts";

/** Completions that are sampled, as long as they may become. */
export interface DecodingWork {
  readonly completions: number;
  readonly groupSize: number;
  readonly prompt: number;
  readonly tokens: number;
  readonly isPlayed: boolean;
}

/** The steps of a run, as far as memory depends on them. */
export interface StepWork {
  /** null for supervised steps. */
  readonly rollout: DecodingWork | null;
  readonly evaluation: DecodingWork | null;
  /** Completions decoded at once. */
  readonly batchSize: number;
  /** Problems of an update, completions of each, and their lengths. */
  readonly groups: number;
  readonly groupSize: number;
  readonly prompt: number;
  readonly completion: number;
  readonly microBatchTokens: number;
  /** A pass before the update keeps the layers' inputs for it. */
  readonly measures: boolean;
}

/** Peaks of a run's phases, bytes by part. */
export interface PhaseMemory {
  readonly rollout: MemoryParts | null;
  readonly update: MemoryParts;
  readonly evaluation: MemoryParts | null;
}

/** Memory of the phases of a run. */
export function phaseMemory(shape: MemoryShape, work: StepWork): PhaseMemory {
  const decoding = (of: DecodingWork | null): MemoryParts | null => {
    if (!of) return null;
    const rows = Math.min(work.batchSize, of.completions);
    const { prompt: promptTokens, tokens, isPlayed } = of;
    return rolloutMemory(shape, { rows, prompts: Math.ceil(rows / of.groupSize), promptTokens, tokens, isPlayed });
  };
  const rollout = decoding(work.rollout);
  const { groups, groupSize: size, prompt, completion, microBatchTokens } = work;
  const { layers, width, heads } = shape.sizes;
  const largest = largestMicroBatch({ groups, size, prompt, completion }, microBatchTokens, heads);
  const update = updateMemory(shape, largest, rollout?.workspace ?? 0);
  const inputs = 4 * groups * (prompt + size * completion) * (layers + 1) * width;
  const kept = work.measures && shape.plan === "lean" ? Math.min(LIMITS.keptInputs, inputs) : 0;
  return {
    rollout,
    update: { ...update, activations: update.activations! + kept },
    evaluation: decoding(work.evaluation),
  };
}

/** The largest of the phases, bytes. */
export function peakOf({ rollout, update, evaluation }: PhaseMemory): number {
  return Math.max(...[rollout, update, evaluation].map((parts) => (parts ? totalOf(parts) : 0)));
}

/** What of a step fits a budget. */
export interface FittedStep {
  readonly microBatchTokens: number;
  readonly batchSize: number;
  readonly memory: PhaseMemory;
}

/** The model of memory is right within a quarter, and above more often than below (bench/README.md): so much of a budget stays free. */
const RESERVE = 0.1;
const SMALLEST = 16;
const SHRINK = 0.9;

/**
 * The most completions to decode at once and the largest micro-batch with which a step stays within a budget; neither is above what the recipe says. Both follow
 * from sizes alone: a resumed run, or one on another machine, computes the same.
 * @param budget such as 4GB
 * @throws ConfigError when one longest row alone does not fit, with what each part needs
 */
export function fitStep(shape: MemoryShape, work: StepWork, budget: string): FittedStep {
  const room = bytesOf(budget)! * (1 - RESERVE);
  const fits = (parts: MemoryParts | null): boolean => parts === null || totalOf(parts) <= room;
  let { batchSize, microBatchTokens } = work;
  const memory = (): PhaseMemory => phaseMemory(shape, { ...work, batchSize, microBatchTokens });
  while (batchSize > 1 && !(fits(memory().rollout) && fits(memory().evaluation)))
    batchSize = Math.max(1, Math.floor(batchSize * SHRINK));
  while (microBatchTokens > SMALLEST && !fits(memory().update))
    microBatchTokens = Math.max(SMALLEST, Math.floor(microBatchTokens * SHRINK));
  const { rollout, update, evaluation } = memory();
  const refuse = (what: string, parts: MemoryParts, tokens: number): ConfigError =>
    new ConfigError(`update.memory ${budget}: too small for ${what} of ${tokens} tokens. ${needs(parts, shape)}`);
  if (!fits(rollout))
    throw refuse("the rollout of one completion", rollout!, work.rollout!.prompt + work.rollout!.tokens);
  if (!fits(evaluation))
    throw refuse("the evaluation of one completion", evaluation!, work.evaluation!.prompt + work.evaluation!.tokens);
  if (!fits(update)) throw refuse("the update on one row", update, work.prompt + work.completion);
  return { microBatchTokens, batchSize, memory: { rollout, update, evaluation } };
}

function needs(parts: MemoryParts, { sizes, isLora }: MemoryShape): string {
  const least = Math.ceil(totalOf(parts) / (1 - RESERVE) / 1e8) / 10;
  const adapter = isLora ? "" : ", train an adapter (adapter: {kind: lora, rank: 16})";
  return `It needs ${partsText(parts)}. Give at least ${least.toFixed(1)}GB, lower rollout.maxTokens${adapter}, or take a model smaller than ${sizes.layers} layers of ${sizes.width}`;
}

/** `weights 0.54 GB, gradients 0.04 GB`, the largest first; parts under 5 MB are left out. */
export function partsText(parts: MemoryParts): string {
  return Object.entries(parts)
    .filter(([, bytes]) => bytes >= 5e6)
    .sort(([, a], [, b]) => b - a)
    .map(([part, bytes]) => `${part} ${(bytes / 1e9).toFixed(2)} GB`)
    .join(", ");
}
