import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { cachedModels, hubCache, type ModelConfig, openModel } from "../policy/index.ts";
import { saveModelFolder } from "../policy/model-save.ts";
import { ConfigError, DataError } from "../utils/errors.ts";

/** One line of `rlvr models list`. */
export interface ModelEntry {
  readonly name: string;
  readonly path: string;
  readonly family: string;
  readonly parameters: number;
  readonly bytes: number;
  /** What is wrong with it, when it cannot be opened. */
  readonly problem: string | null;
}

/** What `rlvr models inspect` shows. */
export interface ModelReport extends ModelEntry {
  readonly format: string;
  readonly config: ModelConfig;
  readonly tokenizer: {
    readonly ids: number;
    readonly bos: number | null;
    readonly eos: readonly number[];
    readonly chat: boolean;
  } | null;
  readonly sha256: string;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

const packageModels = fileURLToPath(new URL("../../models", import.meta.url));

/** Models in the package's `models/`, in that of the current folder, and in the hub's cache, whoever pulled them. */
export function listModels(): ModelEntry[] {
  const parents = [...new Set([packageModels, resolve("models")])].filter((parent) => existsSync(parent));
  const here = parents.flatMap((parent) =>
    readdirSync(parent)
      .filter((name) => statSync(join(parent, name)).isDirectory() || name.endsWith(".gguf"))
      .sort()
      .map((name) => entryOf(name, join(parent, name))),
  );
  return [...here, ...cachedModels({ cache: hubCache() }).map(({ name, folder }) => entryOf(name, folder))];
}

function entryOf(name: string, path: string): ModelEntry {
  try {
    const { tensors: _tensors, config: _config, ...entry } = inspectModel(path, false);
    return { ...entry, name };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { name, path, family: "?", parameters: 0, bytes: sizeOf(path), problem: error.message };
  }
}

/** Opens a model and describes it. @throws DataError when it is missing, damaged or not supported */
export function inspectModel(model: string, withHash = true): ModelReport {
  const files = openModel(model, { tokenizer: "optional" });
  try {
    const { tokenizer } = files;
    const tensors = files.names().map((name) => ({ name, shape: files.shape(name) }));
    return {
      name: files.name,
      path: files.path,
      format: files.format,
      family: files.config.family,
      parameters: tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0),
      bytes: sizeOf(files.path),
      problem: null,
      config: files.config,
      tokenizer: tokenizer && {
        ids: tokenizer.vocabSize,
        bos: tokenizer.bosId,
        eos: tokenizer.eosIds,
        chat: tokenizer.hasChatTemplate,
      },
      sha256: withHash ? files.hash() : "",
      tensors,
    };
  } finally {
    files.close();
  }
}

/** @throws ConfigError when a folder to write into holds something already, or is a file */
export function requireEmpty(out: string): void {
  if (!existsSync(out)) return;
  if (!statSync(out).isDirectory()) throw new ConfigError(`${out}: is a file; choose another folder with --out`);
  if (readdirSync(out).length > 0) throw new ConfigError(`${out}: is not empty; choose another folder with --out`);
}

/** Writes a model, or an adapter merged into its base, as a safetensors folder. @throws ConfigError when the folder is not empty, DataError when the model cannot be read */
export function convertModel(model: string, out: string, dtype: "F32" | "BF16" | "F16"): void {
  requireEmpty(out);
  const files = openModel(model, { tokenizer: "optional" });
  try {
    const tensors = files.names().map((name) => ({ name, data: () => files.read(name) }));
    saveModelFolder(out, { config: files.config, tensors, dtype, tokenizerFiles: files.tokenizerFiles() });
  } finally {
    files.close();
  }
}

function sizeOf(path: string): number {
  const entry = statSync(path, { throwIfNoEntry: false }); // a link of the hub's cache may lead nowhere
  if (!entry?.isDirectory()) return entry?.size ?? 0;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
