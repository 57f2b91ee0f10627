import { type Rational, rational, reduce } from "../../utils/rational.ts";
import { bitLength } from "./big-float.ts";
import { type Budget, LIMITS } from "./budget.ts";
import { type Field, NoValue } from "./field.ts";

/** Fractions of this many bits are brought to lowest terms; smaller ones need not, larger ones cost too much. */
const REDUCE_FROM = 512;
const REDUCE_TO = 4096;

/** Exact fractions of bounded size. */
export function exactField(budget: Budget): Field<Rational> {
  const bounded = (value: Rational): Rational => {
    const bits = bitLength(value.numerator) + bitLength(value.denominator);
    budget.spend(1 + (bits >> 8));
    if (bits > LIMITS.bits) throw new NoValue("its exact value is too large");
    if (bits <= REDUCE_FROM || bits > REDUCE_TO || value.denominator === 1n) return value;
    budget.spend(bits >> 3);
    return reduce(value);
  };
  const field: Field<Rational> = {
    number: (value) => value,
    constant: (name) => {
      throw new NoValue(`${name} is not a fraction`);
    },
    add: (a, b) =>
      bounded(
        a.denominator === b.denominator
          ? { numerator: a.numerator + b.numerator, denominator: a.denominator }
          : {
              numerator: a.numerator * b.denominator + b.numerator * a.denominator,
              denominator: a.denominator * b.denominator,
            },
      ),
    negate: (a) => ({ numerator: -a.numerator, denominator: a.denominator }),
    multiply: (a, b) => bounded({ numerator: a.numerator * b.numerator, denominator: a.denominator * b.denominator }),
    divide: (a, b) => {
      if (b.numerator === 0n) throw new NoValue("a division by 0", true);
      return bounded(rational(a.numerator * b.denominator, a.denominator * b.numerator));
    },
    powerWhole: (base, exponent) => powerOf(base, exponent, bounded),
    powerRational: (base, exponent) => rootOf(base, exponent, (x, n) => powerOf(x, n, bounded)),
    power: () => {
      throw new NoValue("a power that is not a fraction");
    },
    call: (name, args) => bounded(exactCall(name, args, budget)),
    key: (value) => {
      const { numerator, denominator } = reduce(value);
      return `${numerator}/${denominator}`;
    },
    whole: (value) => wholeOf(value),
  };
  return field;
}

function tooLarge(): never {
  throw new NoValue("its exact value is too large");
}

/** The value as a whole number; null when it is none. */
export function wholeOf({ numerator, denominator }: Rational): bigint | null {
  return numerator % denominator === 0n ? numerator / denominator : null;
}

function powerOf(base: Rational, exponent: bigint, bounded: (value: Rational) => Rational): Rational {
  const { numerator, denominator } = lowestTerms(base);
  if (exponent === 0n) return rational(1);
  if (numerator === 0n && exponent < 0n) throw new NoValue("a division by 0", true);
  const size = exponent < 0n ? -exponent : exponent;
  const isUnit = denominator === 1n && (numerator === 0n || numerator === 1n || numerator === -1n);
  if (isUnit) return rational(numerator < 0n && size % 2n === 0n ? 1n : numerator);
  const bits = BigInt(Math.max(bitLength(numerator), bitLength(denominator)));
  if (size * (bits - 1n) > BigInt(LIMITS.bits)) tooLarge();
  const [above, below] = [numerator ** size, denominator ** size];
  return bounded(exponent < 0n ? rational(below, above) : { numerator: above, denominator: below });
}

function lowestTerms(value: Rational): Rational {
  return value.denominator === 1n || bitLength(value.denominator) > REDUCE_TO ? value : reduce(value);
}

/** A root that is a fraction, such as (8/27)^(2/3). */
function rootOf(base: Rational, exponent: Rational, power: (base: Rational, exponent: bigint) => Rational): Rational {
  const { numerator, denominator } = reduce(base);
  const isOdd = exponent.denominator % 2n === 1n;
  if (numerator < 0n && !isOdd) throw new NoValue("an even root of a negative number");
  if (exponent.denominator > 64n) throw new NoValue("a root that is not a fraction");
  const [above, below] = [
    exactRoot(numerator < 0n ? -numerator : numerator, exponent.denominator),
    exactRoot(denominator, exponent.denominator),
  ];
  if (above === null || below === null) throw new NoValue("a root that is not a fraction");
  return power({ numerator: numerator < 0n ? -above : above, denominator: below }, exponent.numerator);
}

/** The whole r with r^k = n; null when there is none. Halving the interval. */
function exactRoot(n: bigint, k: bigint): bigint | null {
  if (n < 2n) return n;
  let low = 1n;
  let high = 1n << BigInt(Math.ceil(bitLength(n) / Number(k)) + 1);
  if (bitLength(n) > 2000) return null;
  while (low < high) {
    const middle = (low + high) >> 1n;
    if (middle ** k < n) low = middle + 1n;
    else high = middle;
  }
  return low ** k === n ? low : null;
}

function exactCall(name: string, args: readonly Rational[], budget: Budget): Rational {
  const [first, second] = args;
  if (!first) throw new NoValue(`${name} has no argument`);
  if (name === "abs") return first.numerator < 0n ? { ...first, numerator: -first.numerator } : first;
  if (name === "floor" || name === "ceil")
    return rational(name === "floor" ? floorOf(first) : -floorOf({ ...first, numerator: -first.numerator }));
  if (name === "max" || name === "min") {
    const isLess = (a: Rational, b: Rational): boolean => a.numerator * b.denominator < b.numerator * a.denominator;
    return args.reduce((best, value) => (isLess(best, value) === (name === "max") ? value : best));
  }
  if (name === "log" && second) return exactLog(first, second);
  if (name === "ln" && first.numerator === first.denominator) return rational(0);
  const whole = args.map(wholeOf);
  if (whole.some((value) => value === null)) throw new NoValue(`${name} of a number that is not whole`);
  const numbers = whole as bigint[];
  if (name === "mod" && numbers.length === 2) return rational(remainder(numbers[0]!, numbers[1]!));
  if (name === "gcd") return rational(numbers.reduce(gcd));
  if (name === "lcm") return rational(numbers.reduce((a, b) => (a === 0n || b === 0n ? 0n : abs(a * b) / gcd(a, b))));
  if (name === "factorial") return rational(factorial(numbers[0]!, numbers[1] ?? 1n, budget));
  if (name === "binom" && numbers.length === 2) return rational(binomial(numbers[0]!, numbers[1]!, budget));
  throw new NoValue(`${name} of a fraction is not a fraction`);
}

function floorOf({ numerator, denominator }: Rational): bigint {
  const quotient = numerator / denominator;
  return numerator < 0n && quotient * denominator !== numerator ? quotient - 1n : quotient;
}

function abs(a: bigint): bigint {
  return a < 0n ? -a : a;
}

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [abs(a), abs(b)];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/** The rest of a division, from 0 to |b| − 1. */
function remainder(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new NoValue("a division by 0", true);
  return ((a % b) + abs(b)) % abs(b);
}

/** n (n − step) (n − 2 step) …: n!, n!!, … */
function factorial(n: bigint, step: bigint, budget: Budget): bigint {
  if (n < 0n) throw new NoValue("the factorial of a negative number", true);
  if (n > BigInt(LIMITS.factorial) || step > 2n) throw new NoValue("a factorial that is too large");
  let product = 1n;
  for (let k = n; k > 1n; k -= step) {
    budget.spend(1 + (Number(n) >> 8));
    product *= k;
  }
  return product;
}

function binomial(n: bigint, k: bigint, budget: Budget): bigint {
  if (k < 0n || (n >= 0n && k > n)) return 0n;
  const least = n >= 0n && n - k < k ? n - k : k;
  if (least > BigInt(LIMITS.factorial) || BigInt(bitLength(n)) * least > BigInt(3 * LIMITS.bits))
    throw new NoValue("a binomial coefficient that is too large");
  let result = 1n;
  for (let i = 0n; i < least; i++) {
    budget.spend(1 + (Number(least) >> 8));
    result = (result * (n - i)) / (i + 1n);
  }
  return result;
}

/** log of a power of the base. */
function exactLog(x: Rational, base: Rational): Rational {
  const [value, b] = [reduce(x), reduce(base)];
  if (value.numerator <= 0n || b.numerator <= 0n || b.numerator === b.denominator)
    throw new NoValue("a logarithm that is not defined", true);
  for (const sign of [1n, -1n]) {
    for (let n = 0n; n <= 200n; n++) {
      const power = reduce(
        sign === 1n
          ? { numerator: b.numerator ** n, denominator: b.denominator ** n }
          : { numerator: b.denominator ** n, denominator: b.numerator ** n },
      );
      if (power.numerator === value.numerator && power.denominator === value.denominator) return rational(sign * n);
      if (
        bitLength(power.numerator) > bitLength(value.numerator) + 2 &&
        bitLength(power.denominator) > bitLength(value.denominator) + 2
      )
        break;
      if (
        bitLength(power.numerator) + bitLength(power.denominator) >
        2 * (bitLength(value.numerator) + bitLength(value.denominator)) + 8
      )
        break;
    }
  }
  throw new NoValue("a logarithm that is not whole");
}
