import type { Rational } from "../../utils/rational.ts";

/** Why an expression has no value: it has none here (1/0), or it cannot be computed in this arithmetic. */
export class NoValue extends Error {
  override readonly name = "NoValue";
  readonly isUndefined: boolean;

  constructor(reason: string, isUndefined = false) {
    super(reason);
    this.isUndefined = isUndefined;
  }
}

/** An arithmetic in which expressions are evaluated. All functions throw NoValue when there is no value, OverBudget when the work is used up. */
export interface Field<T> {
  number(value: Rational): T;
  constant(name: "pi" | "e" | "i" | "infinity"): T;
  add(a: T, b: T): T;
  negate(a: T): T;
  multiply(a: T, b: T): T;
  divide(a: T, b: T): T;
  /** base to a whole power. */
  powerWhole(base: T, exponent: bigint): T;
  /** base to numerator / denominator in lowest terms, denominator > 1. */
  powerRational(base: T, exponent: Rational): T;
  power(base: T, exponent: T): T;
  /** A known function. */
  call(name: string, args: readonly T[]): T;
  /** Text of a value, the same for equal values: argument of unknown functions. */
  key(value: T): string;
  /** The value as a whole number when it is exactly one; null otherwise. */
  whole(value: T): bigint | null;
}

/** A number in [1, 2) that follows from the name of an unknown function and its arguments: a function without properties. */
export function unknownFunctionValue(name: string, keys: readonly string[]): Rational {
  let hash = 0xcbf29ce484222325n; // FNV-1a, 64 bits
  for (const character of `${name}(${keys.join(",")})`) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(character.codePointAt(0)!)) * 0x100000001b3n);
  }
  return { numerator: (1n << 64n) + hash, denominator: 1n << 64n };
}
