import { join } from "node:path";
import { DataError } from "../utils/errors.ts";
import { writeFileAtomic } from "../utils/files.ts";
import { type ModelConfig, toHfConfig } from "./config.ts";
import { checkParameters, parameterShapes } from "./families.ts";
import { type TensorData, writeSafetensors } from "./safetensors-write.ts";
import type { TokenizerFiles } from "./tokenizer.ts";

/** A model to write as a folder. */
export interface ModelToSave {
  readonly config: ModelConfig;
  /** All parameters of the configuration; give functions to have them made one at a time. */
  readonly tensors: Iterable<{ readonly name: string; readonly data: TensorData | (() => TensorData) }>;
  /** Narrowing rounds to nearest even. */
  readonly dtype: "F32" | "BF16" | "F16";
  readonly tokenizerFiles: TokenizerFiles | null;
}

const TORCH_DTYPE = { F32: "float32", BF16: "bfloat16", F16: "float16" };

/**
 * Writes a folder that `openModel` and Python's transformers load: model.safetensors, tokenizer files, and config.json last, so that a folder
 * with a config.json is complete. The same content gives the same bytes.
 * @throws DataError when tensors are missing, surplus or of the wrong length
 */
export function saveModelFolder(folder: string, { config, tensors, dtype, tokenizerFiles }: ModelToSave): void {
  const list = [...tensors];
  const shapes = parameterShapes(config);
  checkParameters(
    config,
    list.map(({ name }) => name),
    (name) => shapes.get(name)!,
    folder,
  );
  const duplicate = list.find(({ name }, index) => list.findIndex((other) => other.name === name) !== index);
  if (duplicate) throw new DataError(`${folder}: tensor ${duplicate.name} is given twice`);
  writeSafetensors(
    join(folder, "model.safetensors"),
    list.map(({ name, data }) => ({ name, data, dtype, shape: shapes.get(name)! })),
    { format: "pt" },
  );
  if (tokenizerFiles !== null) {
    writeFileAtomic(join(folder, "tokenizer.json"), tokenizerFiles.tokenizerJson);
    writeFileAtomic(join(folder, "tokenizer_config.json"), tokenizerFiles.tokenizerConfigJson);
  }
  const json = { ...toHfConfig(config), torch_dtype: TORCH_DTYPE[dtype] };
  writeFileAtomic(join(folder, "config.json"), `${JSON.stringify(json, null, 2)}\n`);
}
