import {
  type Adapter,
  ALL_LINEAR,
  type ModelConfig,
  openInitialTokenizer,
  openModel,
  parameterShapes,
} from "../policy/index.ts";
import { adapterOf } from "../trainers/create.ts";
import { latestModel } from "./folder.ts";
import type { Recipe } from "./recipe.ts";

/** What a run will need, worked out from sizes alone: an estimate, nothing is measured. */
export interface Forecast {
  readonly parameters: number;
  readonly trainable: number;
  readonly memoryGb: {
    readonly weights: number;
    /** Gradients and AdamW's two moments. */
    readonly training: number;
    /** Keys and values of all completions decoded at once. */
    readonly cache: number;
    /** Inputs of all layers of a micro-batch, one layer's inner values, one chunk of logits. */
    readonly activations: number;
    /** Node, ONNX Runtime, copies between them. */
    readonly base: number;
    readonly total: number;
  };
  /** Sampled tokens of one step when every completion is as long as allowed; of episodes, whole contexts. */
  readonly tokensPerStep: number;
  /** Floating-point operations of one step, in units of 1e9, for these tokens. */
  readonly gigaflopPerStep: number;
}

const GIB = 2 ** 30;
const FLOAT = 4;
const HEAD_CHUNK = 1024; // tokens whose logits are held at once
const BASE_GB = 0.25;

type Sizes = Pick<
  ModelConfig,
  "layers" | "width" | "heads" | "kvHeads" | "headDim" | "ffWidth" | "vocab" | "maxPositions"
>;

/** @throws DataError when the model is not on this machine */
export function forecast(recipe: Recipe): Forecast {
  const { sizes, parameters, adapter } = sizesOf(recipe);
  const trainable = adapter === null ? parameters : loraCount(sizes, adapter);
  const { rollout, update, sft } = recipe;
  const isSft = recipe.trainer === "sft";
  const rows = isSft ? 0 : Math.min(rollout.batchSize, rollout.promptsPerStep * rollout.groupSize);
  const isPlayed = recipe.tasks.train?.name === "environment" || rollout.tools !== null;
  const episode = Math.min(sizes.maxPositions, rollout.episode.contextTokens ?? sizes.maxPositions);
  const perCompletion = isPlayed ? episode : rollout.maxTokens;
  const tokensPerStep = isSft ? sft.tokensPerStep : rollout.promptsPerStep * rollout.groupSize * perCompletion;
  const micro = Math.min(isSft ? sft.tokensPerStep : update.microBatchTokens, tokensPerStep * 2);
  const kvWidth = sizes.kvHeads * sizes.headDim;
  const context = isPlayed ? episode : Math.min(sizes.maxPositions, rollout.maxTokens * 2);
  const inner = 6 * sizes.width + 4 * kvWidth + 6 * sizes.ffWidth + 2 * sizes.heads * Math.min(context, 1024);
  const gb = (floats: number): number => (floats * FLOAT) / GIB;
  const memory = {
    weights: gb(parameters + (adapter === null ? 0 : trainable)),
    training: gb(3 * trainable),
    cache: gb(2 * 2 * sizes.layers * kvWidth * context * rows),
    activations: gb(
      micro * (update.plan === "fast" ? sizes.layers * inner : sizes.layers * sizes.width + inner) +
        3 * Math.min(micro, HEAD_CHUNK) * sizes.vocab,
    ),
    base: BASE_GB,
  };
  const total = Object.values(memory).reduce((sum, part) => sum + part, 0);
  const passes = (isSft ? 0 : 1) + 4 * (isSft ? 1 : update.epochs); // decoding; forward, recomputation and backward
  return {
    parameters,
    trainable,
    memoryGb: { ...memory, total },
    tokensPerStep,
    gigaflopPerStep: (2 * parameters * tokensPerStep * passes) / 1e9,
  };
}

/** The forecast in words. */
export function forecastText(value: Forecast): string {
  const { parameters, trainable, memoryGb, tokensPerStep, gigaflopPerStep } = value;
  const million = (count: number): string => `${(count / 1e6).toFixed(3)} M`;
  const parts = Object.entries(memoryGb).filter(([name]) => name !== "total");
  return [
    "forecast (an estimate from sizes, not a measurement)",
    `  parameters        ${million(parameters)}, of which ${million(trainable)} train`,
    `  peak memory       about ${memoryGb.total.toFixed(2)} GiB (${parts.map(([name, gb]) => `${name} ${gb.toFixed(2)}`).join(", ")})`,
    `  tokens a step     at most ${tokensPerStep}`,
    `  work a step       at most ${Number(gigaflopPerStep.toPrecision(2))} GFLOP; on CPU cores expect 10 to 40 GFLOP/s per core`,
    "  learning signal   unknown before sampling: run with --smoke and read signal/frac_useful_groups",
  ].join("\n");
}

type Lora = Extract<Adapter, { kind: "lora" }>;

/** An adapter that is trained further brings its own form. */
function sizesOf({ model, adapter }: Recipe): { sizes: Sizes; parameters: number; adapter: Lora | null } {
  const asked = adapterOf(adapter);
  const lora = asked.kind === "lora" ? asked : null;
  if (typeof model === "string") {
    const files = openModel(latestModel(model), { tokenizer: "optional" });
    files.close();
    const own = files.adapter?.kind === "lora" ? files.adapter : lora;
    return { sizes: files.config, parameters: count(parameterShapes(files.config)), adapter: own };
  }
  const { init } = model;
  const kvHeads = init.kvHeads ?? init.heads;
  const headDim = init.width / init.heads;
  const sizes = { ...init, kvHeads, headDim, vocab: openInitialTokenizer(init.tokenizer).tokenizer.vocabSize };
  const plain = { family: "llama", tied: true, attentionBias: false, qkNorm: false, normEps: 1e-5 } as const;
  const shapes = parameterShapes({ ...plain, ...sizes, bosId: null, eosIds: [], padId: 0 });
  return { sizes, parameters: count(shapes), adapter: lora };
}

function count(shapes: ReadonlyMap<string, readonly number[]>): number {
  let sum = 0;
  for (const shape of shapes.values()) sum += shape.reduce((product, size) => product * size, 1);
  return sum;
}

function loraCount(sizes: Sizes, adapter: Lora): number {
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
