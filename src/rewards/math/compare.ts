import type { Answer, AnswerOf } from "./answer.ts";
import type { Budget } from "./budget.ts";
import { sameFamily } from "./families.ts";
import { interpret, type Signs } from "./interpret.ts";
import { allEqual, differentBy, equalBy, type Judgement } from "./judgement.ts";
import { isIdentity } from "./matrices.ts";
import { canonical, type Node } from "./nodes.ts";
import { sameSet } from "./real-set.ts";
import { bracketSet, pointsOf } from "./real-values.ts";
import { assignedValue } from "./relation-value.ts";
import { sameRelation } from "./relations.ts";
import { sameExpression } from "./same-expression.ts";
import { sameScalar } from "./same-scalar.ts";
import { timeOf } from "./times.ts";

/** What a comparison needs besides the two answers. */
export interface Context {
  readonly budget: Budget;
  readonly signs: Signs;
}

/** Whether an answer says the same as the gold answer. */
export function compare(gold: Answer, answer: Answer, context: Context): Judgement {
  context.budget.spend();
  if (gold.kind === "relation" || answer.kind === "relation") return compareRelations(gold, answer, context);
  if (gold.kind === "words" && answer.kind === "words" && gold.text !== "" && gold.text === answer.text)
    return equalBy("same words");
  if (gold.kind === "words" || answer.kind === "words") return differentBy("words and mathematics");
  if (gold.kind === "collection" || answer.kind === "collection") return compareCollections(gold, answer, context);
  if (gold.kind === "assignments" || answer.kind === "assignments") return compareAssignments(gold, answer, context);
  if (gold.kind === "reals" || answer.kind === "reals") return compareReals(gold, answer, context);
  if (gold.kind === "tuple" || answer.kind === "tuple") return compareTuples(gold, answer, context);
  if (gold.kind === "matrix" || answer.kind === "matrix") return compareMatrices(gold, answer, context);
  if (gold.kind === "ratio" || answer.kind === "ratio") return compareRatios(gold, answer, context);
  if (gold.kind === "based" || answer.kind === "based") return compareBased(gold, answer, context);
  if (gold.kind === "infinity" && answer.kind === "infinity")
    return gold.sign === answer.sign ? equalBy("infinity") : differentBy("sign of infinity");
  if (gold.kind === "number-set" && answer.kind === "number-set")
    return gold.name === answer.name ? equalBy("same set of numbers") : differentBy("other set of numbers");
  if (gold.kind === "family" && answer.kind === "family") return sameFamily(gold, answer, context.budget);
  if (gold.kind === "relations" && answer.kind === "relations")
    return gold.join === answer.join ? sameElements(gold.items, answer.items, context) : differentBy("and against or");
  if (gold.kind === "scalar" && answer.kind === "scalar") return sameScalar(gold, answer, context.budget);
  return differentKinds(gold, answer);
}

function differentKinds(gold: Answer, answer: Answer): Judgement {
  return differentBy("different kinds", `a ${answer.kind} is no ${gold.kind}`);
}

/** A name given to a value counts as the value, as far as both sides allow it. */
function compareRelations(gold: Answer, answer: Answer, context: Context): Judgement {
  const { budget, signs } = context;
  if (gold.kind === "relation" && answer.kind === "relation") {
    const judgement = sameRelation(gold, answer, budget);
    if (judgement.equal) return judgement;
    const [a, b] = [assignedValue(gold, budget), assignedValue(answer, budget)];
    if (!a || !b || (!a.isConstant && !(a.name === b.name && a.name !== null))) return judgement;
    if (a.name !== null && b.name !== null && a.name.toLowerCase() !== b.name.toLowerCase()) return judgement; // x = 5 is not y = 5
    return compare(interpret(a.value, signs, budget), interpret(b.value, signs, budget), context);
  }
  const [relation, other] = gold.kind === "relation" ? [gold, answer] : [answer as AnswerOf<"relation">, gold];
  if (relation.signs.join() === "mod" && other.kind === "scalar")
    return sameExpression(relation.items[0]!, other.node, budget); // 3 (mod 7)
  const assigned = assignedValue(relation, budget);
  if (!assigned) return differentBy("a relation and something else", "the relation gives no value");
  const against = (node: Node): Judgement => {
    const value = interpret(node, signs, budget);
    return gold.kind === "relation" ? compare(value, other, context) : compare(other, value, context);
  };
  const exact = assigned.exact && against(assigned.exact);
  return exact?.equal ? exact : against(assigned.value);
}

function compareCollections(gold: Answer, answer: Answer, context: Context): Judgement {
  if (gold.kind === "collection" && answer.kind === "collection")
    return sameElements(gold.items, answer.items, context);
  const [list, other] = gold.kind === "collection" ? [gold, answer] : [answer as AnswerOf<"collection">, gold];
  if (other.kind === "assignments") return inOrder(list.items, other.values, context);
  if (other.kind === "tuple" && !list.isSet && other.open === "(" && other.close === ")")
    return inOrder(list.items, other.items, context);
  if (other.kind === "tuple" && !list.isSet && other.open === "[" && other.close === "]" && list.items.length !== 2)
    return inOrder(list.items, other.items, context);
  if (list.items.length === 0)
    return other.kind === "reals" && other.set.length === 0
      ? equalBy("empty set")
      : differentBy("an empty set and something else");
  if (other.kind === "reals") {
    const points = pointsOf(list.items.map(nodeOf), context.budget);
    return points && sameSet(points, other.set) ? equalBy("same numbers") : differentBy("a list and an interval");
  }
  // one value, written once or several times
  return allEqual("the only element", list.items.length, (i) =>
    gold.kind === "collection" ? compare(list.items[i]!, other, context) : compare(other, list.items[i]!, context),
  );
}

/** The number that an answer is; what is no number gives a node without a value. */
function nodeOf(answer: Answer): Node {
  return answer.kind === "scalar" && answer.measure === null && answer.label === "" ? answer.node : { kind: "dots" };
}

function inOrder(a: readonly Answer[], b: readonly Answer[], context: Context): Judgement {
  if (a.length !== b.length) return differentBy("element by element", `${a.length} and ${b.length} elements`);
  return allEqual("element by element", a.length, (i) => compare(a[i]!, b[i]!, context));
}

/** Two collections are equal when each element of one is in the other. */
function sameElements(gold: readonly Answer[], answer: readonly Answer[], context: Context): Judgement {
  const missing = firstMissing(gold, answer, context, false);
  if (missing !== null)
    return differentBy("same elements in any order", `element ${missing + 1} of the gold answer is missing`);
  const extra = firstMissing(answer, gold, context, true);
  if (extra !== null)
    return differentBy("same elements in any order", `element ${extra + 1} is not in the gold answer`);
  return equalBy("same elements in any order");
}

function firstMissing(
  wanted: readonly Answer[],
  present: readonly Answer[],
  context: Context,
  turned: boolean,
): number | null {
  const at = wanted.findIndex(
    (item) =>
      !present.some(
        (other) =>
          isSet(item) === isSet(other) &&
          (turned ? compare(other, item, context) : compare(item, other, context)).equal,
      ),
  );
  return at < 0 ? null : at;
}

/** Inside a set, {2} is not 2. */
function isSet(answer: Answer): boolean {
  return answer.kind === "collection" && answer.isSet;
}

function compareAssignments(gold: Answer, answer: Answer, context: Context): Judgement {
  if (gold.kind === "assignments" && answer.kind === "assignments") {
    const places = gold.names.map((name) => answer.names.indexOf(name));
    if (gold.names.length !== answer.names.length || places.includes(-1))
      return differentBy("values by name", "the names differ");
    return allEqual("values by name", places.length, (i) =>
      compare(gold.values[i]!, answer.values[places[i]!]!, context),
    );
  }
  const [named, other] = gold.kind === "assignments" ? [gold, answer] : [answer as AnswerOf<"assignments">, gold];
  const order = named.names.map((_, i) => i).sort((i, j) => (named.names[i]! < named.names[j]! ? -1 : 1));
  if (other.kind !== "tuple") return differentKinds(gold, answer);
  // against a tuple without names: as written when the gold is named, else by the alphabet
  const written = gold.kind === "assignments" ? named.values : order.map((i) => named.values[i]!);
  return inOrder(written, other.items, context);
}

function compareReals(gold: Answer, answer: Answer, { budget }: Context): Judgement {
  const [a, b] = [gold, answer].map((side) =>
    side.kind === "reals"
      ? side.set
      : side.kind === "tuple" && side.node.kind === "bracket"
        ? bracketSet(side.node, budget)
        : null,
  );
  if (!a || !b) return differentKinds(gold, answer);
  return sameSet(a, b) ? equalBy("same set of real numbers") : differentBy("different sets of real numbers");
}

function compareTuples(gold: Answer, answer: Answer, context: Context): Judgement {
  if (gold.kind === "tuple" && answer.kind === "tuple") {
    if (gold.open !== answer.open || gold.close !== answer.close)
      return differentBy("element by element", "the brackets differ");
    return inOrder(gold.items, answer.items, context);
  }
  const [tuple, other] = gold.kind === "tuple" ? [gold, answer] : [answer as AnswerOf<"tuple">, gold];
  if (other.kind !== "matrix" || (other.rows.length !== 1 && other.rows[0]!.length !== 1))
    return differentKinds(gold, answer);
  const cells = other.rows.flat().map((cell) => interpret(cell, context.signs, context.budget));
  return inOrder(tuple.items, cells, context);
}

function compareMatrices(gold: Answer, answer: Answer, { budget }: Context): Judgement {
  if (gold.kind === "matrix" && answer.kind === "matrix") {
    const [a, b] = [gold.rows, answer.rows];
    if (a.length !== b.length || a[0]!.length !== b[0]!.length)
      return differentBy("matrices element by element", "the sizes differ");
    const [left, right] = [a.flat(), b.flat()];
    return allEqual("matrices element by element", left.length, (i) => sameExpression(left[i]!, right[i]!, budget));
  }
  const [matrix, other] = gold.kind === "matrix" ? [gold, answer] : [answer as AnswerOf<"matrix">, gold];
  const isNamed = other.kind === "scalar" && other.node.kind === "variable" && /^I(?:_\d)?$/.test(other.node.name);
  return isNamed && isIdentity(matrix.rows, budget)
    ? equalBy("the identity matrix by its name")
    : differentKinds(gold, answer);
}

/** Ratios up to a common factor; what looks like a time of day on both sides is one. */
function compareRatios(gold: Answer, answer: Answer, { budget }: Context): Judgement {
  if (gold.kind === "ratio" && answer.kind === "ratio") {
    if (gold.parts.length !== answer.parts.length) return differentBy("ratios", "the numbers of parts differ");
    const same = allEqual("ratios part by part", gold.parts.length, (i) =>
      sameExpression(gold.parts[i]!, answer.parts[i]!, budget),
    );
    if (same.equal || timeOf(gold.written)) return same;
    return allEqual("ratios up to a factor", gold.parts.length - 1, (i) =>
      sameExpression(quotient(gold.parts, i), quotient(answer.parts, i), budget),
    );
  }
  const [ratio, other] = gold.kind === "ratio" ? [gold, answer] : [answer as AnswerOf<"ratio">, gold];
  if (ratio.parts.length !== 2 || other.kind !== "scalar" || timeOf(ratio.written)) return differentKinds(gold, answer);
  return sameExpression(quotient(ratio.parts, 0), other.node, budget);
}

function quotient(parts: readonly Node[], i: number): Node {
  return { kind: "quotient", above: parts[i]!, below: parts[i + 1]! };
}

/** Numbers in a base: same digits and base; against a plain number the value, or the digits with the base left out. */
function compareBased(gold: Answer, answer: Answer, { budget }: Context): Judgement {
  if (gold.kind === "based" && answer.kind === "based") {
    if (gold.base === answer.base)
      return gold.digits === answer.digits ? equalBy("same digits in the same base") : differentBy("different digits");
    return sameExpression(gold.node, answer.node, budget).equal
      ? equalBy("same value in another base")
      : differentBy("different values in different bases");
  }
  const [based, other] = gold.kind === "based" ? [gold, answer] : [answer as AnswerOf<"based">, gold];
  if (other.kind !== "scalar") return differentKinds(gold, answer);
  if (canonical(other.node) === based.digits) return equalBy("same digits, base left out");
  return sameExpression(based.node, other.node, budget);
}
