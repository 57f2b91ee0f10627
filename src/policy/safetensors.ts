import { z } from "zod";
import { DataError, messageOf } from "../utils/errors.ts";
import { bf16ToF32, f16ToF32 } from "../utils/f16.ts";
import { type Claim, checkClaims, elementCount, type FileReader, openFile } from "./file-reader.ts";

/** Element types that can be turned into float32. */
export type FloatDtype = "F32" | "F16" | "BF16" | "F64";

/** Bytes of one element, for every type of the format whose size is a whole number of bytes. */
const BYTES: Record<string, number> = {
  ...{ BOOL: 1, U8: 1, I8: 1, F8_E5M2: 1, F8_E4M3: 1, I16: 2, U16: 2, F16: 2, BF16: 2 },
  ...{ I32: 4, U32: 4, F32: 4, F64: 8, I64: 8, U64: 8, C64: 8 },
};
/** Longest header that the format allows. */
const MAX_HEADER = 100_000_000;
const CHUNK = 1 << 19; // elements converted at a time

/** One tensor as its header describes it. */
export interface TensorInfo extends Claim {
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** An open safetensors file: the header is read and checked, the data are not read. */
export interface SafetensorsFile {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Reads one tensor into a fresh buffer of its own, widened or rounded to float32. */
  read(name: string): Float32Array<ArrayBuffer>;
  /** Reads one F64 or F32 tensor into a fresh buffer of float64. */
  readFloat64(name: string): Float64Array<ArrayBuffer>;
  close(): void;
}

const Header = z.record(
  z.string(),
  z.object({
    dtype: z.string(),
    shape: z.array(z.int().nonnegative()),
    data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
  }),
);

/**
 * Opens a safetensors file and checks its header: length, JSON, types, and that the tensors fill the data section
 * exactly. Nothing is allocated on a header's word: all sizes are first held against the file's.
 * @throws DataError naming file, tensor and offset
 */
export function openSafetensors(path: string): SafetensorsFile {
  const file = openFile(path);
  try {
    const { metadata, tensors } = readHeader(file);
    const info = (name: string): TensorInfo => {
      const found = tensors.get(name);
      if (!found) throw new DataError(`${path}: has no tensor ${name}`);
      return found;
    };
    return {
      path,
      metadata,
      tensors,
      read: (name) => readFloat32(file, info(name)),
      readFloat64: (name) => readFloat64(file, info(name)),
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

function readHeader(file: FileReader): { metadata: Record<string, string>; tensors: Map<string, TensorInfo> } {
  const start = new Uint8Array(8);
  file.readAt(0, start, "the header length");
  const length = Number(new DataView(start.buffer).getBigUint64(0, true));
  if (length > MAX_HEADER || length > file.size - 8 || length < 2)
    throw new DataError(
      `${file.path}: at offset 0: a header of ${length} bytes is claimed, the file has ${file.size}: cut off, corrupt or not a safetensors file`,
    );
  const bytes = new Uint8Array(length);
  file.readAt(8, bytes, "the header");
  const { __metadata__: metadata, ...entries } = parseObject(bytes, file.path);
  const parsedMetadata = z.record(z.string(), z.string()).optional().safeParse(metadata);
  if (!parsedMetadata.success) throw new DataError(`${file.path}: header (offset 8): __metadata__ is not text by name`);
  const parsed = Header.safeParse(entries);
  if (!parsed.success)
    throw new DataError(
      `${file.path}: header (offset 8) is malformed\n${z.prettifyError(parsed.error).slice(0, 2000)}`,
    );
  const dataBegin = 8 + length;
  const tensors = new Map<string, TensorInfo>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(parsed.data))
    tensors.set(name, { name, dtype, shape, begin: dataBegin + data_offsets[0], end: dataBegin + data_offsets[1] });
  checkTensors(tensors, file, dataBegin);
  return { metadata: parsedMetadata.data ?? {}, tensors };
}

function parseObject(bytes: Uint8Array, path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (value !== null && typeof value === "object" && !Array.isArray(value)) return { ...value };
  } catch (error) {
    throw new DataError(`${path}: header (offset 8) is not JSON: ${messageOf(error).slice(0, 200)}`, { cause: error });
  }
  throw new DataError(`${path}: header (offset 8) is not a JSON object`);
}

function checkTensors(tensors: ReadonlyMap<string, TensorInfo>, file: FileReader, dataBegin: number): void {
  for (const { name, dtype, shape, begin, end } of tensors.values()) {
    const size = Object.hasOwn(BYTES, dtype) ? BYTES[dtype] : undefined;
    const where = `${file.path}: tensor ${name} at offset ${begin}`;
    if (size === undefined) throw new DataError(`${where}: unknown type ${dtype}`);
    const bytes = elementCount(shape, where) * size;
    if (bytes !== end - begin)
      throw new DataError(
        `${where}: ${dtype} of shape [${shape}] needs ${bytes} bytes, the header gives ${end - begin}`,
      );
  }
  let at = dataBegin;
  for (const { name, begin, end } of checkClaims(tensors.values(), file, dataBegin)) {
    if (begin !== at)
      throw new DataError(`${file.path}: bytes ${at} to ${begin} before tensor ${name} belong to no tensor`);
    at = end;
  }
  if (at !== file.size)
    throw new DataError(
      `${file.path}: the tensors end at offset ${at}, the file at ${file.size}: the header is corrupt`,
    );
}

function readFloat32(file: FileReader, info: TensorInfo): Float32Array<ArrayBuffer> {
  const out = new Float32Array(elementCount(info.shape, file.path));
  if (info.dtype === "F32") {
    file.readAt(info.begin, new Uint8Array(out.buffer), `tensor ${info.name}`);
  } else if (info.dtype === "F64") {
    inChunks(
      file,
      info,
      (count) => new Float64Array(count),
      (part, from) => out.set(part, from),
    );
  } else if (info.dtype === "F16" || info.dtype === "BF16") {
    const widen = info.dtype === "F16" ? f16ToF32 : bf16ToF32;
    inChunks(
      file,
      info,
      (count) => new Uint16Array(count),
      (part, from) => widen(part, out.subarray(from, from + part.length)),
    );
  } else throw notFloat(file, info, "F32, F16, BF16 and F64");
  return out;
}

function readFloat64(file: FileReader, info: TensorInfo): Float64Array<ArrayBuffer> {
  if (info.dtype === "F32") return Float64Array.from(readFloat32(file, info));
  if (info.dtype !== "F64") throw notFloat(file, info, "F64 and F32");
  const out = new Float64Array(elementCount(info.shape, file.path));
  file.readAt(info.begin, new Uint8Array(out.buffer), `tensor ${info.name}`);
  return out;
}

function inChunks<T extends Uint16Array<ArrayBuffer> | Float64Array<ArrayBuffer>>(
  file: FileReader,
  info: TensorInfo,
  make: (count: number) => T,
  use: (part: T, from: number) => void,
): void {
  const total = elementCount(info.shape, file.path);
  for (let from = 0; from < total; from += CHUNK) {
    const part = make(Math.min(CHUNK, total - from));
    file.readAt(info.begin + from * part.BYTES_PER_ELEMENT, new Uint8Array(part.buffer), `tensor ${info.name}`);
    use(part, from);
  }
}

function notFloat(file: FileReader, info: TensorInfo, readable: string): DataError {
  return new DataError(
    `${file.path}: tensor ${info.name} at offset ${info.begin} has type ${info.dtype}; ${readable} can be read: convert the model first`,
  );
}
