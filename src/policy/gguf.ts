import { DataError } from "../utils/errors.ts";
import { type Claim, checkClaims, elementCount, type FileReader, openFile } from "./file-reader.ts";
import { GgufCursor } from "./gguf-cursor.ts";
import { BLOCK_TYPES, type BlockType } from "./quantized.ts";

/** A metadata value; 64-bit integers are numbers where they are exact, else bigints. */
export type GgufValue = string | number | bigint | boolean | readonly GgufValue[];

/** One tensor as the header describes it. */
export interface GgufTensor extends Claim {
  readonly type: BlockType;
  /** Row-major, slowest first: the reverse of the file's order, so matrices are [out, in]. */
  readonly shape: readonly number[];
}

/** An open GGUF file: metadata and tensor table are read and checked, the data are not read. */
export interface GgufFile {
  readonly path: string;
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Reads one tensor into a fresh buffer of its own, dequantised to float32. */
  read(name: string): Float32Array<ArrayBuffer>;
  close(): void;
}

const MAGIC = 0x46554747; // "GGUF"
const MAX_ENTRIES = 1 << 20;
const CHUNK_VALUES = 1 << 18; // values dequantised at a time, a multiple of every block size

/**
 * Opens a GGUF file (versions 2 and 3, little-endian). No allocation follows a claim of the file without being held
 * against its size first.
 * @throws DataError naming file, offset and what was being read
 */
export function openGguf(path: string): GgufFile {
  const file = openFile(path);
  try {
    const { version, metadata, tensors } = readTables(file);
    return {
      path,
      version,
      metadata,
      tensors,
      read(name) {
        const tensor = tensors.get(name);
        if (!tensor) throw new DataError(`${path}: has no tensor ${name}`);
        return readTensor(file, tensor);
      },
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

function readTables(file: FileReader): Pick<GgufFile, "version" | "metadata" | "tensors"> {
  const cursor = new GgufCursor(file);
  if (cursor.uint32("the magic number") !== MAGIC)
    throw new DataError(`${file.path}: at offset 0: not a GGUF file (it does not begin with "GGUF")`);
  const version = cursor.uint32("the version");
  if (version !== 2 && version !== 3)
    throw new DataError(
      `${file.path}: at offset 4: GGUF version ${version} cannot be read; versions 2 and 3 (little-endian) can`,
    );
  const tensorCount = cursor.count("the number of tensors", 24, MAX_ENTRIES);
  const entryCount = cursor.count("the number of metadata entries", 13, MAX_ENTRIES);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entryCount; i++) {
    const key = cursor.string(`key ${i} of the metadata`);
    if (metadata.has(key))
      throw new DataError(`${file.path}: at offset ${cursor.offset}: metadata ${key} occurs twice`);
    metadata.set(key, cursor.value(cursor.uint32(`the type of ${key}`), `metadata ${key}`));
  }
  const table: TableRow[] = [];
  for (let i = 0; i < tensorCount; i++) table.push(readRow(cursor, i));
  const alignment = metadata.get("general.alignment") ?? 32;
  if (typeof alignment !== "number" || alignment < 1 || alignment > 1 << 20 || !Number.isInteger(Math.log2(alignment)))
    throw new DataError(`${file.path}: metadata general.alignment must be a power of two, got ${String(alignment)}`);
  const dataBegin = Math.ceil(cursor.offset / alignment) * alignment;
  return { version, metadata, tensors: locate(table, file, dataBegin, alignment) };
}

interface TableRow {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  /** Relative to the data section. */
  readonly offset: number;
  /** Where this row stands in the file. */
  readonly at: number;
}

function readRow(cursor: GgufCursor, index: number): TableRow {
  const at = cursor.offset;
  const name = cursor.string(`the name of tensor ${index}`);
  const dimensions = cursor.uint32(`the rank of tensor ${name}`);
  if (dimensions > 4) throw cursor.error(`tensor ${name} has ${dimensions} dimensions, at most 4 are allowed`);
  const shape: number[] = [];
  for (let i = 0; i < dimensions; i++) shape.unshift(cursor.uint64(`the shape of tensor ${name}`));
  const type = cursor.uint32(`the type of tensor ${name}`);
  return { name, shape, type, offset: cursor.uint64(`the offset of tensor ${name}`), at };
}

function locate(
  table: readonly TableRow[],
  file: FileReader,
  dataBegin: number,
  alignment: number,
): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  for (const { name, shape, type: number, offset, at } of table) {
    const where = `${file.path}: tensor ${name} (described at offset ${at})`;
    const type = BLOCK_TYPES.get(number);
    if (!type) {
      const known = [...BLOCK_TYPES.values()].map((block) => block.name).join(", ");
      throw new DataError(`${where} has type number ${number}, which cannot be read; readable: ${known}`);
    }
    if (tensors.has(name)) throw new DataError(`${where} occurs twice`);
    const count = elementCount(shape, where);
    if ((shape.at(-1) ?? 1) % type.values !== 0)
      throw new DataError(
        `${where}: rows of ${shape.at(-1)} values cannot be made of ${type.name} blocks of ${type.values}`,
      );
    if (offset % alignment !== 0)
      throw new DataError(`${where}: data offset ${offset} is not a multiple of ${alignment}`);
    const begin = dataBegin + offset;
    tensors.set(name, { name, type, shape, begin, end: begin + (count / type.values) * type.bytes });
  }
  checkClaims(tensors.values(), file, dataBegin);
  return tensors;
}

function readTensor(file: FileReader, tensor: GgufTensor): Float32Array<ArrayBuffer> {
  const { type } = tensor;
  const out = new Float32Array(elementCount(tensor.shape, file.path));
  if (type.name === "F32") {
    file.readAt(tensor.begin, new Uint8Array(out.buffer), `tensor ${tensor.name}`);
    return out;
  }
  for (let from = 0; from < out.length; from += CHUNK_VALUES) {
    const values = Math.min(CHUNK_VALUES, out.length - from);
    const bytes = new Uint8Array((values / type.values) * type.bytes);
    file.readAt(tensor.begin + (from / type.values) * type.bytes, bytes, `tensor ${tensor.name}`);
    type.dequantize(bytes, out.subarray(from, from + values));
  }
  return out;
}
