import {
  type Adapter,
  ALL_LINEAR,
  openInitialTokenizer,
  openModel,
  parameterShapes,
  type Tokenizer,
} from "../policy/index.ts";
import { promptIds, type TaskSet } from "../rollout/index.ts";
import { adapterOf } from "./adapter-of.ts";
import type { JobRecipe } from "./job.ts";
import type { DecoderSizes, MemoryShape } from "./memory.ts";
import type { DecodingWork, StepWork } from "./memory-budget.ts";

type Lora = Extract<Adapter, { kind: "lora" }>;

/** A model by its sizes, with its tokenizer where it has one. */
export interface KnownModel {
  readonly shape: MemoryShape;
  readonly tokenizer: Tokenizer | null;
}

/** Sizes of a recipe's model, from the heads of its files. @throws DataError when it is not on this machine */
export function knownModel(recipe: JobRecipe): KnownModel {
  const { sizes, parameters, adapter, tokenizer } = describe(recipe);
  const { objective, update, trainer } = recipe;
  const looksBack = trainer === "grpo" && objective.kl !== null;
  return {
    tokenizer,
    shape: {
      ...{ sizes, parameters, isLora: adapter !== null, plan: update.plan },
      trainable: adapter === null ? parameters : loraCount(sizes, adapter),
      hasReference: looksBack && adapter === null,
    },
  };
}

/** An adapter that is trained further brings its own form. */
function describe({ model, adapter }: JobRecipe): {
  sizes: DecoderSizes;
  parameters: number;
  adapter: Lora | null;
  tokenizer: Tokenizer | null;
} {
  const asked = adapterOf(adapter);
  const lora = asked.kind === "lora" ? asked : null;
  if (typeof model === "string") {
    const files = openModel(model, { tokenizer: "optional" });
    files.close();
    const own = files.adapter?.kind === "lora" ? files.adapter : lora;
    return {
      sizes: files.config,
      parameters: count(parameterShapes(files.config)),
      adapter: own,
      tokenizer: files.tokenizer,
    };
  }
  const { init } = model;
  const { tokenizer } = openInitialTokenizer(init.tokenizer);
  const headDim = init.width / init.heads;
  const sizes = { ...init, kvHeads: init.kvHeads ?? init.heads, headDim, vocab: tokenizer.vocabSize };
  const plain = { family: "llama", tied: true, attentionBias: false, qkNorm: false, normEps: 1e-5 } as const;
  const shapes = parameterShapes({ ...plain, ...sizes, bosId: null, eosIds: [], padId: 0 });
  return { sizes, parameters: count(shapes), adapter: lora, tokenizer };
}

function count(shapes: ReadonlyMap<string, readonly number[]>): number {
  let sum = 0;
  for (const shape of shapes.values()) sum += shape.reduce((product, size) => product * size, 1);
  return sum;
}

function loraCount(sizes: DecoderSizes, adapter: Lora): number {
  const [query, kv] = [sizes.heads * sizes.headDim, sizes.kvHeads * sizes.headDim];
  const { width, ffWidth } = sizes;
  const inPlusOut: Record<(typeof ALL_LINEAR)[number], number> = {
    q_proj: width + query,
    k_proj: width + kv,
    v_proj: width + kv,
    o_proj: query + width,
    gate_proj: width + ffWidth,
    up_proj: width + ffWidth,
    down_proj: ffWidth + width,
  };
  const targets = ALL_LINEAR.filter((name) => adapter.targets.includes(name));
  return sizes.layers * adapter.rank * targets.reduce((sum, name) => sum + inPlusOut[name], 0);
}

/** Prompts that are measured of a task set, spread evenly over it. */
const PROMPTS = 32;

/** Tokens of the longest of some prompts; null for episodes, whose beginnings are known when they are played. */
export function longestPrompt(tokenizer: Tokenizer | null, tasks: TaskSet | null): number | null {
  if (!tasks || tasks.worlds || !tokenizer) return null;
  const some = Math.min(PROMPTS, tasks.size);
  const lengths = Array.from(
    { length: some },
    (_, i) => promptIds(tokenizer, tasks.get(Math.floor((i * tasks.size) / some))).length,
  );
  return Math.max(1, ...lengths);
}

/** Lengths that a step is worked out for. */
export interface Lengths {
  /** Tokens of a prompt; null: as many as a completion may have. */
  readonly prompt: number | null;
  /** Sampled tokens of a completion; of an episode, its whole context. Absent: as many as allowed. */
  readonly completion?: number;
}

/** What a step of a recipe may need at most, or with completions of a given length. */
export function stepWork(recipe: JobRecipe, { sizes }: MemoryShape, lengths: Lengths): StepWork {
  const { rollout, update, evaluate, trainer, objective } = recipe;
  if (trainer === "sft") return supervisedWork(recipe, sizes, lengths);
  const isPlayed = recipe.tasks.train?.name === "environment" || rollout.tools !== null;
  const context = Math.min(sizes.maxPositions, rollout.episode.contextTokens ?? sizes.maxPositions);
  const prompt = isPlayed
    ? Math.min(64, Math.floor(context / 2))
    : (lengths.prompt ?? Math.min(rollout.maxTokens, Math.floor(sizes.maxPositions / 2)));
  const decoding = (completions: number, groupSize: number, maxTokens: number): DecodingWork => {
    const longest = isPlayed ? context - prompt : maxTokens;
    return { completions, groupSize, prompt, tokens: lengths.completion ?? longest, isPlayed };
  };
  const problems = Math.min(evaluate?.limit ?? Number.MAX_SAFE_INTEGER, rollout.batchSize);
  const sampled = decoding(rollout.promptsPerStep * rollout.groupSize, rollout.groupSize, rollout.maxTokens);
  return {
    rollout: sampled,
    evaluation:
      evaluate && decoding(problems * evaluate.samples, evaluate.samples, evaluate.maxTokens ?? rollout.maxTokens),
    ...{ batchSize: rollout.batchSize, groups: rollout.promptsPerStep, groupSize: isPlayed ? 1 : rollout.groupSize },
    ...(isPlayed ? { groups: rollout.promptsPerStep * rollout.groupSize } : {}),
    ...{ prompt, completion: sampled.tokens, microBatchTokens: update.microBatchTokens },
    measures: recipe.control !== null || objective.loss.name === "gspo",
  };
}

/** Rows of demonstrations are as long as their texts are; the longest possible row takes the whole context. */
function supervisedWork(
  { sft, update, rollout, evaluate }: JobRecipe,
  sizes: DecoderSizes,
  lengths: Lengths,
): StepWork {
  const row = lengths.completion ?? Math.min(sizes.maxPositions, sft.tokensPerStep);
  const prompt = Math.floor(row / 2);
  const problems = Math.min(evaluate?.limit ?? Number.MAX_SAFE_INTEGER, rollout.batchSize);
  return {
    rollout: null,
    evaluation: evaluate && {
      ...{ completions: problems * evaluate.samples, groupSize: evaluate.samples, prompt, isPlayed: false },
      tokens: Math.min(sizes.maxPositions - prompt, evaluate.maxTokens ?? rollout.maxTokens),
    },
    ...{ batchSize: rollout.batchSize, groups: Math.max(1, Math.floor(sft.tokensPerStep / row)), groupSize: 1 },
    ...{ prompt, completion: row - prompt, microBatchTokens: update.microBatchTokens, measures: false },
  };
}
