import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { DataError, messageOf } from "../utils/errors.ts";
import { openSafetensors, type SafetensorsFile } from "./safetensors.ts";

/** Named tensors of one model, whatever file holds them; names and layouts are Hugging Face's. */
export interface WeightSource {
  /** Files that hold the weights, in a fixed order. */
  readonly files: readonly string[];
  names(): string[];
  /** @throws DataError for an unknown name */
  shape(name: string): readonly number[];
  /** Reads one tensor as float32 into a fresh buffer of exactly its size. */
  read(name: string): Float32Array<ArrayBuffer>;
  close(): void;
}

/** Old Llama exports carry this buffer; it is computed, not learned. */
const COMPUTED = /\.rotary_emb\.inv_freq$/;
const ShardIndex = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/**
 * Opens the safetensors weights of a model folder: `model.safetensors`, or the shards that `model.safetensors.index.json` names.
 * @throws DataError when neither is there, a shard is missing, or the index and the shards disagree
 */
export function openSafetensorsFolder(folder: string): WeightSource {
  const single = join(folder, "model.safetensors");
  const index = join(folder, "model.safetensors.index.json");
  if (existsSync(single)) return sourceOf([openSafetensors(single)]);
  if (existsSync(index)) return openShards(folder, index);
  const pickled = existsSync(join(folder, "pytorch_model.bin"))
    ? " (pytorch_model.bin is not read: save the model as safetensors)"
    : "";
  throw new DataError(`${folder}: has neither model.safetensors nor model.safetensors.index.json${pickled}`);
}

/** Parses a JSON file. @throws DataError naming it */
export function readJsonFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new DataError(`${path}: cannot be read as JSON: ${messageOf(error)}`, { cause: error });
  }
}

/** Names of the shards that the content of a model.safetensors.index.json lists, sorted, and the shard of each tensor. @throws DataError */
export function readShardIndex(index: string): { readonly names: string[]; readonly map: [string, string][] } {
  const parsed = ShardIndex.safeParse(readJsonFile(index));
  if (!parsed.success) throw new DataError(`${index}: is malformed\n${z.prettifyError(parsed.error).slice(0, 2000)}`);
  const map = Object.entries(parsed.data.weight_map);
  const names = [...new Set(map.map(([, file]) => file))].sort();
  const outside = names.find((name) => name !== basename(name) || name === "" || name === "..");
  if (outside !== undefined)
    throw new DataError(`${index}: shard ${JSON.stringify(outside)} is not a file name in this folder`);
  return { names, map };
}

function openShards(folder: string, index: string): WeightSource {
  const { names, map } = readShardIndex(index);
  const missing = names.filter((name) => !existsSync(join(folder, name)));
  if (missing.length > 0) throw new DataError(`${index}: missing shards: ${missing.join(", ")}: fetch the model again`);
  const shards: SafetensorsFile[] = [];
  try {
    for (const name of names) shards.push(openSafetensors(join(folder, name)));
    for (const [tensor, name] of map)
      if (!shards[names.indexOf(name)]!.tensors.has(tensor))
        throw new DataError(`${index}: tensor ${tensor} is not in ${name}`);
    return sourceOf(shards);
  } catch (error) {
    for (const shard of shards) shard.close();
    throw error;
  }
}

function sourceOf(shards: readonly SafetensorsFile[]): WeightSource {
  const owner = new Map<string, SafetensorsFile>();
  for (const shard of shards)
    for (const name of shard.tensors.keys()) {
      if (COMPUTED.test(name)) continue;
      if (owner.has(name)) throw new DataError(`${shard.path}: tensor ${name} is in ${owner.get(name)!.path} too`);
      owner.set(name, shard);
    }
  const find = (name: string): SafetensorsFile => {
    const shard = owner.get(name);
    if (!shard) throw new DataError(`${dirname(shards[0]?.path ?? "")}: has no tensor ${name}`);
    return shard;
  };
  return {
    files: shards.map((shard) => shard.path),
    names: () => [...owner.keys()],
    shape: (name) => find(name).tensors.get(name)!.shape,
    read: (name) => find(name).read(name),
    close() {
      for (const shard of shards) shard.close();
    },
  };
}
