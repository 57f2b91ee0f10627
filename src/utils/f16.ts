/**
 * float16 (IEEE binary16) and bfloat16 to and from float32. Node 20 has no Float16Array.
 * Narrowing rounds to nearest, ties to even; values too large become infinity; NaN stays NaN (quiet, sign kept).
 */

const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

let halfTable: Float32Array | undefined;

/** All 65,536 float16 values by bit pattern, made on first use (256 KiB). */
export function f16Table(): Float32Array {
  if (halfTable) return halfTable;
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) table[bits] = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    else if (exponent === 0) table[bits] = sign * fraction * 2 ** -24;
    else table[bits] = sign * (1024 + fraction) * 2 ** (exponent - 25);
  }
  halfTable = table;
  return table;
}

/** Bits of the float16 nearest to `value` (first rounded to float32). */
export function toF16(value: number): number {
  floatView[0] = value;
  const bits = bitsView[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 65536 and above
  if (magnitude < 0x38800000) return sign | roundEven(Math.abs(floatView[0]!) * 2 ** 24); // subnormal: units of 2^-24
  const rounded = magnitude + 0x0fff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** Bits of the bfloat16 nearest to `value` (first rounded to float32). */
export function toBf16(value: number): number {
  floatView[0] = value;
  const bits = bitsView[0]!;
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Widens float16 bits into `out`, which has the same length. */
export function f16ToF32(bits: Uint16Array, out: Float32Array): void {
  const table = f16Table();
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]!]!;
}

/** Widens bfloat16 bits into `out`, which has the same length; exact, NaN payloads included. */
export function bf16ToF32(bits: Uint16Array, out: Float32Array): void {
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
}

function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
