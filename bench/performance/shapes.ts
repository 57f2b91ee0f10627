import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Adapter, ALL_LINEAR, type ModelConfig, type WeightOrigin } from "../../src/policy/index.ts";

/** The clone. */
export const root = fileURLToPath(new URL("../../", import.meta.url));
/** SmolLM2-135M-Instruct as scripts/fetch-smollm2 brings it. */
export const SMOLLM2_GGUF = join(root, "models/smollm2-135m-instruct-gguf/SmolLM2-135M-Instruct.Q4_1.gguf");

/** Sizes of a decoder, named as in bench/peers/common.py. */
export interface Shape {
  readonly d: number;
  readonly L: number;
  readonly H: number;
  readonly KV: number;
  readonly hd: number;
  readonly ff: number;
  readonly V: number;
}

export const SHAPES = {
  smollm2: { d: 576, L: 30, H: 9, KV: 3, hd: 64, ff: 1536, V: 49152 },
  seedling: { d: 96, L: 3, H: 3, KV: 3, hd: 32, ff: 256, V: 28 },
} as const satisfies Record<string, Shape>;
export type ShapeName = keyof typeof SHAPES;

/** Parameters of the linear maps of all layers. */
function bodyParameters({ d, L, H, KV, hd, ff }: Shape): number {
  return L * (d * hd * (2 * H + 2 * KV) + 3 * d * ff);
}

/** Parameters of an adapter of some rank on all linear maps. */
function loraParameters({ d, L, H, KV, hd, ff }: Shape, rank: number): number {
  const [q, k] = [H * hd, KV * hd];
  return L * rank * (d + q + 2 * (d + k) + (q + d) + 2 * (d + ff) + (ff + d));
}

/**
 * Matrix work of forward and backward of `rows` sequences: full 6·(N_body + V·d) a token; LoRA 4·(N_body + V·d) + 6·N_lora; attention
 * 12·L·H·hd·T² a sequence (the full square). Recomputation does not count: it is not work that was asked for.
 * @param rank of the adapter; 0: all weights train
 */
export function trainFlops(shape: Shape, rows: number, length: number, rank: number): number {
  const n = bodyParameters(shape) + shape.V * shape.d;
  const perToken = rank > 0 ? 4 * n + 6 * loraParameters(shape, rank) : 6 * n;
  return rows * length * perToken + 12 * shape.L * rows * shape.H * length ** 2 * shape.hd;
}

/** LoRA on all linear maps, alpha twice the rank as the peers have it; rank 0: all weights train. */
export function adapterOf(rank: number): Adapter {
  return rank === 0 ? { kind: "none" } : { kind: "lora", rank, alpha: 2 * rank, targets: [...ALL_LINEAR] };
}

/** The model's own weights where they are, else random ones of its sizes: that makes no difference to speed. */
export function originOf(name: ShapeName): WeightOrigin {
  if (name === "seedling") return { kind: "files", path: "seedling" };
  if (existsSync(SMOLLM2_GGUF)) return { kind: "files", path: SMOLLM2_GGUF };
  return { kind: "initial", config: configOf(SHAPES[name]), seed: 1, scale: 0.5 };
}

function configOf({ d, L, H, KV, hd, ff, V }: Shape): ModelConfig {
  return {
    ...{ family: "llama", layers: L, width: d, heads: H, kvHeads: KV, headDim: hd, ffWidth: ff, vocab: V },
    ...{ ropeTheta: 100_000, normEps: 1e-5, tied: true, attentionBias: false, qkNorm: false, maxPositions: 8192 },
    ...{ bosId: 1, eosIds: [2], padId: 2 },
  };
}
