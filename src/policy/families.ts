import { DataError } from "../utils/errors.ts";
import type { ModelConfig } from "./config.ts";

/** Name of the token embedding, [vocab, width]. */
export const EMBEDDING = "model.embed_tokens.weight";
/** Name of the final norm, [width]. */
export const FINAL_NORM = "model.norm.weight";
/** Name of the output head, [vocab, width]; absent when the head is tied to the embedding. */
export const HEAD = "lm_head.weight";

/** Name of a parameter of one layer, for instance `layerParameter(3, "mlp.up_proj.weight")`. */
export function layerParameter(layer: number, name: string): string {
  return `model.layers.${layer}.${name}`;
}

/**
 * Parameters of one layer and their shapes, without the `model.layers.N.` prefix. Matrices are [out, in].
 * Biases occur in Qwen2, `q_norm` and `k_norm` (one vector of `headDim` for all heads) in Qwen3.
 */
export function layerShapes(config: ModelConfig): Map<string, readonly number[]> {
  const { width, ffWidth, headDim } = config;
  const [q, kv] = [config.heads * headDim, config.kvHeads * headDim];
  const shapes = new Map<string, readonly number[]>([["input_layernorm.weight", [width]]]);
  for (const [name, rows] of [
    ["q_proj", q],
    ["k_proj", kv],
    ["v_proj", kv],
  ] as const) {
    shapes.set(`self_attn.${name}.weight`, [rows, width]);
    if (config.attentionBias) shapes.set(`self_attn.${name}.bias`, [rows]);
  }
  if (config.qkNorm) for (const name of ["q_norm", "k_norm"]) shapes.set(`self_attn.${name}.weight`, [headDim]);
  shapes.set("self_attn.o_proj.weight", [width, q]);
  shapes.set("post_attention_layernorm.weight", [width]);
  shapes.set("mlp.gate_proj.weight", [ffWidth, width]);
  shapes.set("mlp.up_proj.weight", [ffWidth, width]);
  shapes.set("mlp.down_proj.weight", [width, ffWidth]);
  return shapes;
}

/** All parameters by Hugging Face name, in the order of the forward pass. */
export function parameterShapes(config: ModelConfig): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>([[EMBEDDING, [config.vocab, config.width]]]);
  const layer = layerShapes(config);
  for (let index = 0; index < config.layers; index++)
    for (const [name, shape] of layer) shapes.set(layerParameter(index, name), shape);
  shapes.set(FINAL_NORM, [config.width]);
  if (!config.tied) shapes.set(HEAD, [config.vocab, config.width]);
  return shapes;
}

/**
 * Compares the tensors that a file has with those that the configuration asks for.
 * @param shapeOf shape of a present tensor
 * @throws DataError listing every missing, surplus and misshapen tensor (at most 20 of each)
 */
export function checkParameters(
  config: ModelConfig,
  present: readonly string[],
  shapeOf: (name: string) => readonly number[],
  where: string,
): void {
  const expected = parameterShapes(config);
  const have = new Set(present);
  const missing = [...expected.keys()].filter((name) => !have.has(name));
  const surplus = present.filter((name) => !expected.has(name));
  const wrong = present
    .filter((name) => expected.has(name) && expected.get(name)!.join() !== shapeOf(name).join())
    .map((name) => `${name} is [${shapeOf(name)}], expected [${expected.get(name)}]`);
  const parts = [list("missing", missing), list("surplus", surplus), list("wrong shape", wrong)].filter(Boolean);
  if (parts.length > 0) throw new DataError(`${where}: the tensors do not fit the configuration: ${parts.join("; ")}`);
}

function list(title: string, items: readonly string[]): string {
  if (items.length === 0) return "";
  const more = items.length > 20 ? `, and ${items.length - 20} more` : "";
  return `${title} (${items.length}): ${items.slice(0, 20).join(", ")}${more}`;
}
