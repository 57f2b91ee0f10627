import { LIMITS, type ModelConfig } from "../policy/index.ts";
import type { UpdateConfig } from "./config.ts";

/** What memory goes to. */
export const MEMORY_PARTS = {
  program: "Node, ONNX Runtime, compiled graphs, what waits for the garbage collector",
  vocabulary: "the tokenizer's tables",
  weights: "weights in float32, adapter included",
  reference: "weights of the model before training, where all weights train and the objective looks at it",
  gradients: "gradients: the sum, and a new one beside it",
  moments: "the optimizer's two moments",
  activations: "what the forward pass keeps for the backward pass, and the inner values of a layer",
  logits: "one chunk of logits with its probabilities and gradients",
  cache: "keys and values of the completions decoded at once",
  workspace: "inner values of reading prompts and of decoding",
} as const;
export type MemoryPart = keyof typeof MEMORY_PARTS;
/** Bytes by part. */
export type MemoryParts = Readonly<Partial<Record<MemoryPart, number>>>;

/** Sizes that memory depends on. */
export type DecoderSizes = Pick<
  ModelConfig,
  "layers" | "width" | "heads" | "kvHeads" | "headDim" | "ffWidth" | "vocab" | "maxPositions"
>;

/** A model as a run holds it. */
export interface MemoryShape {
  readonly sizes: DecoderSizes;
  /** Weights of the base model, and those that train. */
  readonly parameters: number;
  readonly trainable: number;
  readonly isLora: boolean;
  readonly plan: UpdateConfig["plan"];
  /** A second set of weights is loaded for the objective. */
  readonly hasReference: boolean;
}

/** Completions that are decoded at once. */
export interface RolloutWork {
  readonly prompts: number;
  readonly rows: number;
  /** Tokens of the longest prompt. */
  readonly promptTokens: number;
  /** Sampled tokens a row; of episodes, everything after the prompt. */
  readonly tokens: number;
  /** Rows read in between, at lengths of their own. */
  readonly isPlayed: boolean;
}

/** A micro-batch. */
export interface UpdateWork {
  /** Tokens of the layers' inputs. */
  readonly tokens: number;
  /** Attention scores of a layer, all heads. */
  readonly scores: number;
  /** Tokens that the head scores. */
  readonly scored: number;
}

const FLOAT = 4;
const MIB = 2 ** 20;

/**
 * Factors that are no sizes: measured with bench/forecast.ts and by single passes over models whose sizes were changed one at a time (EXPERIMENTS.md, "The model of memory").
 * A layer keeps for each token `width` times the hidden size, and so on; a pass that goes layer by layer needs `lean` times that of one layer, since it holds
 * the arenas of a forward and a backward session.
 */
const KEPT = { width: 5.2, ff: 4.1, queries: 3, keys: 2.3 } as const;
const LEAN_LAYER = 2.8;
const LOGIT_COPIES = 5;
const LOADED = 230 * MIB;
const RUNNING = 160 * MIB;
const TOKEN_ENTRY = 2048; // bytes of a token's entries in the tokenizer's tables

/** Bytes of what is there once the model is loaded. */
export function loadMemory({ sizes, parameters, trainable, isLora }: MemoryShape): MemoryParts {
  return {
    program: LOADED,
    vocabulary: TOKEN_ENTRY * sizes.vocab,
    weights: FLOAT * (parameters + (isLora ? trainable : 0)),
  };
}

/** Bytes at the height of a rollout. @param trains false: of an evaluation alone, with no optimizer beside it */
export function rolloutMemory(shape: MemoryShape, work: RolloutWork, trains = true): MemoryParts {
  const { sizes, trainable } = shape;
  const { prompts, rows, promptTokens, tokens, isPlayed } = work;
  const position = 2 * sizes.layers * sizes.kvHeads * sizes.headDim * FLOAT; // keys and values of one token
  const copies = (rows - prompts) * promptTokens * position;
  const shared = copies > LIMITS.promptCopies;
  const context = promptTokens + tokens;
  const cached = shared ? prompts * promptTokens + rows * tokens : rows * context;
  const read = Math.min(LIMITS.prefillTokens, Math.max(promptTokens, prompts * promptTokens));
  const prefill = read * perToken(sizes) + heldScores(sizes.heads * read * promptTokens);
  const decoding = 5 * rows * sizes.heads * context;
  // an episode's rows are copied to be read on, and read several tokens each
  const extending = isPlayed
    ? 2 * rows * context * sizes.kvHeads * sizes.headDim + 16 * rows * sizes.heads * context
    : 0;
  return {
    ...running(shape),
    ...(trains ? { moments: 2 * FLOAT * trainable } : {}),
    cache: position * cached,
    workspace: FLOAT * (prefill + decoding + extending),
    logits: LOGIT_COPIES * FLOAT * Math.min(LIMITS.logits, rows * sizes.vocab),
  };
}

/** Bytes at the height of an update. Sessions keep what they once needed: `before` is the workspace of the rollout. */
export function updateMemory(shape: MemoryShape, work: UpdateWork, before = 0): MemoryParts {
  const { sizes, parameters, trainable, isLora, plan } = shape;
  const { tokens, scores, scored } = work;
  const layer = tokens * perToken(sizes);
  const held = heldScores(scores);
  const inputs = (sizes.layers + 1) * tokens * sizes.width;
  const keptScores = scores > LIMITS.scores ? 0 : scores;
  const merged = isLora ? parameters - sizes.vocab * sizes.width : 0;
  const chunk = Math.min(LIMITS.logits, Math.max(16, scored) * sizes.vocab);
  return {
    ...running(shape),
    gradients: 2 * FLOAT * trainable,
    moments: 2 * FLOAT * trainable,
    activations:
      FLOAT *
      (plan === "fast"
        ? sizes.layers * (layer + keptScores) + 2 * held + merged
        : inputs + LEAN_LAYER * (layer + held)),
    logits: FLOAT * (LOGIT_COPIES * chunk + (isLora ? 0 : 2 * sizes.vocab * sizes.width)),
    workspace: before,
  };
}

/** The sum of all parts. */
export function totalOf(parts: MemoryParts): number {
  return Object.values(parts).reduce((sum, bytes) => sum + bytes, 0);
}

/** Groups of completions with one prompt each, all as long as given. */
export interface GroupLengths {
  readonly groups: number;
  readonly size: number;
  readonly prompt: number;
  readonly completion: number;
}

/** The largest micro-batch that equal groups are cut into, as `packRows` cuts them. */
export function largestMicroBatch(
  { groups, size, prompt, completion }: GroupLengths,
  maxTokens: number,
  heads: number,
): UpdateWork {
  const row = prompt + completion;
  const group = prompt + size * completion;
  const whole = Math.min(groups, Math.floor(maxTokens / group));
  if (size > 1 && whole >= 1) return packed(whole, size);
  const some = Math.min(size, Math.floor((maxTokens - prompt) / completion));
  if (some >= 2) return packed(1, some);
  const alone = Math.min(groups * size, Math.max(1, Math.floor(maxTokens / row)));
  return { tokens: alone * row, scores: alone * heads * row ** 2, scored: alone * completion };

  function packed(count: number, members: number): UpdateWork {
    const ofTails = count * members * heads * completion * row;
    return {
      tokens: count * (prompt + members * completion),
      scores: Math.max(ofTails, count * heads * prompt ** 2),
      scored: count * members * completion,
    };
  }
}

function running(shape: MemoryShape): MemoryParts {
  const loaded = loadMemory(shape);
  return {
    ...loaded,
    program: LOADED + RUNNING,
    ...(shape.hasReference ? { reference: FLOAT * shape.parameters } : {}),
  };
}

/** Numbers that a layer keeps for a token. */
function perToken({ width, heads, kvHeads, headDim, ffWidth }: DecoderSizes): number {
  return KEPT.width * width + KEPT.ff * ffWidth + KEPT.queries * heads * headDim + KEPT.keys * kvHeads * headDim;
}

function heldScores(scores: number): number {
  return scores > LIMITS.scores ? LIMITS.scores / 2 : scores;
}
