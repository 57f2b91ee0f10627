/**
 * A real number m · 2^e with an error bound: |true value − m · 2^e| ≤ 2^err. The mantissa is cut to `BITS` bits after each operation.
 * Exponents are plain numbers, so that nothing overflows before 2^(2^50).
 */
export interface BigFloat {
  readonly m: bigint;
  readonly e: number;
  /** Base-2 logarithm of the absolute error bound; −Infinity = exact. */
  readonly err: number;
}

/** Bits of a mantissa. */
export const BITS = 224;

export const ZERO: BigFloat = { m: 0n, e: 0, err: Number.NEGATIVE_INFINITY };
export const ONE: BigFloat = { m: 1n, e: 0, err: Number.NEGATIVE_INFINITY };

/** Number of bits of |n|; 0 for 0. */
export function bitLength(n: bigint): number {
  if (n === 0n) return 0;
  const hex = (n < 0n ? -n : n).toString(16);
  return hex.length * 4 - Math.clz32(Number.parseInt(hex[0]!, 16)) + 28;
}

/** Cuts the mantissa and counts the cut as error. */
export function rounded(m: bigint, e: number, err: number): BigFloat {
  const excess = bitLength(m) - BITS;
  if (excess <= 0) return { m, e, err };
  return { m: m >> BigInt(excess), e: e + excess, err: larger(err, e + excess) };
}

/** A bound of 2^a + 2^b as a power of two. */
function larger(a: number, b: number): number {
  if (a === Number.NEGATIVE_INFINITY) return b;
  if (b === Number.NEGATIVE_INFINITY) return a;
  return Math.abs(a - b) > 30 ? Math.max(a, b) + 1e-6 : Math.max(a, b) + 1;
}

/** Base-2 logarithm of |x|, rounded up to a whole number; −Infinity for 0. */
export function size(x: BigFloat): number {
  return x.m === 0n ? Number.NEGATIVE_INFINITY : bitLength(x.m) + x.e;
}

/** numerator / denominator to the full precision. */
export function fromRatio(numerator: bigint, denominator: bigint): BigFloat {
  if (denominator === 1n) return rounded(numerator, 0, Number.NEGATIVE_INFINITY);
  const shift = Math.max(0, BITS + 2 + bitLength(denominator) - bitLength(numerator));
  return rounded((numerator << BigInt(shift)) / denominator, -shift, -shift);
}

export function addFloats(a: BigFloat, b: BigFloat): BigFloat {
  if (a.m === 0n) return { ...b, err: larger(a.err, b.err) };
  if (b.m === 0n) return { ...a, err: larger(a.err, b.err) };
  const [high, low] = a.e >= b.e ? [a, b] : [b, a];
  const shift = high.e - low.e;
  const err = larger(a.err, b.err);
  if (shift > 3 * BITS) return { ...high, err: larger(err, size(low)) };
  return rounded((high.m << BigInt(shift)) + low.m, low.e, err);
}

export function negateFloat(a: BigFloat): BigFloat {
  return { ...a, m: -a.m };
}

export function subtractFloats(a: BigFloat, b: BigFloat): BigFloat {
  return addFloats(a, negateFloat(b));
}

export function multiplyFloats(a: BigFloat, b: BigFloat): BigFloat {
  const err = larger(larger(a.err + size(b), b.err + size(a)), a.err + b.err);
  return rounded(a.m * b.m, a.e + b.e, Number.isNaN(err) ? Number.NEGATIVE_INFINITY : err);
}

/** a / b; null when b is not surely different from 0. */
export function divideFloats(a: BigFloat, b: BigFloat): BigFloat | null {
  if (isNothing(b)) return null;
  const shift = BITS + 2 + bitLength(b.m);
  const quotient = (a.m << BigInt(shift)) / b.m;
  const e = a.e - b.e - shift;
  const relative = larger(a.m === 0n ? Number.NEGATIVE_INFINITY : b.err - size(b) + 2 + size(a), a.err) - size(b) + 2;
  return rounded(quotient, e, larger(relative, e));
}

/** Whether a value is 0 or cannot be told from 0. */
export function isNothing(x: BigFloat): boolean {
  return x.m === 0n || size(x) - 2 <= x.err;
}

/** −1, 0 or 1; 0 when the sign is not sure. */
export function signOf(x: BigFloat): -1 | 0 | 1 {
  if (isNothing(x)) return 0;
  return x.m < 0n ? -1 : 1;
}

/** Square root of a value that is not negative. */
export function sqrtFloat(x: BigFloat): BigFloat {
  if (x.m <= 0n) return { ...ZERO, err: x.err / 2 + 1 };
  let shift = Math.max(0, 2 * BITS + 2 - bitLength(x.m));
  if ((x.e - shift) % 2 !== 0) shift++;
  const root = wholeSqrt(x.m << BigInt(shift));
  const e = (x.e - shift) / 2;
  return rounded(root, e, larger(e, x.err - size(x) / 2 + 1));
}

/** Largest whole r with r² ≤ n, by Newton's method from above. */
export function wholeSqrt(n: bigint): bigint {
  if (n < 2n) return n;
  let root = 1n << BigInt((bitLength(n) + 1) >> 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** The nearest double; ±Infinity or 0 out of range. */
export function toDouble(x: BigFloat): number {
  const excess = bitLength(x.m) - 60;
  return excess > 0 ? Number(x.m >> BigInt(excess)) * 2 ** (x.e + excess) : Number(x.m) * 2 ** x.e;
}

/** The nearest whole number. The value must be below 2^1000. */
export function nearestWhole(x: BigFloat): bigint {
  if (x.e >= 0) return x.m << BigInt(x.e);
  const shift = BigInt(-x.e);
  return (x.m + (1n << (shift - 1n))) >> shift;
}
