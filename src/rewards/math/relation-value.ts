import type { AnswerOf } from "./answer.ts";
import type { Budget } from "./budget.ts";
import { type Node, variablesOf } from "./nodes.ts";
import { isName } from "./relations.ts";
import { sameExpression } from "./same-expression.ts";

/** What a chain of equalities says its name is. */
export interface Assigned {
  /** Name of the variable, when it is one. */
  readonly name: string | null;
  readonly value: Node;
  readonly isConstant: boolean;
}

/**
 * The value in `x = 5`, `23 = x`, `x = 3 + 20 = 23`, `f(x) = 2x`, `|AB| = 1`, `3 + 4 = 7`, `≈ 5`: null when there is no name or value, and when
 * sides that are said to be equal are not.
 */
export function assignedValue({ items, signs }: AnswerOf<"relation">, budget: Budget): Assigned | null {
  if (!signs.every((sign) => sign === "=" || sign === "~" || sign === "to")) return null;
  const names = items.filter(isName);
  const isTurned = items.length === 2 && !isName(items[0]!) && isName(items[1]!);
  const value = isTurned ? items[0]! : items.at(-1)!;
  if (isName(value) && !(items.length === 2 && value.kind !== "hole")) return null;
  const first = isTurned ? items[1]! : items[0]!;
  if (!isName(first) && items.some((item) => variablesOf(item).size > 0)) return null;
  for (const [i, item] of items.entries()) {
    if (item === value || names.includes(item)) continue;
    const isRough = signs[i] === "~" || signs[i - 1] === "~";
    if (!isRough && !sameExpression(item, value, budget).equal) return null;
  }
  return { name: first.kind === "variable" ? first.name : null, value, isConstant: variablesOf(value).size === 0 };
}
