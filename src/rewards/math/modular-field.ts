import type { Rational } from "../../utils/rational.ts";
import { bitLength } from "./big-float.ts";
import type { Budget } from "./budget.ts";
import { type Field, NoValue } from "./field.ts";

/** The Mersenne prime 2^127 − 1. */
export const PRIME = (1n << 127n) - 1n;

/**
 * Whole numbers modulo a prime: decides about fractions, polynomials and rational functions whose values are too large to be written out.
 * Two different ones of degree d agree at a random point with probability at most d / 2^127.
 */
export function modularField(budget: Budget): Field<bigint> {
  const inverse = (a: bigint): bigint => {
    if (a === 0n) throw new NoValue("a division by 0", true);
    budget.spend(80);
    let [old, rest, oldFactor, factor] = [a, PRIME, 1n, 0n];
    while (rest !== 0n) {
      const quotient = old / rest;
      [old, rest] = [rest, old - quotient * rest];
      [oldFactor, factor] = [factor, oldFactor - quotient * factor];
    }
    return mod(oldFactor);
  };
  const unsupported = (): never => {
    throw new NoValue("not a rational function");
  };
  return {
    number: ({ numerator, denominator }: Rational) => {
      budget.spend(1 + (bitLength(numerator) >> 8));
      return denominator === 1n ? mod(numerator) : mod(mod(numerator) * inverse(mod(denominator)));
    },
    constant: unsupported,
    add: (a, b) => mod(a + b),
    negate: (a) => mod(-a),
    multiply: (a, b) => mod(a * b),
    divide: (a, b) => mod(a * inverse(b)),
    powerWhole: (base, exponent) => {
      budget.spend(bitLength(exponent) * 2);
      const size = exponent < 0n ? -exponent : exponent;
      return modPower(exponent < 0n ? inverse(base) : base, size);
    },
    powerRational: unsupported,
    power: unsupported,
    call: unsupported,
    key: String,
    whole: () => null,
  };
}

function mod(a: bigint): bigint {
  const rest = a % PRIME;
  return rest < 0n ? rest + PRIME : rest;
}

function modPower(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base;
  for (const bit of [...exponent.toString(2)].reverse()) {
    if (bit === "1") result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}
