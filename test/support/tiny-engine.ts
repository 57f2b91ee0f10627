import type { TestContext } from "node:test";
import type { FloatType } from "../../src/graph/index.ts";
import {
  type Adapter,
  Engine,
  type ModelConfig,
  oneSequence,
  type SequenceBatch,
  type UpdatePlan,
} from "../../src/policy/index.ts";
import { createRng, type Rng } from "../../src/utils/rng.ts";
import { tinyConfig } from "./tiny-model.ts";

/** The families, each with what only it has, in tiny. */
export const TINY_FAMILIES: Readonly<Record<string, Partial<ModelConfig>>> = {
  llama: {},
  "qwen2, biases, untied head": { family: "qwen2", attentionBias: true, tied: false },
  "qwen3, q/k norms, wide heads": { family: "qwen3", qkNorm: true, headDim: 6 },
};

/** What {@link tinyEngine} may vary. */
export interface TinyEngineOptions {
  readonly changes?: Partial<ModelConfig>;
  readonly adapter?: Adapter;
  readonly floatType?: FloatType;
  readonly plan?: UpdatePlan;
  /** Scores of attention held at once. */
  readonly scores?: number;
  /** Noise on every weight, so that biases are not 0 and norms not 1. A fresh adapter stays without effect. */
  readonly noise?: number;
}

/** An engine on a tiny model, freed after the test. */
export async function tinyEngine(t: TestContext, options: TinyEngineOptions = {}): Promise<Engine> {
  const {
    changes = {},
    adapter = { kind: "none" },
    floatType = "float32",
    noise = 0.2,
    plan = "lean",
    scores,
  } = options;
  const origin = { kind: "initial", config: tinyConfig(changes), seed: 5, scale: 1 } as const;
  const engine = await Engine.create({
    origin,
    adapter,
    seed: 9,
    floatType,
    threads: 1,
    plan,
    ...(scores ? { scores } : {}),
  });
  t.after(() => engine.dispose());
  for (const [name, { data }] of engine.parameters.tensors)
    if (!name.includes("lora_")) addNoise(data as Float32Array, noise, createRng("noise").fork(name));
  return engine;
}

/** Adds normal noise to an array. */
export function addNoise(array: Float32Array | Float64Array, deviation: number, rng: Rng): void {
  for (let i = 0; i < array.length; i++) array[i]! += deviation * rng.normal();
}

/** One sequence whose tokens from position `from` on are scored. */
export function wholeSequence(ids: readonly number[], from = 1, temperature = 1): SequenceBatch {
  const places = Array.from({ length: ids.length - from }, (_, i) => from + i);
  return {
    ...oneSequence(ids),
    ...{ features: {}, scalars: {}, temperature },
    positions: Int32Array.from(places, (place) => place - 1),
    targets: Int32Array.from(places, (place) => ids[place]!),
  };
}

/** Log-probs of every token of the vocabulary after a prompt. */
export async function nextLogprobs(engine: Engine, prompt: readonly number[], temperature = 1): Promise<number[]> {
  const targets = Int32Array.from({ length: engine.parameters.config.vocab }, (_, id) => id);
  const positions = new Int32Array(targets.length).fill(prompt.length - 1);
  const { logp } = await engine.score({ ...wholeSequence(prompt, 1, temperature), positions, targets });
  return Array.from(logp);
}

/** Random token ids without the special ones. */
export function randomIds(rng: Rng, length: number, vocab = 13): number[] {
  return Array.from({ length }, () => rng.int(3, vocab - 1));
}
