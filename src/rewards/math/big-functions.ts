import {
  addFloats,
  BITS,
  type BigFloat,
  divideFloats,
  multiplyFloats,
  negateFloat,
  ONE,
  rounded,
  signOf,
  size,
  sqrtFloat,
  subtractFloats,
  toDouble,
  ZERO,
} from "./big-float.ts";

/** Bits after the point in the series below. */
const FIXED = BITS + 48;
const UNIT = 1n << BigInt(FIXED);
/** Arguments beyond 2^48 are not reduced: their exponential or sine is of no use. */
const MAX_SIZE = 48;
const EXTRA = 64;

/** arctan(1/n) · 2^bits by its series. */
function arcCotangent(n: bigint, bits: number): bigint {
  let term = (1n << BigInt(bits)) / n;
  let sum = term;
  for (let k = 3n, sign = -1n; term !== 0n; k += 2n, sign = -sign) {
    term /= n * n;
    sum += (sign * term) / k;
  }
  return sum;
}

/** ln 2 · 2^bits = 2 artanh(1/3) · 2^bits. */
function lnTwoFixed(bits: number): bigint {
  let term = (1n << BigInt(bits)) / 3n;
  let sum = term;
  for (let k = 3n; term !== 0n; k += 2n) {
    term /= 9n;
    sum += term / k;
  }
  return 2n * sum;
}

const PI_BITS = FIXED + EXTRA;
// Machin 1706: π = 16 arctan(1/5) − 4 arctan(1/239)
const PI_FIXED = 16n * arcCotangent(5n, PI_BITS) - 4n * arcCotangent(239n, PI_BITS);
const LN2_FIXED = lnTwoFixed(PI_BITS);

/** π */
export const PI: BigFloat = rounded(PI_FIXED, -PI_BITS, -PI_BITS + 8);
/** ln 2 */
const LN2: BigFloat = rounded(LN2_FIXED, -PI_BITS, -PI_BITS + 8);
const HALF_PI: BigFloat = { ...PI, e: PI.e - 1, err: PI.err - 1 };

/** x · 2^bits, rounded down. */
function toFixed(x: BigFloat, bits: number): bigint {
  const shift = x.e + bits;
  return shift >= 0 ? x.m << BigInt(shift) : x.m >> BigInt(-shift);
}

/** e^x; null when x is too large to be of use. */
export function expFloat(x: BigFloat): BigFloat | null {
  if (size(x) > MAX_SIZE) return null;
  const wide = toFixed(x, PI_BITS);
  const k = (wide + (LN2_FIXED >> 1n)) / LN2_FIXED - (wide < 0n ? 1n : 0n);
  let term = (wide - k * LN2_FIXED) >> BigInt(EXTRA + 8); // of the 256th part, so that the series is short
  const small = term;
  let sum = UNIT + term;
  for (let n = 2n; term !== 0n && term !== -1n; n++) {
    term = (term * small) / (UNIT * n);
    sum += term;
  }
  for (let i = 0; i < 8; i++) sum = (sum * sum) >> BigInt(FIXED);
  const e = Number(k) - FIXED;
  const value = rounded(sum, e, e + 16);
  return x.err === Number.NEGATIVE_INFINITY
    ? value
    : { ...value, err: Math.max(value.err, x.err + size(value) + 1) + 1 };
}

/** ln x of a positive value; null otherwise. */
export function lnFloat(x: BigFloat): BigFloat | null {
  if (signOf(x) <= 0) return null;
  const exponent = size(x);
  const mantissa: BigFloat = { m: x.m, e: x.e - exponent, err: Number.NEGATIVE_INFINITY }; // in [1/2, 1)
  const guess = Math.log(toDouble(mantissa));
  const start = fromDouble(guess);
  const inverse = expFloat(negateFloat(start))!;
  const ratio = multiplyFloats(mantissa, inverse); // 1 + δ with δ below 2^-50
  const z = divideFloats(subtractFloats(ratio, ONE), addFloats(ratio, ONE))!;
  const series = oddSeries(z, (n) => n);
  const ln = addFloats(start, { ...series, m: series.m * 2n });
  const value = addFloats(ln, multiplyFloats({ m: BigInt(exponent), e: 0, err: Number.NEGATIVE_INFINITY }, LN2));
  const err = Math.max(value.err, -FIXED + 24, x.err - size(x) + 2) + 1;
  return { ...value, err };
}

/** z + z³/c₃ + z⁵/c₅ + z⁷/c₇ for |z| below 2^-45: exact to the precision. */
function oddSeries(z: BigFloat, coefficient: (n: number) => number): BigFloat {
  const square = multiplyFloats(z, z);
  let power = z;
  let sum = z;
  for (let n = 3; n <= 7; n += 2) {
    power = multiplyFloats(power, square);
    sum = addFloats(sum, divideFloats(power, fromDouble(coefficient(n)))!);
  }
  return sum;
}

/** A double as it is. */
export function fromDouble(x: number): BigFloat {
  if (x === 0) return ZERO;
  let e = Math.floor(Math.log2(Math.abs(x))) - 60;
  e = Math.max(e, -1000);
  return { m: BigInt(Math.round(x * 2 ** -e)), e, err: Number.NEGATIVE_INFINITY };
}

/** Sine and cosine; null when x is too large to be of use. */
export function sineCosine(x: BigFloat): { sin: BigFloat; cos: BigFloat } | null {
  if (size(x) > MAX_SIZE) return null;
  const half = PI_FIXED >> 1n;
  const wide = toFixed(x, PI_BITS);
  const quarter = (wide + (half >> 1n)) / half - (wide + (half >> 1n) < 0n ? 1n : 0n);
  const small = (wide - quarter * half) >> BigInt(EXTRA);
  const square = (small * small) >> BigInt(FIXED);
  let [sin, cos] = [small, UNIT];
  let [sinTerm, cosTerm] = [small, UNIT];
  for (let n = 1n; n < 80n && (sinTerm !== 0n || cosTerm !== 0n); n++) {
    cosTerm = -(cosTerm * square) / (UNIT * (2n * n - 1n) * (2n * n));
    sinTerm = -(sinTerm * square) / (UNIT * (2n * n) * (2n * n + 1n));
    cos += cosTerm;
    sin += sinTerm;
  }
  const err = Math.max(-FIXED + 16, x.err + 1);
  const [s, c] = [rounded(sin, -FIXED, err), rounded(cos, -FIXED, err)];
  const turn = Number(((quarter % 4n) + 4n) % 4n);
  if (turn === 0) return { sin: s, cos: c };
  if (turn === 1) return { sin: c, cos: negateFloat(s) };
  if (turn === 2) return { sin: negateFloat(s), cos: negateFloat(c) };
  return { sin: negateFloat(c), cos: s };
}

/** Angle of the point (x, y) in (−π, π]; null for the origin. */
export function angleOf(y: BigFloat, x: BigFloat): BigFloat | null {
  const [sx, sy] = [signOf(x), signOf(y)];
  if (sx === 0) return sy === 0 ? null : sy > 0 ? HALF_PI : negateFloat(HALF_PI);
  if (sy === 0 && y.m === 0n) return sx > 0 ? ZERO : PI;
  // the smaller by the larger, so that the quotient is at most 1
  const steep = size(y) > size(x);
  const inner = arcTangent(steep ? divideFloats(x, y)! : divideFloats(y, x)!);
  if (steep) return subtractFloats(sy > 0 ? HALF_PI : negateFloat(HALF_PI), inner);
  if (sx > 0) return inner;
  return sy >= 0 ? addFloats(inner, PI) : subtractFloats(inner, PI);
}

/** arctan of a value of at most about 2. */
function arcTangent(t: BigFloat): BigFloat {
  const start = fromDouble(Math.atan(toDouble(t)));
  const { sin, cos } = sineCosine(start)!;
  // arctan t − start = arctan((t cos − sin) / (cos + t sin))
  const rest = divideFloats(subtractFloats(multiplyFloats(t, cos), sin), addFloats(cos, multiplyFloats(t, sin)))!;
  const value = addFloats(
    start,
    oddSeries(rest, (n) => (n % 4 === 3 ? -n : n)),
  );
  return { ...value, err: Math.max(value.err, -FIXED + 24) };
}

/** arcsin of a value in [−1, 1]; null outside. */
export function arcSine(x: BigFloat): BigFloat | null {
  const rest = subtractFloats(ONE, multiplyFloats(x, x));
  if (signOf(rest) < 0) return null;
  return angleOf(x, signOf(rest) === 0 ? { ...ZERO, err: rest.err / 2 + 1 } : sqrtFloat(rest));
}
