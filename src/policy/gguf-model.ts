import { DataError } from "../utils/errors.ts";
import { checkConfig, type Family, type ModelConfig } from "./config.ts";
import { EMBEDDING, FINAL_NORM, HEAD } from "./families.ts";
import type { GgufFile, GgufValue } from "./gguf.ts";
import type { WeightSource } from "./weights.ts";

const FAMILIES: readonly Family[] = ["llama", "qwen2", "qwen3"];
/** GGUF's names within `blk.N.`, and Hugging Face's within `model.layers.N.`. */
const LAYER_NAMES: Record<string, string> = {
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  attn_q_norm: "self_attn.q_norm",
  attn_k_norm: "self_attn.k_norm",
  ffn_norm: "post_attention_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};

/** A number of the metadata. @throws DataError when it is missing (and no default is given) or not a number */
export function metadataNumber(file: GgufFile, key: string, fallback?: number): number {
  const value = file.metadata.get(key) ?? fallback;
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new DataError(`${file.path}: metadata ${key} must be a number, got ${describe(value)}`);
  return value;
}

/** Whole number in [1, 2^31). */
function size(file: GgufFile, key: string, fallback?: number): number {
  const value = metadataNumber(file, key, fallback);
  if (!Number.isInteger(value) || value < 1 || value >= 2 ** 31)
    throw new DataError(`${file.path}: metadata ${key} must be a positive whole number, got ${value}`);
  return value;
}

/** A special token's id, or null. */
export function specialId(file: GgufFile, name: string): number | null {
  const key = `tokenizer.ggml.${name}_token_id`;
  if (!file.metadata.has(key)) return null;
  const id = metadataNumber(file, key);
  return id >= 0 && id < 2 ** 31 && Number.isInteger(id) ? id : null;
}

/**
 * Configuration of a GGUF model from its metadata; the vocabulary is the number of rows of the embedding, and the head is tied when there is no `output.weight`.
 * @throws DataError naming the metadata key, or the architecture with the supported list
 */
export function ggufConfig(file: GgufFile): ModelConfig {
  const family = familyOf(file);
  const key = (name: string) => `${family}.${name}`;
  const layers = size(file, key("block_count"));
  if (layers > 4096)
    throw new DataError(`${file.path}: metadata ${key("block_count")} is impossibly large (${layers})`);
  const width = size(file, key("embedding_length"));
  const heads = size(file, key("attention.head_count"));
  const headDim = size(file, key("attention.key_length"), width / heads);
  refuseVariants(file, family, headDim);
  const vocab = file.tensors.get("token_embd.weight")?.shape[0];
  if (vocab === undefined) throw new DataError(`${file.path}: tensor token_embd.weight is missing`);
  const eosIds = [...new Set(["eos", "eot", "eom"].map((name) => specialId(file, name)).filter((id) => id !== null))];
  return checkConfig(
    {
      family,
      layers,
      width,
      heads,
      kvHeads: size(file, key("attention.head_count_kv"), heads),
      headDim,
      ffWidth: size(file, key("feed_forward_length")),
      vocab,
      ropeTheta: metadataNumber(file, key("rope.freq_base"), 10000),
      normEps: metadataNumber(file, key("attention.layer_norm_rms_epsilon")),
      tied: !file.tensors.has("output.weight"),
      attentionBias: family === "qwen2",
      qkNorm: family === "qwen3",
      maxPositions: size(file, key("context_length")),
      bosId: specialId(file, "bos"),
      eosIds,
      padId: specialId(file, "padding") ?? eosIds[0] ?? 0,
    },
    file.path,
  );
}

/** The tensors of a GGUF model under Hugging Face's names, with Llama's query and key rows back in Hugging Face's order. */
export function ggufWeights(file: GgufFile, config: ModelConfig): WeightSource {
  const original = new Map<string, string>();
  for (const name of file.tensors.keys()) original.set(hfName(name), name);
  const find = (name: string): string => {
    const found = original.get(name);
    if (found === undefined) throw new DataError(`${file.path}: has no tensor for ${name}`);
    return found;
  };
  return {
    files: [file.path],
    names: () => [...original.keys()],
    shape: (name) => file.tensors.get(find(name))!.shape,
    read(name) {
      const data = file.read(find(name));
      if (config.family !== "llama") return data;
      if (name.endsWith(".q_proj.weight")) return splitHalves(data, config.heads, config.headDim);
      if (name.endsWith(".k_proj.weight")) return splitHalves(data, config.kvHeads, config.headDim);
      return data;
    },
    close: () => file.close(),
  };
}

/**
 * Rows of each head from interleaved rotary pairs (GGUF's Llama order: 0, d/2, 1, d/2 + 1, …) to split halves (0, 1, …, d - 1).
 * @param data [heads * headDim, columns]
 */
export function splitHalves(data: Float32Array, heads: number, headDim: number): Float32Array<ArrayBuffer> {
  const columns = data.length / (heads * headDim);
  const out = new Float32Array(data.length);
  for (let head = 0; head < heads; head++)
    for (let row = 0; row < headDim; row++) {
      const from = head * headDim + 2 * (row % (headDim / 2)) + (row < headDim / 2 ? 0 : 1);
      out.set(data.subarray(from * columns, (from + 1) * columns), (head * headDim + row) * columns);
    }
  return out;
}

/** Hugging Face's name of a GGUF tensor; unknown names stay, and are then reported as surplus. */
function hfName(name: string): string {
  if (name === "token_embd.weight") return EMBEDDING;
  if (name === "output_norm.weight") return FINAL_NORM;
  if (name === "output.weight") return HEAD;
  const match = /^blk\.(\d+)\.([a-z_]+)\.(weight|bias)$/.exec(name);
  const inner = match && Object.hasOwn(LAYER_NAMES, match[2]!) ? LAYER_NAMES[match[2]!] : undefined;
  return inner === undefined ? name : `model.layers.${match![1]}.${inner}.${match![3]}`;
}

function familyOf(file: GgufFile): Family {
  const architecture = file.metadata.get("general.architecture");
  const family = FAMILIES.find((name) => name === architecture);
  if (!family)
    throw new DataError(
      `${file.path}: architecture ${describe(architecture)} is not supported; supported: ${FAMILIES.join(", ")}`,
    );
  return family;
}

/** Refuses what would change the mathematics. */
function refuseVariants(file: GgufFile, family: Family, headDim: number): void {
  const at = (name: string) => file.metadata.get(`${family}.${name}`);
  const bad: string[] = [];
  const scaling = at("rope.scaling.type") ?? "none";
  if (scaling !== "none") bad.push(`rope scaling ${describe(scaling)}`);
  const parts = file.metadata.get("split.count") ?? 1;
  if (parts !== 1) bad.push(`one of ${describe(parts)} parts of a split model (merge them into one file first)`);
  if (file.tensors.has("rope_freqs.weight")) bad.push("rope scaling by tensor rope_freqs.weight");
  if ((at("expert_count") ?? 0) !== 0) bad.push(`${describe(at("expert_count"))} experts`);
  for (const name of ["rope.dimension_count", "attention.value_length"])
    if ((at(name) ?? headDim) !== headDim) bad.push(`${name} ${describe(at(name))} with heads of ${headDim}`);
  if (bad.length > 0) throw new DataError(`${file.path}: not supported: ${bad.join("; ")}`);
}

function describe(value: GgufValue | undefined): string {
  if (value === undefined) return "nothing";
  return typeof value === "string" ? JSON.stringify(value.slice(0, 100)) : String(value).slice(0, 100);
}
