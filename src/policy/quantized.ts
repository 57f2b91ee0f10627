import { bf16ToF32, f16Table } from "../utils/f16.ts";

/**
 * GGUF's tensor types: how a block of values is stored, and its values in float32.
 * Every stored factor is a multiple of 2^-24 below 2^27, so products and differences are exact in a JavaScript number and are
 * rounded once, when they are stored: the bits are those of the float32 formula `scale * q + minimum`.
 */
export interface BlockType {
  readonly name: string;
  /** Values in one block. */
  readonly values: number;
  /** Bytes of one block. */
  readonly bytes: number;
  /** Widens whole blocks: `out` gets `values` numbers for every `bytes` of `data`. */
  readonly dequantize: (data: Uint8Array, out: Float32Array) => void;
}

/** Readable types by GGUF's number. */
export const BLOCK_TYPES: ReadonlyMap<number, BlockType> = new Map([
  [0, { name: "F32", values: 1, bytes: 4, dequantize: float32 }],
  [1, { name: "F16", values: 1, bytes: 2, dequantize: float16 }],
  [2, blocks("Q4_0", 32, 18, q4_0)],
  [3, blocks("Q4_1", 32, 20, q4_1)],
  [8, blocks("Q8_0", 32, 34, q8_0)],
  [12, blocks("Q4_K", 256, 144, q4_k)],
  [13, blocks("Q5_K", 256, 176, q5_k)],
  [14, blocks("Q6_K", 256, 210, q6_k)],
  [30, { name: "BF16", values: 1, bytes: 2, dequantize: bfloat16 }],
]);

/** One block at byte `at` of `data` to floats from index `to` of `out`. */
type BlockRule = (data: Uint8Array, at: number, out: Float32Array, to: number) => void;

function blocks(name: string, values: number, bytes: number, rule: BlockRule): BlockType {
  return {
    name,
    values,
    bytes,
    dequantize(data, out) {
      for (let at = 0, to = 0; at < data.length; at += bytes, to += values) rule(data, at, out, to);
    },
  };
}

function float32(data: Uint8Array, out: Float32Array): void {
  new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(data);
}

function float16(data: Uint8Array, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = half(data, 2 * i);
}

function bfloat16(data: Uint8Array, out: Float32Array): void {
  const bits = new Uint16Array(out.length);
  new Uint8Array(bits.buffer).set(data);
  bf16ToF32(bits, out);
}

function half(data: Uint8Array, at: number): number {
  return f16Table()[data[at]! | (data[at + 1]! << 8)]!;
}

function int8(data: Uint8Array, at: number): number {
  return (data[at]! << 24) >> 24;
}

/** float16 scale, 16 bytes of nibbles (low ones are values 0…15): scale · (q - 8). */
function q4_0(data: Uint8Array, at: number, out: Float32Array, to: number): void {
  const scale = half(data, at);
  for (let i = 0; i < 16; i++) {
    const pair = data[at + 2 + i]!;
    out[to + i] = scale * ((pair & 15) - 8);
    out[to + 16 + i] = scale * ((pair >> 4) - 8);
  }
}

/** float16 scale, float16 minimum, 16 bytes of nibbles: scale · q + minimum. */
function q4_1(data: Uint8Array, at: number, out: Float32Array, to: number): void {
  const scale = half(data, at);
  const minimum = half(data, at + 2);
  for (let i = 0; i < 16; i++) {
    const pair = data[at + 4 + i]!;
    out[to + i] = scale * (pair & 15) + minimum;
    out[to + 16 + i] = scale * (pair >> 4) + minimum;
  }
}

/** float16 scale, 32 signed bytes: scale · q. */
function q8_0(data: Uint8Array, at: number, out: Float32Array, to: number): void {
  const scale = half(data, at);
  for (let i = 0; i < 32; i++) out[to + i] = scale * int8(data, at + 2 + i);
}

/** Six-bit scale and minimum of sub-block `j` (of 8) from the 12 packed bytes at `at`. */
function scaleAndMinimum(data: Uint8Array, at: number, j: number): [number, number] {
  if (j < 4) return [data[at + j]! & 63, data[at + 4 + j]! & 63];
  const low = data[at + 4 + j]!;
  return [(low & 15) | ((data[at + j - 4]! >> 6) << 4), (low >> 4) | ((data[at + j]! >> 6) << 4)];
}

/** Super-block of 8 × 32: float16 d and dmin, 12 bytes of scales, 128 bytes of nibbles: d · scale · q - dmin · minimum. */
function q4_k(data: Uint8Array, at: number, out: Float32Array, to: number): void {
  const [d, dmin] = [half(data, at), half(data, at + 2)];
  for (let j = 0; j < 8; j++) {
    const [scale, minimum] = scaleAndMinimum(data, at + 4, j);
    const quants = at + 16 + (j >> 1) * 32;
    const shift = (j & 1) * 4;
    for (let i = 0; i < 32; i++)
      out[to + j * 32 + i] = d * scale * ((data[quants + i]! >> shift) & 15) - dmin * minimum;
  }
}

/** As Q4_K with a fifth bit: 32 bytes of high bits (bit j for sub-block j) before the nibbles. */
function q5_k(data: Uint8Array, at: number, out: Float32Array, to: number): void {
  const [d, dmin] = [half(data, at), half(data, at + 2)];
  for (let j = 0; j < 8; j++) {
    const [scale, minimum] = scaleAndMinimum(data, at + 4, j);
    const quants = at + 48 + (j >> 1) * 32;
    const shift = (j & 1) * 4;
    for (let i = 0; i < 32; i++) {
      const q = ((data[quants + i]! >> shift) & 15) | (((data[at + 16 + i]! >> j) & 1) << 4);
      out[to + j * 32 + i] = d * scale * q - dmin * minimum;
    }
  }
}

/** 128 bytes of low nibbles, 64 bytes of two high bits, 16 signed scales, float16 d: d · scale · (q - 32). */
function q6_k(data: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = half(data, at + 208);
  for (let i = 0; i < 256; i++) {
    const [part, within] = [i >> 7, i & 127]; // halves of 128
    const [quarter, column] = [within >> 5, within & 31]; // quarters of 32
    const low = (data[at + part * 64 + (quarter & 1) * 32 + column]! >> ((quarter >> 1) * 4)) & 15;
    const high = (data[at + 128 + part * 32 + column]! >> (quarter * 2)) & 3;
    out[to + i] = d * int8(data, at + 192 + (i >> 4)) * ((low | (high << 4)) - 32);
  }
}
