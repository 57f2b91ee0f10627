import { writeFileSync } from "node:fs";

/** GGUF's value type numbers that tests write. */
const TYPES = { u32: 4, i32: 5, f32: 6, bool: 7, text: 8, list: 9, u64: 10 } as const;

/** A metadata value with its type. */
export type Meta =
  | { readonly u32: number }
  | { readonly u64: bigint }
  | { readonly i32: number }
  | { readonly f32: number }
  | { readonly bool: boolean }
  | { readonly text: string }
  | { readonly list: readonly Meta[] };

/** A tensor with its bytes; `shape` is row-major, slowest first. */
export interface GgufTensorToWrite {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
  /** Overrides the true offset, to forge files. */
  readonly offset?: bigint;
}

/** The bytes of a small GGUF file, for tests. */
export function ggufBytes(metadata: Record<string, Meta>, tensors: readonly GgufTensorToWrite[], version = 3): Buffer {
  const head: Buffer[] = [Buffer.from("GGUF"), u32(version), u64(tensors.length), u64(Object.keys(metadata).length)];
  for (const [key, value] of Object.entries(metadata)) head.push(text(key), u32(typeOf(value)), encode(value));
  let at = 0;
  for (const { name, type, shape, data, offset } of tensors) {
    head.push(text(name), u32(shape.length), ...[...shape].reverse().map(u64), u32(type), u64(offset ?? at));
    at += pad(data.length);
  }
  const parts = [padded(Buffer.concat(head)), ...tensors.map(({ data }) => padded(Buffer.from(data)))];
  return Buffer.concat(parts);
}

/** Writes {@link ggufBytes} to a file and returns its path. */
export function writeGguf(
  path: string,
  metadata: Record<string, Meta>,
  tensors: readonly GgufTensorToWrite[],
  version = 3,
): string {
  writeFileSync(path, ggufBytes(metadata, tensors, version));
  return path;
}

/** A float32 tensor. */
export function f32Tensor(name: string, shape: readonly number[], values: Float32Array): GgufTensorToWrite {
  return { name, type: 0, shape, data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

function typeOf(value: Meta): number {
  return TYPES[Object.keys(value)[0] as keyof typeof TYPES];
}

function encode(value: Meta): Buffer {
  if ("u32" in value) return u32(value.u32);
  if ("u64" in value) return u64(value.u64);
  if ("text" in value) return text(value.text);
  if ("bool" in value) return Buffer.of(value.bool ? 1 : 0);
  if ("list" in value) {
    const first = value.list[0];
    return Buffer.concat([u32(first ? typeOf(first) : TYPES.u32), u64(value.list.length), ...value.list.map(encode)]);
  }
  const bytes = Buffer.alloc(4);
  if ("i32" in value) bytes.writeInt32LE(value.i32);
  else bytes.writeFloatLE(value.f32);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function pad(length: number): number {
  return Math.ceil(length / 32) * 32;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(pad(bytes.length) - bytes.length)]);
}
