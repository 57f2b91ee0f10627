import type { AnswerOf } from "./answer.ts";
import type { Budget } from "./budget.ts";
import { differentBy, equalBy, type Judgement } from "./judgement.ts";
import { canonical, type Node } from "./nodes.ts";
import { mapChildren } from "./plus-minus.ts";
import { sameExpression } from "./same-expression.ts";

type Family = AnswerOf<"family">;

/** `{2k : k ∈ ℤ}` and `{2n : n ∈ ℤ}`: the same expression of a running variable under the same condition. Other ways to write the same numbers are not found. */
export function sameFamily(gold: Family, answer: Family, budget: Budget): Judgement {
  const [wanted, present] = [runningName(gold.condition), runningName(answer.condition)];
  const rename = (node: Node): Node =>
    node.kind === "variable" && node.name === present && wanted !== null
      ? { ...node, name: wanted }
      : mapChildren(node, rename);
  if (canonical(rename(answer.condition)) !== canonical(gold.condition)) return differentBy("sets by a condition");
  return sameExpression(gold.element, rename(answer.element), budget).equal
    ? equalBy("sets by a condition")
    : differentBy("sets by a condition", "the elements differ");
}

/** k in `k ∈ ℤ`. */
function runningName(condition: Node): string | null {
  const isMember = condition.kind === "relation" && condition.signs.length === 1 && condition.signs[0] === "in";
  const [first] = isMember ? condition.items : [];
  return first?.kind === "variable" ? first.name : null;
}
