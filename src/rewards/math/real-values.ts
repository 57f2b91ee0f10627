import { rational } from "../../utils/rational.ts";
import type { BigFloat } from "./big-float.ts";
import {
  addFloats,
  divideFloats,
  isNothing,
  multiplyFloats,
  negateFloat,
  signOf,
  subtractFloats,
} from "./big-float.ts";
import type { Budget } from "./budget.ts";
import { complexField, isReal } from "./complex-field.ts";
import { evaluate } from "./evaluate.ts";
import { NoValue } from "./field.ts";
import { type Node, type NodeOf, variablesOf } from "./nodes.ts";
import { ALL, complement, intersection, intervalSet, type RealSet, union } from "./real-set.ts";

/** Real value of an expression; null when it has none or depends on variables. */
export function realValue(
  node: Node,
  budget: Budget,
  values: ReadonlyMap<string, BigFloat> = new Map(),
): BigFloat | null {
  const field = complexField(budget);
  const env = new Map([...values].map(([name, re]) => [name, { re, im: field.number(rational(0)).im }]));
  try {
    const value = evaluate(node, { field, values: env, budget });
    return isReal(value) ? value.re : null;
  } catch (error) {
    if (error instanceof NoValue) return null;
    throw error;
  }
}

/** ∞ or −∞ as a sign; 0 for anything else. */
export function infinitySign(node: Node): -1 | 0 | 1 {
  if (node.kind === "constant" && node.name === "infinity") return 1;
  if (node.kind === "negative") return infinitySign(node.of) === 0 ? 0 : infinitySign(node.of) === 1 ? -1 : 1;
  return 0;
}

/** An end of an interval: a number, or null for its infinity; undefined when it is neither. */
function endOf(node: Node, infinite: -1 | 1, budget: Budget): BigFloat | null | undefined {
  const sign = infinitySign(node);
  if (sign !== 0) return sign === infinite ? null : undefined;
  return realValue(node, budget) ?? undefined;
}

/** `[a, b)` as a set; null when the ends are no numbers. */
export function bracketSet({ open, close, items }: NodeOf<"bracket">, budget: Budget): RealSet | null {
  if (items.length !== 2) return null;
  const [low, high] = [endOf(items[0]!, -1, budget), endOf(items[1]!, 1, budget)];
  if (low === undefined || high === undefined) return null;
  if (low !== null && high !== null && signOf(subtractFloats(high, low)) < 0) return null;
  return intervalSet({ low, high, lowClosed: open === "[", highClosed: close === "]" });
}

/** Intervals, finite sets, ℝ, unions, intersections and differences; null when it is something else. */
export function realSetOf(node: Node, budget: Budget): RealSet | null {
  budget.spend();
  if (node.kind === "number-set") return node.name === "R" ? ALL : null;
  if (node.kind === "bracket") return bracketSet(node, budget);
  if (node.kind === "set") return pointsOf(node.items, budget);
  if (node.kind === "builder") return builderSet(node, budget);
  if (node.kind === "relation") return inequalitySet(node, budget);
  if (node.kind === "sum" && node.terms.length === 2 && node.terms[1]!.kind === "negative") {
    // ℝ − {0}
    return node.terms[0]!.kind === "number-set"
      ? realSetOf({ kind: "set-operation", op: "minus", left: node.terms[0]!, right: node.terms[1]!.of }, budget)
      : null;
  }
  if (node.kind !== "set-operation") return null;
  const [left, right] = [realSetOf(node.left, budget), realSetOf(node.right, budget)];
  if (!left || !right) return null;
  if (node.op === "union") return union(left, right);
  return intersection(left, node.op === "minus" ? complement(right) : right);
}

/** A finite set of numbers; null when one of them has no real value. */
export function pointsOf(items: readonly Node[], budget: Budget): RealSet | null {
  let set: RealSet = [];
  for (const item of items) {
    const value = realValue(item, budget);
    if (!value) return null;
    set = union(set, [{ low: value, high: value, lowClosed: true, highClosed: true }]);
  }
  return set;
}

/** `{x : x > 5}`, `{x ∈ ℝ | x ≠ 0}` */
function builderSet({ element, condition }: NodeOf<"builder">, budget: Budget): RealSet | null {
  const set = conditionSet(condition, budget);
  if (element.kind !== "relation") return element.kind === "variable" ? set : null;
  const domain = realSetOf(element, budget);
  return set && domain ? intersection(set, domain) : null;
}

/** A condition or several: "and" and commas meet, "or" joins. */
export function conditionSet(node: Node, budget: Budget): RealSet | null {
  if (node.kind !== "list") return realSetOf(node, budget);
  const sets = node.items.map((item) => conditionSet(item, budget));
  if (sets.some((set) => set === null) || variablesOf(node).size > 1) return null;
  const isOr = node.separators.includes("or");
  if (isOr && node.separators.includes("and")) return null;
  return (sets as RealSet[]).reduce(isOr ? union : intersection);
}

/** Solutions of a chain of linear inequalities in one unknown, of `x ≠ 6` and of `x ∈ [0, 1)`; null when it is something else. */
export function inequalitySet({ items, signs }: NodeOf<"relation">, budget: Budget): RealSet | null {
  if (signs.every((sign) => sign === "=" || sign === "~")) return null;
  let set: RealSet = ALL;
  for (let i = 0; i < signs.length; i++) {
    const link = linkSet(items[i]!, signs[i]!, items[i + 1]!, budget);
    if (!link) return null;
    set = intersection(set, link);
  }
  const names = new Set(items.flatMap((item) => [...variablesOf(item)]));
  return names.size <= 1 ? set : null;
}

function linkSet(left: Node, sign: string, right: Node, budget: Budget): RealSet | null {
  if (sign === "in" || sign === "notin") {
    const set = left.kind === "variable" ? realSetOf(right, budget) : null;
    return set && sign === "notin" ? complement(set) : set;
  }
  const infinite = infiniteLink(left, sign, right);
  if (infinite) return infinite;
  const root = linearRoot({ kind: "sum", terms: [left, { kind: "negative", of: right }] }, budget);
  if (!root) return null;
  const { at, slope } = root;
  if (sign === "!=") return complement([{ low: at, high: at, lowClosed: true, highClosed: true }]);
  if (!["<", "<=", ">", ">="].includes(sign)) return null;
  const isClosed = sign.length === 2;
  const isBelow = (sign[0] === "<") === slope > 0;
  return isBelow
    ? [{ low: null, lowClosed: false, high: at, highClosed: isClosed }]
    : [{ low: at, lowClosed: isClosed, high: null, highClosed: false }];
}

/** `-\infty < x` and `x < \infty` always hold. */
function infiniteLink(left: Node, sign: string, right: Node): RealSet | null {
  const [a, b] = [infinitySign(left), infinitySign(right)];
  if (a === 0 && b === 0) return null;
  const holds = sign[0] === "<" ? a < b : sign[0] === ">" ? a > b : false;
  return holds && (a === 0 || b === 0) ? ALL : null;
}

/** Root and sign of the slope of a linear function of one variable; null when it is not linear. A missing left side is a variable. */
function linearRoot(node: NodeOf<"sum">, budget: Budget): { at: BigFloat; slope: -1 | 1 } | null {
  const terms = node.terms.map((term): Node => (term.kind === "hole" ? { kind: "variable", name: "hole" } : term));
  const whole: Node = { kind: "sum", terms };
  const names = variablesOf(whole);
  const [name] = names;
  if (names.size !== 1 || name === undefined) return null;
  const at = (x: number): BigFloat | null =>
    realValue(whole, budget, new Map([[name, { m: BigInt(x), e: 0, err: Number.NEGATIVE_INFINITY }]]));
  const [zero, one] = [at(0), at(1)];
  if (!zero || !one) return null;
  const slope = subtractFloats(one, zero);
  for (const x of [2, -5, 11]) {
    const value = at(x);
    const line = addFloats(zero, multiplyFloats(slope, { m: BigInt(x), e: 0, err: Number.NEGATIVE_INFINITY }));
    if (!value || !isNothing(subtractFloats(value, line))) return null;
  }
  const root = divideFloats(negateFloat(zero), slope);
  const sign = signOf(slope);
  return root && sign !== 0 ? { at: root, slope: sign } : null;
}
