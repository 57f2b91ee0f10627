import type { Rational } from "../../utils/rational.ts";
import { signOf } from "./big-float.ts";
import type { Budget } from "./budget.ts";
import { type Complex, complexField } from "./complex-field.ts";
import { evaluate, exactValue } from "./evaluate.ts";
import { exactField } from "./exact-field.ts";
import { type Field, NoValue } from "./field.ts";
import { differentBy, equalBy, type Judgement, undecided } from "./judgement.ts";
import { canonical, type Node, variablesOf } from "./nodes.ts";
import { exactProbe, fixedDraws, probe, wholeVariables } from "./probe-points.ts";
import { compareComplex, sameExpression } from "./same-expression.ts";

const TURNED: Readonly<Record<string, string>> = { ">": "<", ">=": "<=" };

/** A relation written so that it points to the right: `a > b` as `b < a`. */
interface Directed {
  readonly items: readonly Node[];
  readonly signs: readonly string[];
}

function directed({ items, signs }: Directed): Directed {
  if (
    !signs.some((sign) => Object.hasOwn(TURNED, sign)) ||
    !signs.every((sign) => Object.hasOwn(TURNED, sign) || sign === "=")
  )
    return { items, signs };
  return { items: [...items].reverse(), signs: [...signs].reverse().map((sign) => TURNED[sign] ?? sign) };
}

/** Whether two relations say the same up to a factor, moved terms and turning round. */
export function sameRelation(a: Directed, b: Directed, budget: Budget): Judgement {
  if (canonical({ kind: "relation", ...a }) === canonical({ kind: "relation", ...b })) return equalBy("same relation");
  const [left, right] = [directed(a), directed(b)];
  if (left.signs.join() !== right.signs.join()) return differentBy("different signs of relation");
  if (left.signs.join() === "equiv,mod") return sameCongruence(left.items, right.items, budget);
  if (left.signs.length > 1) return sameChain(left, right, budget);
  const sign = left.signs[0]!;
  const [f, g] = [difference(left.items), difference(right.items)];
  if (sign === "=" || sign === "!=" || sign === "~" || sign === "<" || sign === "<=")
    return proportional(f, g, sign === "<" || sign === "<=", budget);
  return sameChain(left, right, budget);
}

/** `x ≡ 3 (mod 7)` and `x ≡ 10 (mod 7)`: the remainders may differ by multiples of the modulus. */
function sameCongruence(a: readonly Node[], b: readonly Node[], budget: Budget): Judgement {
  const [modulus, shift] = [exactValue(a[2]!, budget), exactValue(difference([a[1]!, b[1]!]), budget)];
  const isSame = sameExpression(a[0]!, b[0]!, budget).equal && sameExpression(a[2]!, b[2]!, budget).equal;
  const isMultiple =
    modulus && shift && modulus.numerator !== 0n
      ? (shift.numerator * modulus.denominator) % (modulus.numerator * shift.denominator) === 0n
      : sameExpression(a[1]!, b[1]!, budget).equal;
  return isSame && isMultiple ? equalBy("same congruence") : differentBy("different congruences");
}

function sameChain(a: Directed, b: Directed, budget: Budget): Judgement {
  for (let i = 0; i < a.items.length; i++) {
    const judgement = sameExpression(a.items[i]!, b.items[i]!, budget);
    if (!judgement.equal)
      return judgement.equal === false ? differentBy("a side of the relation differs", judgement.reason) : judgement;
  }
  return equalBy("same chain of relations");
}

function difference(items: readonly Node[]): Node {
  return { kind: "sum", terms: [items[0]!, { kind: "negative", of: items[1]! }] };
}

/** How many points beside the first must have the same quotient. */
const POINTS = 7;
const TRIES = 20;

/** Whether f = c · g with a constant c ≠ 0, or c > 0 where the direction counts. */
function proportional(f: Node, g: Node, needsPositive: boolean, budget: Budget): Judgement {
  const names = [...new Set([...variablesOf(f), ...variablesOf(g)])].sort();
  if (names.length === 0) return sameExpression(f, g, budget);
  const whole = wholeVariables([f, g]);
  const exact = exactField(budget);
  const exactResult = quotientsAgree(exact, f, g, (i, draw) => exactProbe(names, whole, i, draw), budget, {
    isZero: (x: Rational) => x.numerator === 0n,
    same: (x, y) => x.numerator * y.denominator === y.numerator * x.denominator,
    isPositive: (x) => x.numerator > 0n,
  });
  const result =
    exactResult ??
    quotientsAgree(complexField(budget), f, g, (i, draw) => probe(names, whole, i, draw), budget, {
      isZero: (x: Complex) => signOf(x.re) === 0 && signOf(x.im) === 0,
      same: (x, y) => compareComplex(x, y).equal === true,
      isPositive: (x) => signOf(x.re) > 0,
    });
  if (result === null) return undecided("the sides have no values to compare");
  if (result === "different") return differentBy("not the same relation up to a factor");
  if (needsPositive && result === "negative") return differentBy("the relation points the other way");
  return equalBy("same relation up to a factor");
}

interface Compared<T> {
  isZero(value: T): boolean;
  same(a: T, b: T): boolean;
  isPositive(value: T): boolean;
}

/** Sign of the constant quotient f / g, "different" when it is not constant, null when this arithmetic cannot tell. */
function quotientsAgree<T>(
  field: Field<T>,
  f: Node,
  g: Node,
  pointAt: (index: number, draw: (below: number) => number) => Map<string, Rational>,
  budget: Budget,
  { isZero, same, isPositive }: Compared<T>,
): "positive" | "negative" | "different" | null {
  const draw = fixedDraws();
  let first: T | null = null;
  let agreed = 0;
  for (let i = 0; i < TRIES && agreed < POINTS; i++) {
    const values = new Map([...pointAt(i, draw)].map(([name, value]) => [name, field.number(value)]));
    try {
      const [x, y] = [evaluate(f, { field, values, budget }), evaluate(g, { field, values, budget })];
      if (isZero(x) !== isZero(y)) return "different";
      if (isZero(x)) continue;
      const quotient = field.divide(x, y);
      if (first === null) first = quotient;
      else if (!same(first, quotient)) return "different";
      else agreed++;
    } catch (error) {
      if (!(error instanceof NoValue)) throw error;
      if (!error.isUndefined && i > 2 && first === null) return null;
    }
  }
  if (first === null || agreed < 2) return null;
  return isPositive(first) ? "positive" : "negative";
}

/** Whether a node may stand left of "=" as the name of what is asked for: x, x₁, f(x), |AB|, ∠ABC, NO/BO, (x, y). */
export function isName(node: Node): boolean {
  if (node.kind === "variable" || node.kind === "apply" || node.kind === "hole") return true;
  if (node.kind === "call" && node.name === "abs") return isPoints(node.args[0]!);
  if (node.kind === "product") {
    const [head, tail] = node.factors;
    if (isPoints(node)) return true;
    return (
      node.factors.length === 2 &&
      head!.kind === "variable" &&
      (tail!.kind === "variable" || tail!.kind === "number" || tail!.kind === "bracket") &&
      /^[A-Zfghpqy]/.test(head!.name)
    );
  }
  if (node.kind === "quotient") return isPoints(node.above) && isPoints(node.below);
  if (node.kind === "word") return true;
  return node.kind === "bracket" && node.items.every(isName);
}

/** Points of a figure side by side: AB, ABC. */
function isPoints(node: Node): boolean {
  return (
    node.kind === "product" && node.factors.every((factor) => factor.kind === "variable" && /^[A-Z]$/.test(factor.name))
  );
}
