import { z } from "zod";
import { DataError } from "../utils/errors.ts";

/** Architectures that this engine can run, by the name that Hugging Face's config.json gives. */
export const ARCHITECTURES = {
  LlamaForCausalLM: "llama",
  Qwen2ForCausalLM: "qwen2",
  Qwen3ForCausalLM: "qwen3",
} as const;

/** One family of decoders: what its layers add to the common shape. */
export type Family = (typeof ARCHITECTURES)[keyof typeof ARCHITECTURES];

/** Sizes and constants of one decoder-only transformer (RMSNorm, rotary positions, grouped-query attention, SwiGLU). */
export interface ModelConfig {
  readonly family: Family;
  readonly layers: number;
  /** Size of the hidden state, `D`. */
  readonly width: number;
  /** Query heads, `H`. */
  readonly heads: number;
  /** Key and value heads; divides `heads`. */
  readonly kvHeads: number;
  /** Even; `heads * headDim` need not be `width`. */
  readonly headDim: number;
  /** Size of the SwiGLU hidden layer. */
  readonly ffWidth: number;
  /** Rows of the embedding, `V`; may be more than the tokenizer has ids. */
  readonly vocab: number;
  readonly ropeTheta: number;
  readonly normEps: number;
  /** The output head is the embedding matrix. */
  readonly tied: boolean;
  /** Query, key and value projections have biases (Qwen2). */
  readonly attentionBias: boolean;
  /** Queries and keys are normalised per head (Qwen3). */
  readonly qkNorm: boolean;
  readonly maxPositions: number;
  readonly bosId: number | null;
  /** Ids that end a completion; may be empty. */
  readonly eosIds: readonly number[];
  /** Fills the end of shorter rows; always masked. */
  readonly padId: number;
}

const positive = z
  .int()
  .positive()
  .max(2 ** 31);
const optionalId = z
  .int()
  .nullish()
  .transform((id) => (id === null || id === undefined || id < 0 ? null : id));
const idList = z
  .union([z.int(), z.array(z.int())])
  .nullish()
  .transform((ids) => (ids === null || ids === undefined ? [] : [ids].flat()).filter((id) => id >= 0));
const rope = z.looseObject({ rope_theta: z.number().positive().optional() }).nullish();

/** The keys of config.json that are read; defaults are those of transformers' configuration classes. */
const HfConfig = z.looseObject({
  architectures: z.array(z.string()).min(1),
  num_hidden_layers: positive.max(4096),
  hidden_size: positive,
  num_attention_heads: positive,
  num_key_value_heads: positive.nullish(),
  head_dim: positive.nullish(),
  intermediate_size: positive,
  vocab_size: positive,
  rope_theta: z.number().positive().nullish(),
  rope_scaling: rope,
  rope_parameters: rope,
  rms_norm_eps: z.number().positive().default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  use_sliding_window: z.boolean().nullish(),
  layer_types: z.array(z.string()).nullish(),
  partial_rotary_factor: z.number().default(1),
  hidden_act: z.string().default("silu"),
  quantization_config: z.unknown().optional(),
  max_position_embeddings: positive,
  bos_token_id: optionalId,
  eos_token_id: idList,
  pad_token_id: optionalId,
});
const GenerationConfig = z.looseObject({ eos_token_id: idList });

/**
 * Reads a Hugging Face config.json. Keys that would change the mathematics in a way this engine does not have are refused by name.
 * @param json the parsed file
 * @param where its path, for messages
 * @param generation the parsed generation_config.json beside it, if any: its end-of-sequence ids win
 * @throws DataError naming every problem at once
 */
export function parseModelConfig(json: unknown, where: string, generation?: unknown): ModelConfig {
  const architecture = architectureOf(json, where);
  const parsed = HfConfig.safeParse(json);
  if (!parsed.success)
    throw new DataError(`${where}: not a usable model configuration\n${z.prettifyError(parsed.error)}`);
  const hf = parsed.data;
  const refused = unsupported(hf, architecture);
  if (refused.length > 0) throw new DataError(`${where}: not supported for ${architecture}: ${refused.join("; ")}`);
  const eosIds = eosOf(generation, where) ?? hf.eos_token_id;
  return checkConfig(
    {
      family: ARCHITECTURES[architecture],
      layers: hf.num_hidden_layers,
      width: hf.hidden_size,
      heads: hf.num_attention_heads,
      kvHeads: hf.num_key_value_heads ?? hf.num_attention_heads,
      headDim: hf.head_dim ?? (architecture === "Qwen3ForCausalLM" ? 128 : hf.hidden_size / hf.num_attention_heads),
      ffWidth: hf.intermediate_size,
      vocab: hf.vocab_size,
      ropeTheta: hf.rope_parameters?.rope_theta ?? hf.rope_theta ?? 10000,
      normEps: hf.rms_norm_eps,
      tied: hf.tie_word_embeddings,
      attentionBias: architecture === "Qwen2ForCausalLM",
      qkNorm: architecture === "Qwen3ForCausalLM",
      maxPositions: hf.max_position_embeddings,
      bosId: hf.bos_token_id,
      eosIds,
      padId: hf.pad_token_id ?? eosIds[0] ?? 0,
    },
    where,
  );
}

/** The reverse of {@link parseModelConfig}: the content of a config.json that transformers reads too. */
export function toHfConfig(config: ModelConfig): Record<string, unknown> {
  const architecture = Object.entries(ARCHITECTURES).find(([, family]) => family === config.family)![0];
  return {
    architectures: [architecture],
    model_type: config.family,
    num_hidden_layers: config.layers,
    hidden_size: config.width,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.headDim,
    intermediate_size: config.ffWidth,
    vocab_size: config.vocab,
    rope_theta: config.ropeTheta,
    rope_scaling: null,
    rms_norm_eps: config.normEps,
    tie_word_embeddings: config.tied,
    // transformers' Qwen2 has its biases built in and no such key
    ...(config.family === "qwen2" ? {} : { attention_bias: false }),
    hidden_act: "silu",
    max_position_embeddings: config.maxPositions,
    bos_token_id: config.bosId,
    eos_token_id:
      config.eosIds.length === 0 ? null : config.eosIds.length === 1 ? config.eosIds[0] : [...config.eosIds],
    pad_token_id: config.padId,
  };
}

/** Checks what a schema of single fields cannot: how sizes fit together and that special ids lie in the vocabulary. */
export function checkConfig(config: ModelConfig, where: string): ModelConfig {
  const bad: string[] = [];
  if (!Number.isInteger(config.headDim) || config.headDim % 2 !== 0)
    bad.push(
      `head size must be an even integer, got ${config.headDim} (hidden size ${config.width}, ${config.heads} heads)`,
    );
  if (config.heads % config.kvHeads !== 0)
    bad.push(`${config.heads} attention heads cannot share ${config.kvHeads} key/value heads evenly`);
  const special = { bos: [config.bosId ?? 0], eos: config.eosIds, pad: [config.padId] };
  for (const [name, ids] of Object.entries(special))
    for (const id of ids)
      if (id >= config.vocab) bad.push(`${name} token id ${id} is outside the vocabulary of ${config.vocab} ids`);
  if (bad.length > 0) throw new DataError(`${where}: ${bad.join("; ")}`);
  return config;
}

function architectureOf(json: unknown, where: string): keyof typeof ARCHITECTURES {
  const parsed = z.looseObject({ architectures: z.array(z.string()).min(1) }).safeParse(json);
  if (!parsed.success) throw new DataError(`${where}: "architectures" is missing: is this a model's config.json?`);
  const name = parsed.data.architectures[0]!;
  if (!Object.hasOwn(ARCHITECTURES, name))
    throw new DataError(
      `${where}: architecture ${name} is not supported; supported: ${Object.keys(ARCHITECTURES).join(", ")}`,
    );
  return name as keyof typeof ARCHITECTURES;
}

function unsupported(hf: z.output<typeof HfConfig>, architecture: keyof typeof ARCHITECTURES): string[] {
  const bad: string[] = [];
  for (const key of ["rope_scaling", "rope_parameters"] as const) {
    const type = hf[key]?.rope_type ?? hf[key]?.type ?? "default";
    if (type !== "default") bad.push(`${key} of type ${JSON.stringify(type)} (only plain rotary positions are)`);
    const partial = hf[key]?.partial_rotary_factor ?? 1;
    if (partial !== 1) bad.push(`${key}.partial_rotary_factor ${JSON.stringify(partial)}`);
  }
  if (hf.attention_bias && architecture !== "Qwen2ForCausalLM") bad.push("attention_bias true");
  if (hf.mlp_bias) bad.push("mlp_bias true");
  if (hf.use_sliding_window) bad.push("use_sliding_window true");
  const type = hf.layer_types?.find((name) => name !== "full_attention");
  if (type !== undefined) bad.push(`layer_types ${JSON.stringify(type)}`);
  if (hf.partial_rotary_factor !== 1) bad.push(`partial_rotary_factor ${hf.partial_rotary_factor}`);
  if (hf.hidden_act !== "silu") bad.push(`hidden_act ${JSON.stringify(hf.hidden_act)} (only "silu" is)`);
  if (hf.quantization_config !== undefined && hf.quantization_config !== null) bad.push("quantization_config");
  return bad;
}

function eosOf(generation: unknown, where: string): number[] | null {
  if (generation === undefined) return null;
  const parsed = GenerationConfig.safeParse(generation);
  if (!parsed.success)
    throw new DataError(`${where}: generation_config.json beside it is malformed\n${z.prettifyError(parsed.error)}`);
  return parsed.data.eos_token_id.length > 0 ? parsed.data.eos_token_id : null;
}
