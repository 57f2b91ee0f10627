import { equals, type Rational, reduce } from "../../utils/rational.ts";
import { addFloats, type BigFloat, bitLength, multiplyFloats, negateFloat, size } from "./big-float.ts";
import type { Budget } from "./budget.ts";
import { type Complex, complexField, isReal } from "./complex-field.ts";
import { evaluate, exactValue } from "./evaluate.ts";
import { exactField } from "./exact-field.ts";
import { type Field, NoValue } from "./field.ts";
import { differentBy, equalBy, type Judgement, undecided } from "./judgement.ts";
import { modularField } from "./modular-field.ts";
import { canonical, contains, type Node, variablesOf } from "./nodes.ts";
import { exactProbe, fixedDraws, probe, wholeVariables } from "./probe-points.ts";

/**
 * Whether two expressions are the same number, or the same function of their variables over the reals.
 * In this order: same writing; exact fractions; values modulo a prime where exact ones are too large; values to about 60 digits with an error
 * bound. In variables the values are compared at fixed pseudo-random points, those left out where one side has no real value.
 */
export function sameExpression(a: Node, b: Node, budget: Budget): Judgement {
  if (canonical(a) === canonical(b)) return equalBy("same expression");
  const names = [...new Set([...variablesOf(a), ...variablesOf(b)])].sort();
  return names.length === 0 ? sameNumber(a, b, budget) : sameFunction(a, b, names, budget);
}

function sameNumber(a: Node, b: Node, budget: Budget): Judgement {
  const [x, y] = [exactValue(a, budget), exactValue(b, budget)];
  if (x && y) {
    if (equals(x, y)) return equalBy("equal fractions");
    return isPrintedDouble(a, b, y, budget) || isPrintedDouble(b, a, x, budget)
      ? equalBy("decimal of double precision")
      : differentBy("different fractions");
  }
  const modular = compareIn(modularField(budget), a, b, new Map(), budget, (p, q) => p === q);
  if (modular !== null)
    return modular ? equalBy("equal modulo a prime of 127 bits") : differentBy("different modulo a prime");
  const [left, right] = [numeric(a, budget), numeric(b, budget)];
  if (typeof left === "string" || typeof right === "string")
    return undecided([left, right].find((side) => typeof side === "string") as string);
  const judgement = compareComplex(left, right);
  if (judgement.equal === false && (isPrintedDouble(a, b, right.re, budget) || isPrintedDouble(b, a, left.re, budget)))
    return equalBy("decimal of double precision");
  return judgement;
}

/** Value to about 60 digits, or why there is none. */
function numeric(node: Node, budget: Budget): Complex | string {
  try {
    return evaluate(node, { field: complexField(budget), values: new Map(), budget });
  } catch (error) {
    if (error instanceof NoValue) return error.message;
    throw error;
  }
}

/** Bits to which two values must agree beyond doubt to be called equal. */
const SURE_BITS = 100;

/** Compares two values with their error bounds. */
export function compareComplex(a: Complex, b: Complex): Judgement {
  let isSure = true;
  for (const part of ["re", "im"] as const) {
    const difference = addFloats(a[part], negateFloat(b[part]));
    if (size(difference) > difference.err + 8) return differentBy("different to 60 digits");
    isSure &&= difference.err <= Math.max(size(a.re), size(a.im), 0) - SURE_BITS;
  }
  return isSure ? equalBy("equal to 60 digits") : undecided("the values agree, but are not known well enough");
}

/**
 * A decimal of 15 to 17 significant digits is the way a double is printed: it stands for a number that is no finite decimal and rounds to it.
 */
function isPrintedDouble(decimal: Node, other: Node, value: Rational | BigFloat, budget: Budget): boolean {
  const literal = decimal.kind === "negative" ? decimal.of : decimal;
  if (literal.kind !== "number" || literal.digits === undefined || literal.digits < 15 || literal.digits > 17)
    return false;
  if ("numerator" in value && isFiniteDecimal(value)) return false;
  const exact = exactValue(decimal, budget)!;
  const gap = numeric({ kind: "sum", terms: [other, { kind: "negative", of: decimal }] }, budget);
  const scale = numeric(decimal, budget);
  if (typeof gap === "string" || typeof scale === "string" || !isReal(gap) || exact.numerator === 0n) return false;
  const unit = multiplyFloats(scale.re, { m: 12n, e: 0, err: Number.NEGATIVE_INFINITY }); // a little above one unit of the 15th digit in 10^-15
  return size(gap.re) <= size(unit) - 50;
}

/** Whether a fraction is a decimal that ends. Fractions too large to tell count as such. */
function isFiniteDecimal(value: Rational): boolean {
  if (bitLength(value.denominator) > 2000) return true;
  let rest = reduce(value).denominator;
  for (const prime of [2n, 5n]) while (rest % prime === 0n) rest /= prime;
  return rest === 1n;
}

/** Whether two expressions agree in an arithmetic at a point; null when one has no value there. */
function compareIn<T>(
  field: Field<T>,
  a: Node,
  b: Node,
  point: ReadonlyMap<string, Rational>,
  budget: Budget,
  same: (a: T, b: T) => boolean,
): boolean | null {
  const values = new Map([...point].map(([name, value]) => [name, field.number(value)]));
  try {
    return same(evaluate(a, { field, values, budget }), evaluate(b, { field, values, budget }));
  } catch (error) {
    if (error instanceof NoValue) return null;
    throw error;
  }
}

/** Points that must agree: eight see each sign of each variable and each remainder by a small number. */
const EXACT_POINTS = 8;
const TRIES = 14;

function sameFunction(a: Node, b: Node, names: readonly string[], budget: Budget): Judgement {
  const whole = wholeVariables([a, b]);
  for (const [field, same, rule] of [
    [exactField(budget), (x: Rational, y: Rational) => equals(x, y), "exact values"],
    [modularField(budget), (x: bigint, y: bigint) => x === y, "values modulo a prime"],
  ] as const) {
    const draw = fixedDraws();
    let agreed = 0;
    for (let i = 0; i < TRIES && agreed < EXACT_POINTS; i++) {
      const point = exactProbe(names, whole, i, draw);
      const isSame = compareIn(
        field as Field<unknown>,
        a,
        b,
        point,
        budget,
        same as (x: unknown, y: unknown) => boolean,
      );
      if (isSame === false) return differentBy(`different ${rule} at a point`, atPoint(point));
      if (isSame) agreed++;
      else if (i === 1 && agreed === 0) break; // not a rational function
    }
    if (agreed === EXACT_POINTS) return equalBy(`equal ${rule} at ${EXACT_POINTS} points`);
  }
  return sameAtProbes(a, b, names, whole, budget);
}

/** Probes that must agree, and how many are tried. */
const REAL_POINTS = 6;
const REAL_TRIES = 30;

function sameAtProbes(
  a: Node,
  b: Node,
  names: readonly string[],
  whole: ReadonlySet<string>,
  budget: Budget,
): Judgement {
  const isComplex = contains(a, isImaginary) || contains(b, isImaginary);
  const field = complexField(budget);
  const draw = fixedDraws();
  const complexPairs: (readonly [Complex, Complex])[] = [];
  let agreed = 0;
  let problem = "there is no point where both have a value";
  for (let i = 0; i < REAL_TRIES && agreed < REAL_POINTS; i++) {
    if (i === 12 && agreed >= 3) break;
    const point = probe(names, whole, i, draw);
    const values = new Map([...point].map(([name, value]) => [name, field.number(value)]));
    try {
      const pair = [evaluate(a, { field, values, budget }), evaluate(b, { field, values, budget })] as const;
      if (!isComplex && !pair.every(isReal)) {
        complexPairs.push(pair);
        continue;
      }
      const judgement = compareComplex(...pair);
      if (judgement.equal === false) return differentBy("different values at a point", atPoint(point));
      if (judgement.equal) agreed++;
      else problem = judgement.reason ?? problem;
    } catch (error) {
      if (!(error instanceof NoValue)) throw error;
      problem = error.message;
      if (!error.isUndefined && i > 5 && agreed === 0 && complexPairs.length === 0) break;
    }
  }
  if (agreed >= 3) return equalBy(`equal to 60 digits at ${agreed} points`);
  if (complexPairs.length >= 6) return sameComplex(complexPairs);
  return undecided(problem);
}

function isImaginary(node: Node): boolean {
  return node.kind === "constant" && node.name === "i";
}

/** Where neither side is real anywhere, complex values are compared. */
function sameComplex(pairs: readonly (readonly [Complex, Complex])[]): Judgement {
  for (const pair of pairs) {
    const judgement = compareComplex(...pair);
    if (!judgement.equal)
      return judgement.equal === false ? differentBy("different complex values at a point") : judgement;
  }
  return equalBy(`equal complex values at ${pairs.length} points`);
}

function atPoint(point: ReadonlyMap<string, Rational>): string {
  return [...point]
    .map(
      ([name, { numerator, denominator }]) =>
        `${name} = ${denominator === 1n ? numerator : (Number(numerator) / Number(denominator)).toPrecision(6)}`,
    )
    .join(", ");
}
