import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { DataError } from "../utils/errors.ts";
import { adapterFor, isAdapterFolder } from "./adapter-files.ts";
import { mergedSource } from "./adapter-merge.ts";
import { checkConfig, type ModelConfig, parseModelConfig } from "./config.ts";
import { checkParameters, EMBEDDING, HEAD } from "./families.ts";
import { openFile } from "./file-reader.ts";
import { baseOf, findModel } from "./find-model.ts";
import { openGguf } from "./gguf.ts";
import { ggufConfig, ggufWeights } from "./gguf-model.ts";
import { ggufTokenizerFiles } from "./gguf-tokenizer.ts";
import { hubNameOf } from "./hub-cache.ts";
import type { Adapter } from "./lora.ts";
import { createTokenizer, type Tokenizer, type TokenizerFiles } from "./tokenizer.ts";
import { openSafetensorsFolder, readJsonFile, type WeightSource } from "./weights.ts";

/** A model on disk, opened and checked: sizes, tensors and tokenizer fit together. Weights are read one at a time, when asked for. */
export interface ModelFiles<T extends Tokenizer | null = Tokenizer> {
  /** Name of the folder or file, without extension; `ORG/NAME` for what lies in the hub's cache. */
  readonly name: string;
  /** Absolute path of the folder or GGUF file. */
  readonly path: string;
  readonly format: "safetensors" | "gguf" | "peft";
  readonly config: ModelConfig;
  readonly tokenizer: T;
  /** What `read` has added to the base model's weights; null for a whole model. */
  readonly adapter: Adapter | null;
  /** Hugging Face names of all parameters; `lm_head.weight` only when the head is not tied. */
  names(): string[];
  /** Matrices are [out, in]. */
  shape(name: string): readonly number[];
  /** One parameter as float32, row-major, in a fresh buffer of exactly its size. */
  read(name: string): Float32Array<ArrayBuffer>;
  /** Text of tokenizer.json and tokenizer_config.json (with the chat template); null when the model has no tokenizer. */
  tokenizerFiles(): TokenizerFiles | null;
  /** Lower-case SHA-256 of the bytes of the weight files, in the order of their names; streamed. */
  hash(): string;
  /** Closes the files; idempotent. */
  close(): void;
}

/** `optional`: a model without tokenizer files is opened with `tokenizer: null`. */
export interface OpenModelOptions {
  readonly tokenizer?: "required" | "optional";
}

/**
 * Opens a folder in Hugging Face's layout, a GGUF file, a folder that holds one GGUF file, a model by the name of its folder under `models/`
 * (of the package, then of the current folder), or one that was pulled from the hub by `ORG/NAME`. The folder of an adapter opens as its base
 * model with the adapter added to the weights, and with the base model's tokenizer.
 * @throws DataError that says what was looked for, or lists what does not fit
 */
export function openModel(path: string, options?: { readonly tokenizer?: "required" }): ModelFiles;
export function openModel(path: string, options: OpenModelOptions): ModelFiles<Tokenizer | null>;
export function openModel(path: string, options: OpenModelOptions = {}): ModelFiles<Tokenizer | null> {
  const found = findModel(path);
  const opened = openAny(found);
  try {
    return assemble(found, opened, options.tokenizer === "optional");
  } catch (error) {
    opened.source.close();
    throw error;
  }
}

interface Opened {
  readonly format: "safetensors" | "gguf" | "peft";
  readonly config: ModelConfig;
  readonly source: WeightSource;
  readonly files: TokenizerFiles | null;
  readonly adapter?: Adapter | null;
}

function openAny(path: string): Opened {
  if (!statSync(path).isDirectory()) return openGgufModel(path);
  if (!isAdapterFolder(path)) return openFolder(path);
  const name = baseOf(path);
  const base = openAny(findModel(name));
  try {
    const adapter = adapterFor(path, base.config, name);
    return { ...base, format: "peft", adapter, source: mergedSource(base.source, adapter, path) };
  } catch (error) {
    base.source.close();
    throw error;
  }
}

function openFolder(folder: string): Opened {
  const configPath = join(folder, "config.json");
  const generationPath = join(folder, "generation_config.json");
  const generation = existsSync(generationPath) ? readJsonFile(generationPath) : undefined;
  const config = parseModelConfig(readJsonFile(configPath), configPath, generation);
  const files = folderTokenizerFiles(folder);
  return { format: "safetensors", config, files, source: openSafetensorsFolder(folder) };
}

function openGgufModel(path: string): Opened {
  const file = openGguf(path);
  try {
    const config = ggufConfig(file);
    return { format: "gguf", config, files: ggufTokenizerFiles(file), source: ggufWeights(file, config) };
  } catch (error) {
    file.close();
    throw error;
  }
}

function assemble(
  path: string,
  { format, config, source, files, adapter = null }: Opened,
  isOptional: boolean,
): ModelFiles<Tokenizer | null> {
  const names = source.names().filter((name) => !(config.tied && name === HEAD));
  checkParameters(config, names, source.shape, path);
  if (names.length < source.names().length) checkTiedHead(source, path);
  if (files === null && !isOptional)
    throw new DataError(
      `${path}: has no tokenizer: tokenizer.json is missing; fetch it from where the weights came from`,
    );
  const tokenizer = files === null ? null : createTokenizer(files, config, path);
  return {
    name: hubNameOf(path) ?? basename(path, ".gguf"),
    path,
    format,
    config: tokenizer === null ? config : withTokenizer(config, tokenizer, path),
    tokenizer,
    adapter,
    names: () => [...names],
    shape: source.shape,
    read: source.read,
    tokenizerFiles: () => files,
    hash: () => hashFiles(source.files),
    close: source.close,
  };
}

/** Special ids of tokenizer and configuration become one set. @throws DataError when the tokenizer has ids that the embedding lacks */
function withTokenizer(config: ModelConfig, tokenizer: Tokenizer, path: string): ModelConfig {
  if (tokenizer.vocabSize > config.vocab)
    throw new DataError(
      `${path}: the tokenizer does not match the weights: it has ids up to ${tokenizer.vocabSize - 1}, the embedding has ${config.vocab} rows`,
    );
  const { bosId, eosIds, padId } = tokenizer;
  return checkConfig({ ...config, bosId, eosIds, padId }, path);
}

/** Some exports of tied models repeat the embedding as the head; a different head would be lost silently. */
function checkTiedHead(source: WeightSource, path: string): void {
  const [head, embedding] = [Buffer.from(source.read(HEAD).buffer), Buffer.from(source.read(EMBEDDING).buffer)];
  if (!head.equals(embedding))
    throw new DataError(`${path}: config.json ties the head to the embedding, but ${HEAD} differs from ${EMBEDDING}`);
}

/** tokenizer.json and tokenizer_config.json; a chat_template.jinja beside them wins over the template within. */
export function folderTokenizerFiles(folder: string): TokenizerFiles | null {
  const [main, config, jinja] = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"].map((name) =>
    join(folder, name),
  );
  if (!existsSync(main!)) return null;
  const tokenizerJson = readFileSync(main!, "utf8");
  const tokenizerConfigJson = existsSync(config!) ? readFileSync(config!, "utf8") : "{}";
  if (!existsSync(jinja!)) return { tokenizerJson, tokenizerConfigJson };
  const template = readFileSync(jinja!, "utf8");
  const base = existsSync(config!) ? readJsonFile(config!) : {};
  return {
    tokenizerJson,
    tokenizerConfigJson: JSON.stringify({ ...(base as object), chat_template: template }, null, 2),
  };
}

/** Lower-case SHA-256 of the bytes of files, one after the other; streamed. */
export function hashFiles(paths: readonly string[]): string {
  const hash = createHash("sha256");
  const chunk = new Uint8Array(1 << 20);
  for (const path of paths) {
    const file = openFile(path);
    try {
      for (let at = 0; at < file.size; at += chunk.length) {
        const part = chunk.subarray(0, Math.min(chunk.length, file.size - at));
        file.readAt(at, part, "its content");
        hash.update(part);
      }
    } finally {
      file.close();
    }
  }
  return hash.digest("hex");
}
