import { loadMemory, type MemoryParts, totalOf } from "../trainers/memory.ts";
import { fitStep, type PhaseMemory, peakOf, phaseMemory } from "../trainers/memory-budget.ts";
import { knownModel, type Lengths, stepWork } from "../trainers/memory-work.ts";
import { latestModel } from "./folder.ts";
import type { Recipe } from "./recipe.ts";

/** Parts of a phase and their sum, GiB. */
export interface PhaseGb {
  readonly parts: Readonly<Record<string, number>>;
  readonly total: number;
}

/** What a run will need, worked out from sizes alone. */
export interface Forecast {
  readonly parameters: number;
  readonly trainable: number;
  /** Highest memory of each phase, and of the run. Sessions and arrays of one phase are still there in the next. */
  readonly memoryGb: {
    readonly load: PhaseGb;
    readonly rollout: PhaseGb | null;
    readonly update: PhaseGb;
    readonly evaluation: PhaseGb | null;
    /** The update in the other plan, GiB. */
    readonly otherPlan: { readonly plan: "lean" | "fast"; readonly total: number };
    readonly total: number;
  };
  /** What they were worked out for, as far as `update.memory` chose it. */
  readonly microBatchTokens: number;
  readonly batchSize: number;
  /** Sampled tokens of one step when every completion is as long as allowed; of episodes, whole contexts. */
  readonly tokensPerStep: number;
  /** Floating-point operations of one step, in units of 1e9, for these tokens. */
  readonly gigaflopPerStep: number;
}

const GIB = 2 ** 30;
const WORST: Lengths = { prompt: null };

/**
 * @param lengths of prompts and completions; as long as allowed when absent
 * @throws DataError when the model is not on this machine, ConfigError when a budget of memory is too small
 */
export function forecast(recipe: Recipe, lengths: Lengths = WORST): Forecast {
  const model = typeof recipe.model === "string" ? latestModel(recipe.model) : recipe.model;
  const { shape } = knownModel({ ...recipe, model });
  const work = stepWork(recipe, shape, lengths);
  const { memory: budget } = recipe.update;
  const { microBatchTokens, batchSize } = budget === null ? work : fitStep(shape, work, budget);
  const fitted = { ...work, microBatchTokens, batchSize };
  const memory = phaseMemory(shape, fitted);
  const plan = shape.plan === "lean" ? "fast" : "lean";
  const other = totalOf(phaseMemory({ ...shape, plan }, fitted).update) / GIB;
  const isSft = recipe.trainer === "sft";
  const sampled = recipe.rollout.promptsPerStep * recipe.rollout.groupSize;
  const tokensPerStep = isSft ? recipe.sft.tokensPerStep : sampled * (work.rollout?.tokens ?? 0);
  const passes = (isSft ? 0 : 1) + 4 * (isSft ? 1 : recipe.update.epochs); // decoding; forward, recomputation and backward
  return {
    parameters: shape.parameters,
    trainable: shape.trainable,
    memoryGb: {
      load: inGb(loadMemory(shape)),
      ...phasesInGb(memory),
      otherPlan: { plan, total: other },
      total: peakOf(memory) / GIB,
    },
    ...{ microBatchTokens, batchSize, tokensPerStep },
    gigaflopPerStep: (2 * shape.parameters * tokensPerStep * passes) / 1e9,
  };
}

function phasesInGb({ rollout, update, evaluation }: PhaseMemory) {
  return {
    rollout: rollout && inGb(rollout),
    update: inGb(update),
    evaluation: evaluation && inGb(evaluation),
  };
}

function inGb(parts: MemoryParts): PhaseGb {
  return {
    parts: Object.fromEntries(Object.entries(parts).map(([part, bytes]) => [part, bytes / GIB])),
    total: totalOf(parts) / GIB,
  };
}
