import type { AnswerOf } from "./answer.ts";
import { toDouble } from "./big-float.ts";
import type { Budget } from "./budget.ts";
import { type Node, variablesOf } from "./nodes.ts";
import { realValue } from "./real-values.ts";
import { isName } from "./relations.ts";
import { sameExpression } from "./same-expression.ts";

/** What a chain of equalities says its name is. */
export interface Assigned {
  /** Name of the variable, when it is one. */
  readonly name: string | null;
  readonly value: Node;
  /** The value before the first ≈, when there is one: in `x = √2 ≈ 1.41` both are answers. */
  readonly exact: Node | null;
  readonly isConstant: boolean;
}

/**
 * The value in `x = 5`, `23 = x`, `x = 3 + 20 = 23`, `a + b = 3 + 20 = 23`, `f(x) = 2x`, `|AB| = 1`, `3 + 4 = 7`, `≈ 5`: null when there is no name or
 * value, and when sides that are said to be equal are not.
 */
export function assignedValue({ items, signs }: AnswerOf<"relation">, budget: Budget): Assigned | null {
  if (!signs.every((sign) => sign === "=" || sign === "~" || sign === "to")) return null;
  const isTurned = items.length === 2 && !isName(items[0]!) && isName(items[1]!);
  const value = isTurned ? items[0]! : items.at(-1)!;
  if (isName(value) && !(items.length === 2 && value.kind !== "hole")) return null;
  const first = isTurned ? items[1]! : items[0]!;
  const isStated = items.length > 2 && items.slice(1).every((item) => variablesOf(item).size === 0); // a + b = 20 + 22 = 42
  if (!isName(first) && !isStated && items.some((item) => variablesOf(item).size > 0)) return null;
  for (const [i, item] of items.entries()) {
    if (item === value || isName(item) || (isStated && i === 0)) continue;
    const isRough = signs.slice(i).includes("~");
    if (!(isRough ? isClose(item, value, budget) : sameExpression(item, value, budget).equal)) return null;
  }
  const rough = signs.indexOf("~");
  const exact = rough >= 0 && !isName(items[rough]!) && items[rough] !== value ? items[rough]! : null;
  return {
    name: first.kind === "variable" ? first.name : null,
    value,
    exact,
    isConstant: variablesOf(value).size === 0,
  };
}

/** Whether two numbers are within a twentieth of each other; expressions in variables are not looked at. */
function isClose(a: Node, b: Node, budget: Budget): boolean {
  const [x, y] = [a, b].map((node) => realValue(node, budget));
  if (!x || !y) return true;
  const [left, right] = [toDouble(x), toDouble(y)];
  return Math.abs(left - right) <= 0.05 * Math.max(Math.abs(left), Math.abs(right));
}
