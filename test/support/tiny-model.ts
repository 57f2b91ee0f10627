import type { Adapter, ModelConfig } from "../../src/policy/index.ts";

/** Sizes of a decoder that is big enough to have every part (several layers, grouped heads) and small enough for finite differences. */
export function tinyConfig(changes: Partial<ModelConfig> = {}): ModelConfig {
  return {
    family: "llama",
    layers: 2,
    width: 16,
    heads: 4,
    kvHeads: 2,
    headDim: 4,
    ffWidth: 24,
    vocab: 13,
    ropeTheta: 10000,
    normEps: 1e-5,
    tied: true,
    attentionBias: false,
    qkNorm: false,
    maxPositions: 64,
    bosId: 1,
    eosIds: [2],
    padId: 0,
    ...changes,
  };
}

/** A LoRA adapter on every linear map. */
export const tinyLora: Adapter = {
  kind: "lora",
  rank: 2,
  alpha: 4,
  targets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
};
