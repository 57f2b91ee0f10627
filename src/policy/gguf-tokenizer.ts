import { DataError } from "../utils/errors.ts";
import type { GgufFile } from "./gguf.ts";
import { specialId } from "./gguf-model.ts";
import { BYTE_LETTERS, splitBy } from "./pre-tokenizer.ts";
import type { TokenizerFiles } from "./tokenizer.ts";

/** How a named GGUF pre-tokeniser splits text, in the terms of tokenizer.json. */
interface Splitting {
  readonly normalizer: unknown;
  readonly preTokenizer: unknown;
  /** A piece that is in the vocabulary is one token, whatever the merges say. */
  readonly ignoreMerges: boolean;
}

const GPT2 = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
const words = (numbers: string): unknown => ({
  type: "Sequence",
  pretokenizers: [
    splitBy(
      `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${numbers}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
    ),
    BYTE_LETTERS,
  ],
});
/** By the value of `tokenizer.ggml.pre`. */
const SPLITTINGS: Record<string, Splitting> = {
  "gpt-2": { normalizer: null, preTokenizer: GPT2, ignoreMerges: false },
  smollm: {
    normalizer: null,
    preTokenizer: { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, GPT2] },
    ignoreMerges: false,
  },
  qwen2: { normalizer: { type: "NFC" }, preTokenizer: words("\\p{N}"), ignoreMerges: false },
  "llama-bpe": { normalizer: null, preTokenizer: words("\\p{N}{1,3}"), ignoreMerges: true },
};
/** Values of `tokenizer.ggml.token_type`. */
const [CONTROL, USER_DEFINED, UNUSED] = [3, 4, 5];

/**
 * Turns the vocabulary, merges, special tokens and chat template of a GGUF file into tokenizer.json and tokenizer_config.json.
 * Byte-level BPE only. Tokens of the types "control" and "user defined" become added tokens; "unused" ones are left out.
 * @returns null when the file has no tokenizer
 * @throws DataError naming the metadata key
 */
export function ggufTokenizerFiles(file: GgufFile): TokenizerFiles | null {
  const model = file.metadata.get("tokenizer.ggml.model");
  if (model === undefined) return null;
  if (model !== "gpt2")
    throw new DataError(
      `${file.path}: metadata tokenizer.ggml.model ${show(model)} is not supported; supported: "gpt2" (byte-level BPE)`,
    );
  const splitting = splittingOf(file);
  const tokens = texts(file, "tokenizer.ggml.tokens");
  const types = tokenTypes(file, tokens.length);
  const normal = tokens.map((text, id): [string, number] => [text, id]).filter(([, id]) => types[id] !== UNUSED);
  const added = normal
    .filter(([, id]) => types[id] === CONTROL || types[id] === USER_DEFINED)
    .map(([content, id]) => ({
      ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false },
      special: types[id] === CONTROL,
    }));
  const merges = texts(file, "tokenizer.ggml.merges").map((merge, index) => splitMerge(file, merge, index));
  const tokenizer = {
    ...{ version: "1.0", truncation: null, padding: null, added_tokens: added },
    normalizer: splitting.normalizer,
    pre_tokenizer: splitting.preTokenizer,
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      ...{ type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: "", end_of_word_suffix: "" },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: splitting.ignoreMerges },
      vocab: Object.fromEntries(normal),
      merges,
    },
  };
  return { tokenizerJson: JSON.stringify(tokenizer), tokenizerConfigJson: tokenizerConfig(file, tokens) };
}

function tokenizerConfig(file: GgufFile, tokens: readonly string[]): string {
  const config: Record<string, unknown> = {
    tokenizer_class: "PreTrainedTokenizerFast",
    clean_up_tokenization_spaces: false,
    add_prefix_space: false,
  };
  for (const [key, name] of [
    ["bos_token", "bos"],
    ["eos_token", "eos"],
    ["pad_token", "padding"],
    ["unk_token", "unknown"],
  ] as const) {
    const id = specialId(file, name);
    if (id === null) continue;
    if (tokens[id] === undefined)
      throw new DataError(
        `${file.path}: metadata tokenizer.ggml.${name}_token_id is ${id}, but there are ${tokens.length} tokens`,
      );
    config[key] = tokens[id];
  }
  const template = file.metadata.get("tokenizer.chat_template");
  if (template !== undefined && typeof template !== "string")
    throw new DataError(`${file.path}: metadata tokenizer.chat_template must be text`);
  if (template !== undefined) config.chat_template = template;
  return JSON.stringify(config, null, 2);
}

function splittingOf(file: GgufFile): Splitting {
  const name = file.metadata.get("tokenizer.ggml.pre");
  if (typeof name === "string" && Object.hasOwn(SPLITTINGS, name)) return SPLITTINGS[name]!;
  throw new DataError(
    `${file.path}: metadata tokenizer.ggml.pre ${show(name)} is not supported; supported: ${Object.keys(SPLITTINGS).join(", ")}. Use the model's original folder instead`,
  );
}

function texts(file: GgufFile, key: string): string[] {
  const value = file.metadata.get(key);
  if (!Array.isArray(value) || !value.every((item): item is string => typeof item === "string"))
    throw new DataError(`${file.path}: metadata ${key} must be a list of texts`);
  return value;
}

function tokenTypes(file: GgufFile, count: number): readonly unknown[] {
  const value = file.metadata.get("tokenizer.ggml.token_type") ?? [];
  if (!Array.isArray(value) || (value.length > 0 && value.length !== count))
    throw new DataError(
      `${file.path}: metadata tokenizer.ggml.token_type must be a list of ${count} numbers, one a token`,
    );
  return value;
}

function splitMerge(file: GgufFile, merge: string, index: number): [string, string] {
  const at = merge.indexOf(" ", 1);
  if (at < 1 || at === merge.length - 1)
    throw new DataError(`${file.path}: entry ${index} of metadata tokenizer.ggml.merges is not a pair: ${show(merge)}`);
  return [merge.slice(0, at), merge.slice(at + 1)];
}

function show(value: unknown): string {
  return value === undefined ? "(missing)" : JSON.stringify(String(value).slice(0, 100));
}
