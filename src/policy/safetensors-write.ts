import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DataError } from "../utils/errors.ts";
import { toBf16, toF16 } from "../utils/f16.ts";
import { writeFully } from "../utils/files.ts";
import { elementCount } from "./file-reader.ts";
import type { FloatDtype } from "./safetensors.ts";

/** Values of a tensor: an array, or a function that makes it when its turn to be written comes. */
export type TensorData = Float32Array | Float64Array;

/** One tensor to write. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: FloatDtype;
  readonly shape: readonly number[];
  readonly data: TensorData | (() => TensorData);
}

const SIZE: Record<FloatDtype, number> = { F32: 4, F16: 2, BF16: 2, F64: 8 };
const CHUNK = 1 << 18; // elements converted at a time

/**
 * Writes a safetensors file beside `path` and renames it, tensor by tensor. Larger element types come first, then names in code-unit order,
 * so that equal content gives equal bytes and every tensor is aligned. Narrowing rounds to nearest, ties to even.
 * @throws DataError when values and shape differ in length, a name occurs twice, or a finite value overflows F16
 */
export function writeSafetensors(
  path: string,
  tensors: Iterable<TensorToWrite>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const sorted = [...tensors].sort((a, b) => SIZE[b.dtype] - SIZE[a.dtype] || (a.name < b.name ? -1 : 1));
  const header = headerOf(sorted, metadata, path);
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.part`;
  const file = openSync(temporary, "w");
  try {
    writeFully(file, header);
    for (const tensor of sorted) writeTensor(file, tensor, path);
    fsyncSync(file);
  } catch (error) {
    closeSync(file);
    rmSync(temporary, { force: true });
    throw error;
  }
  closeSync(file);
  renameSync(temporary, path);
}

function headerOf(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>>,
  path: string,
): Uint8Array {
  const entries: [string, unknown][] = [];
  const sortedMetadata = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  if (sortedMetadata.length > 0) entries.push(["__metadata__", Object.fromEntries(sortedMetadata)]);
  const seen = new Set(["__metadata__"]);
  let at = 0;
  for (const { name, dtype, shape } of tensors) {
    if (seen.has(name)) throw new DataError(`${path}: tensor name ${name} is reserved or occurs twice`);
    seen.add(name);
    const end = at + elementCount(shape, `${path}: tensor ${name}`) * SIZE[dtype];
    entries.push([name, { dtype, shape, data_offsets: [at, end] }]);
    at = end;
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil(json.length / 8) * 8; // padded with spaces, so that the data are aligned
  const header = Buffer.alloc(8 + length, " ");
  header.writeBigUInt64LE(BigInt(length), 0);
  json.copy(header, 8);
  return header;
}

function writeTensor(file: number, tensor: TensorToWrite, path: string): void {
  const data = typeof tensor.data === "function" ? tensor.data() : tensor.data;
  const where = `${path}: tensor ${tensor.name}`;
  const count = elementCount(tensor.shape, where);
  if (data.length !== count)
    throw new DataError(`${where}: shape [${tensor.shape}] needs ${count} values, got ${data.length}`);
  if (tensor.dtype === "F32" && data instanceof Float32Array) {
    writeFully(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return;
  }
  for (let from = 0; from < count; from += CHUNK) {
    const part = narrow(data.subarray(from, Math.min(count, from + CHUNK)), tensor.dtype, where);
    writeFully(file, new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  }
}

function narrow(values: TensorData, dtype: FloatDtype, where: string): Float32Array | Float64Array | Uint16Array {
  if (dtype === "F32") return Float32Array.from(values);
  if (dtype === "F64") return Float64Array.from(values);
  if (dtype === "BF16") return Uint16Array.from(values, toBf16);
  const bits = Uint16Array.from(values, toF16);
  const overflow = bits.findIndex((half, i) => (half & 0x7fff) === 0x7c00 && Number.isFinite(values[i]!));
  if (overflow >= 0) throw new DataError(`${where}: value ${values[overflow]} does not fit float16: write BF16 or F32`);
  return bits;
}
