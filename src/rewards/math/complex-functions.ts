import {
  addFloats,
  type BigFloat,
  divideFloats,
  isNothing,
  multiplyFloats,
  negateFloat,
  ONE,
  signOf,
  size,
  sqrtFloat,
  subtractFloats,
  ZERO,
} from "./big-float.ts";
import { angleOf, arcSine, expFloat, fromDouble, lnFloat, PI, sineCosine } from "./big-functions.ts";
import { type Complex, expComplex, isReal, lnComplex, realOf } from "./complex-field.ts";
import { NoValue } from "./field.ts";

/** A function of real or complex numbers. @throws NoValue */
export function complexCall(name: string, args: readonly Complex[]): Complex {
  const [first, second] = args;
  if (!first) throw new NoValue(`${name} has no argument`);
  if (name === "ln") return lnComplex(first);
  if (name === "log" && second) return quotient(lnComplex(first), lnComplex(second));
  if (name === "abs" && !isReal(first))
    return realOf(sqrtFloat(addFloats(multiplyFloats(first.re, first.re), multiplyFloats(first.im, first.im))));
  if (!args.every(isReal)) return complexTrigonometric(name, first);
  if (name === "max" || name === "min")
    return realOf(
      args.map(({ re }) => re).reduce((a, b) => (signOf(subtractFloats(a, b)) > 0 === (name === "max") ? a : b)),
    );
  const value = realFunction(name, first.re, second?.re);
  if (!value) throw new NoValue(`${name} is not defined there`, true);
  return realOf(value);
}

function quotient(a: Complex, b: Complex): Complex {
  const re = isReal(b) ? divideFloats(a.re, b.re) : null;
  const im = isReal(b) ? (isReal(a) ? ZERO : divideFloats(a.im, b.re)) : null;
  if (!re || !im) throw new NoValue("a logarithm that is not defined", true);
  return { re, im };
}

/** A function of a real number; null where it has no real value. */
function realFunction(name: string, x: BigFloat, second: BigFloat | undefined): BigFloat | null {
  switch (name) {
    case "abs":
      return x.m < 0n ? negateFloat(x) : x;
    case "asin":
      return arcSine(x);
    case "acos": {
      const inner = arcSine(x);
      return inner && subtractFloats({ ...PI, e: PI.e - 1, err: PI.err - 1 }, inner);
    }
    case "atan":
      return angleOf(x, ONE);
    case "acot":
      return angleOf(ONE, x);
    case "asinh":
      return lnFloat(addFloats(x, sqrtFloat(addFloats(multiplyFloats(x, x), ONE))));
    case "acosh": {
      const inner = subtractFloats(multiplyFloats(x, x), ONE);
      return signOf(x) > 0 && signOf(inner) >= 0 ? lnFloat(addFloats(x, sqrtFloat(inner))) : null;
    }
    case "atanh": {
      const ratio = divideFloats(addFloats(ONE, x), subtractFloats(ONE, x));
      const ln = ratio && lnFloat(ratio);
      return ln && { ...ln, e: ln.e - 1, err: ln.err - 1 };
    }
    case "factorial":
      return second ? null : stirling(x);
    case "binom":
      return second ? largeBinomial(x, second) : null;
    case "floor":
    case "ceil":
      return whole(name, x);
    default:
      return trigonometric(name, x);
  }
}

function trigonometric(name: string, x: BigFloat): BigFloat | null {
  if (name === "sinh" || name === "cosh" || name === "tanh") {
    const [up, down] = [expFloat(x), expFloat(negateFloat(x))];
    if (!up || !down) throw new NoValue("a power that is too large");
    const half = (y: BigFloat): BigFloat => ({ ...y, e: y.e - 1, err: y.err - 1 });
    const [sinh, cosh] = [half(subtractFloats(up, down)), half(addFloats(up, down))];
    return name === "sinh" ? sinh : name === "cosh" ? cosh : divideFloats(sinh, cosh);
  }
  const turn = sineCosine(x);
  if (!turn) throw new NoValue("an angle that is too large");
  const { sin, cos } = turn;
  const table: Record<string, () => BigFloat | null> = {
    sin: () => sin,
    cos: () => cos,
    tan: () => divideFloats(sin, cos),
    cot: () => divideFloats(cos, sin),
    sec: () => divideFloats(ONE, cos),
    csc: () => divideFloats(ONE, sin),
  };
  if (!Object.hasOwn(table, name)) throw new NoValue(`${name} is not computed here`);
  return table[name]!();
}

/** sin, cos, tan of a complex number by exponentials. */
function complexTrigonometric(name: string, z: Complex): Complex {
  const turned = (sign: 1 | -1): Complex =>
    expComplex(sign === 1 ? { re: negateFloat(z.im), im: z.re } : { re: z.im, im: negateFloat(z.re) });
  if (name !== "sin" && name !== "cos") throw new NoValue(`${name} of a complex number is not computed`);
  const [up, down] = [turned(1), turned(-1)];
  const half = (y: BigFloat): BigFloat => ({ ...y, e: y.e - 1, err: y.err - 1 });
  if (name === "cos") return { re: half(addFloats(up.re, down.re)), im: half(addFloats(up.im, down.im)) };
  return { re: half(subtractFloats(up.im, down.im)), im: half(subtractFloats(down.re, up.re)) };
}

/** Floor and ceiling of a value that is surely not whole. */
function whole(name: string, x: BigFloat): BigFloat {
  if (x.e >= 0 || size(x) > 400) throw new NoValue(`${name} of a number that is not sure enough`);
  const floor = x.m >> BigInt(-x.e);
  const part = subtractFloats(x, { m: floor, e: 0, err: Number.NEGATIVE_INFINITY });
  if (isNothing(part) || isNothing(subtractFloats(ONE, part)))
    throw new NoValue(`${name} of a number that is not sure enough`);
  return { m: name === "floor" ? floor : floor + 1n, e: 0, err: Number.NEGATIVE_INFINITY };
}

/** Coefficients B₂ₖ / (2k (2k − 1)) of Stirling's series. */
const STIRLING: readonly (readonly [bigint, bigint])[] = [
  [1n, 12n],
  [-1n, 360n],
  [1n, 1260n],
  [-1n, 1680n],
  [1n, 1188n],
  [-691n, 360360n],
  [1n, 156n],
  [-3617n, 122400n],
  [43867n, 244188n],
  [-174611n, 125400n],
];

/** ln(n!) of a large number: n ln n − n + ln(2πn)/2 + Σ …; the first term left out bounds the error. */
function lnFactorial(n: BigFloat): BigFloat {
  const ln = lnFloat(n);
  const lnCircle = lnFloat(multiplyFloats({ ...PI, e: PI.e + 1, err: PI.err + 1 }, n));
  if (!ln || !lnCircle) throw new NoValue("a factorial that is not defined", true);
  let sum = addFloats(subtractFloats(multiplyFloats(n, ln), n), {
    ...lnCircle,
    e: lnCircle.e - 1,
    err: lnCircle.err - 1,
  });
  let power = divideFloats(ONE, n)!;
  const square = multiplyFloats(power, power);
  for (const [above, below] of STIRLING) {
    sum = addFloats(
      sum,
      divideFloats(multiplyFloats({ m: above, e: 0, err: Number.NEGATIVE_INFINITY }, power), {
        m: below,
        e: 0,
        err: Number.NEGATIVE_INFINITY,
      })!,
    );
    power = multiplyFloats(power, square);
  }
  return { ...sum, err: Math.max(sum.err, size(power) + 4) };
}

/** n! of a large whole number. */
function stirling(n: BigFloat): BigFloat | null {
  if (signOf(subtractFloats(n, fromDouble(1000))) < 0) throw new NoValue("the factorial of a number that is not whole");
  const value = expFloat(lnFactorial(n));
  if (!value) throw new NoValue("a factorial that is too large");
  return value;
}

function largeBinomial(n: BigFloat, k: BigFloat): BigFloat | null {
  const rest = subtractFloats(n, k);
  for (const part of [k, rest])
    if (signOf(subtractFloats(part, fromDouble(1000))) < 0)
      throw new NoValue("a binomial coefficient that is not computed");
  const value = expFloat(subtractFloats(lnFactorial(n), addFloats(lnFactorial(k), lnFactorial(rest))));
  if (!value) throw new NoValue("a binomial coefficient that is too large");
  return value;
}
