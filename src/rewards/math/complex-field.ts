import type { Rational } from "../../utils/rational.ts";
import {
  addFloats,
  type BigFloat,
  divideFloats,
  fromRatio,
  isNothing,
  multiplyFloats,
  negateFloat,
  ONE,
  signOf,
  size,
  sqrtFloat,
  ZERO,
} from "./big-float.ts";
import { angleOf, expFloat, lnFloat, PI, sineCosine } from "./big-functions.ts";
import type { Budget } from "./budget.ts";
import { complexCall } from "./complex-functions.ts";
import { type Field, NoValue } from "./field.ts";

/** A complex number with error bounds. */
export interface Complex {
  readonly re: BigFloat;
  readonly im: BigFloat;
}

/** Terms further apart than this are not added: the smaller one would be lost. */
const MAX_GAP = 190;
/** Work of one elementary function in steps. */
export const FUNCTION_STEPS = 60;

export const realOf = (re: BigFloat): Complex => ({ re, im: ZERO });
export const isReal = ({ im }: Complex): boolean => isNothing(im);

/** Real and complex numbers to about 60 digits with a running error bound. Odd roots of negative numbers are real. */
export function complexField(budget: Budget): Field<Complex> {
  const add = (a: Complex, b: Complex): Complex => {
    budget.spend(2);
    return { re: addSafely(a.re, b.re), im: addSafely(a.im, b.im) };
  };
  const multiply = (a: Complex, b: Complex): Complex => {
    budget.spend(4);
    if (a.im.m === 0n && b.im.m === 0n && a.im.err === b.im.err) return { re: multiplyFloats(a.re, b.re), im: ZERO };
    return {
      re: addFloats(multiplyFloats(a.re, b.re), negateFloat(multiplyFloats(a.im, b.im))),
      im: addFloats(multiplyFloats(a.re, b.im), multiplyFloats(a.im, b.re)),
    };
  };
  const field: Field<Complex> = {
    number: (value) => realOf(fromRatio(value.numerator, value.denominator)),
    constant: (name) => {
      if (name === "pi") return realOf(PI);
      if (name === "e") return realOf(E);
      if (name === "i") return { re: ZERO, im: ONE };
      throw new NoValue("infinity is not a number");
    },
    add,
    negate: (a) => ({ re: negateFloat(a.re), im: negateFloat(a.im) }),
    multiply,
    divide: (a, b) => {
      budget.spend(8);
      return divide(a, b);
    },
    powerWhole: (base, exponent) => {
      budget.spend(FUNCTION_STEPS);
      return powerWhole(base, exponent, multiply);
    },
    powerRational: (base, exponent) => {
      budget.spend(2 * FUNCTION_STEPS);
      return powerRational(base, exponent);
    },
    power: (base, exponent) => {
      budget.spend(3 * FUNCTION_STEPS);
      if (isNothing(base.re) && isNothing(base.im)) throw new NoValue("a power of 0", true);
      return expComplex(multiply(exponent, lnComplex(base)));
    },
    call: (name, args) => {
      budget.spend(3 * FUNCTION_STEPS);
      return complexCall(name, args);
    },
    key: ({ re, im }) => `${keyOf(re)},${keyOf(im)}`,
    whole: ({ re, im }) =>
      im.m === 0n && re.err === Number.NEGATIVE_INFINITY && re.e >= 0 && re.e < 64 ? re.m << BigInt(re.e) : null,
  };
  return field;
}

const E = expFloat(ONE)!;

function addSafely(a: BigFloat, b: BigFloat): BigFloat {
  if (a.m !== 0n && b.m !== 0n && Math.abs(size(a) - size(b)) > MAX_GAP && !isNothing(a) && !isNothing(b))
    throw new NoValue("terms whose sizes are too far apart");
  return addFloats(a, b);
}

/** About 120 bits of a value: equal for values that differ by rounding only. */
function keyOf(x: BigFloat): string {
  if (isNothing(x)) return "0";
  const shift = size(x) - 120 - x.e;
  const m = shift > 0 ? (x.m + (1n << BigInt(shift - 1))) >> BigInt(shift) : x.m << BigInt(-shift);
  return `${m}e${size(x)}`;
}

function divide(a: Complex, b: Complex): Complex {
  if (b.im.m === 0n) {
    const re = divideFloats(a.re, b.re);
    const im = a.im.m === 0n ? a.im : divideFloats(a.im, b.re);
    if (!re || !im) throw new NoValue("a division by 0", true);
    return { re, im };
  }
  const norm = addFloats(multiplyFloats(b.re, b.re), multiplyFloats(b.im, b.im));
  const re = divideFloats(addFloats(multiplyFloats(a.re, b.re), multiplyFloats(a.im, b.im)), norm);
  const im = divideFloats(addFloats(multiplyFloats(a.im, b.re), negateFloat(multiplyFloats(a.re, b.im))), norm);
  if (!re || !im) throw new NoValue("a division by 0", true);
  return { re, im };
}

const LARGE_EXPONENT = 4096n;

function powerWhole(base: Complex, exponent: bigint, multiply: (a: Complex, b: Complex) => Complex): Complex {
  const count = exponent < 0n ? -exponent : exponent;
  if (count > LARGE_EXPONENT) {
    if (isNothing(base.re) && isNothing(base.im)) return realOf(ZERO);
    const value = expComplex(multiply(realOf(fromRatio(exponent, 1n)), lnComplex(base)));
    return isReal(base) ? realOf(value.re) : value;
  }
  let result = realOf(ONE);
  for (const bit of count.toString(2)) {
    result = multiply(result, result);
    if (bit === "1") result = multiply(result, base);
  }
  return exponent < 0n ? divide(realOf(ONE), result) : result;
}

/** Real where a real value exists: odd roots of negative numbers are negative. */
function powerRational(base: Complex, { numerator, denominator }: Rational): Complex {
  if (isNothing(base.re) && isNothing(base.im)) {
    if (numerator <= 0n) throw new NoValue("a division by 0", true);
    return realOf({ ...ZERO, err: Math.max(base.re.err, base.im.err) / Number(denominator) });
  }
  const exponent = fromRatio(numerator, denominator);
  if (!isReal(base))
    return expComplex({
      re: multiplyFloats(exponent, lnComplex(base).re),
      im: multiplyFloats(exponent, lnComplex(base).im),
    });
  const isNegative = signOf(base.re) < 0;
  const modulus = isNegative ? negateFloat(base.re) : base.re;
  const root =
    denominator === 2n && (numerator === 1n || numerator === -1n)
      ? sqrtFloat(modulus)
      : expOf(multiplyFloats(exponent, lnFloat(modulus)!));
  const value = denominator === 2n && numerator === -1n ? divideFloats(ONE, root)! : root;
  if (!isNegative) return realOf(value);
  if (denominator % 2n === 1n) return realOf(numerator % 2n === 0n ? value : negateFloat(value));
  const turn = sineCosine(multiplyFloats(exponent, PI))!;
  return { re: multiplyFloats(value, turn.cos), im: multiplyFloats(value, turn.sin) };
}

function expOf(x: BigFloat): BigFloat {
  const value = expFloat(x);
  if (!value) throw new NoValue("a power that is too large");
  return value;
}

/** e^z */
export function expComplex({ re, im }: Complex): Complex {
  const modulus = expOf(re);
  if (im.m === 0n)
    return { re: modulus, im: im.err === Number.NEGATIVE_INFINITY ? ZERO : { ...ZERO, err: im.err + size(modulus) } };
  const turn = sineCosine(im);
  if (!turn) throw new NoValue("an angle that is too large");
  return { re: multiplyFloats(modulus, turn.cos), im: multiplyFloats(modulus, turn.sin) };
}

/** The principal logarithm. */
export function lnComplex(z: Complex): Complex {
  if (isReal(z) && signOf(z.re) > 0) return realOf(lnFloat(z.re)!);
  const norm = addFloats(multiplyFloats(z.re, z.re), multiplyFloats(z.im, z.im));
  const [ln, angle] = [lnFloat(norm), angleOf(z.im, z.re)];
  if (!ln || !angle) throw new NoValue("the logarithm of 0", true);
  return { re: { ...ln, e: ln.e - 1, err: ln.err - 1 }, im: angle };
}
