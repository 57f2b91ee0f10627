import { type Answer, scalar } from "./answer.ts";
import { type Budget, LIMITS, Unreadable } from "./budget.ts";
import { basedValue } from "./evaluate.ts";
import { hasMatrix, matrixOf } from "./matrices.ts";
import { contains, type Node, type NodeOf, wholeNode } from "./nodes.ts";
import { expandPlusMinus, hasPlusMinus } from "./plus-minus.ts";
import { quantityOf } from "./quantities.ts";
import { conditionSet, inequalitySet, infinitySign, realSetOf } from "./real-values.ts";
import { isName } from "./relations.ts";
import { isHedge } from "./words.ts";

/** How ± is read when there are several. */
export interface Signs {
  readonly free: boolean;
}

/** What an answer says: a number with its unit, a tuple, a set, a relation, … @throws Unreadable when it says nothing that can be compared */
export function interpret(node: Node, signs: Signs, budget: Budget): Answer {
  budget.spend();
  if (node.kind === "list") return interpretList(node, signs, budget);
  if (node.kind === "relation") return interpretRelation(node, signs, budget);
  if (node.kind === "set") return collection(node.items, true, signs, budget);
  if (hasPlusMinus(node)) return collection(expandPlusMinus(node, signs.free), false, signs, budget);
  if (node.kind === "builder" || node.kind === "set-operation" || isRealsMinus(node))
    return interpretSet(node, signs, budget);
  if (node.kind === "number-set")
    return node.name === "R"
      ? { kind: "reals", set: realSetOf(node, budget)! }
      : { kind: "number-set", name: node.name };
  if (node.kind === "bracket") {
    if (node.items.length > LIMITS.elements) throw new Unreadable("the tuple has too many elements");
    const items = node.items.map((item) => interpret(item, signs, budget));
    return { kind: "tuple", items, open: node.open, close: node.close, node };
  }
  if (hasMatrix(node)) {
    const rows = matrixOf(node, budget);
    if (rows) return { kind: "matrix", rows };
  }
  if (node.kind === "ratio" && node.parts.length === 2 && isLabel(node.parts[0]!))
    return interpret(node.parts[1]!, signs, budget);
  if (node.kind === "ratio") return { kind: "ratio", parts: node.parts, written: node.written };
  if (node.kind === "based")
    return { kind: "based", digits: node.digits, base: node.base, node: wholeNode(basedValue(node)) };
  const sign = infinitySign(node);
  if (sign !== 0) return { kind: "infinity", sign };
  return quantityOf(node, budget) ?? { kind: "words", text: plainWords(node) };
}

/** "Answer" in "Answer: 5". */
function isLabel(node: Node): boolean {
  const words = plainWords(node);
  return words !== "" && !words.split(" ").some(isHedge);
}

/** Words side by side as one text; "" when there is anything else. */
function plainWords(node: Node): string {
  if (node.kind === "word") return node.text.toLowerCase();
  if (node.kind !== "product") return "";
  const words = node.factors.map(plainWords);
  return words.includes("") ? "" : words.join(" ");
}

function collection(nodes: readonly Node[], isSet: boolean, signs: Signs, budget: Budget): Answer {
  const items = nodes.flatMap((item) => {
    const answer = interpret(item, signs, budget);
    return answer.kind === "collection" && hasPlusMinus(item) ? answer.items : [answer];
  });
  if (items.length > LIMITS.elements) throw new Unreadable(`it has more than ${LIMITS.elements} elements`);
  return { kind: "collection", items, isSet };
}

/** ℝ − {0} */
function isRealsMinus(node: Node): boolean {
  return node.kind === "sum" && node.terms[0]!.kind === "number-set";
}

/** Unions and the like: numbers where the ends are numbers, else a collection of the parts of a union. */
function interpretSet(node: Node, signs: Signs, budget: Budget): Answer {
  const set = realSetOf(node, budget);
  if (set) return { kind: "reals", set };
  if (node.kind === "set-operation" && node.op === "union") return collection(unionParts(node), true, signs, budget);
  if (node.kind === "builder" && node.element.kind === "variable") return interpret(node.condition, signs, budget);
  return node.kind === "builder" && node.element.kind !== "relation"
    ? { kind: "family", element: node.element, condition: node.condition }
    : scalar(node);
}

function unionParts(node: Node): Node[] {
  if (node.kind === "set-operation" && node.op === "union")
    return [...unionParts(node.left), ...unionParts(node.right)];
  return node.kind === "set" ? [...node.items] : [node];
}

/** An assignment such as `x = 5`: its name and value; null for other relations. */
export function assignmentOf(node: Node): { name: Node; value: Node } | null {
  if (node.kind !== "relation" || node.items.length !== 2 || node.signs[0] !== "=") return null;
  const [left, right] = node.items as [Node, Node];
  if (isName(left) && !contains(right, ({ kind }) => kind === "relation")) return { name: left, value: right };
  return isName(right) ? { name: right, value: left } : null;
}

function interpretList(list: NodeOf<"list">, signs: Signs, budget: Budget): Answer {
  const { items, separators } = withoutSharedName(list);
  if (items.every((item) => item.kind === "relation" || item.kind === "list")) {
    const set = items.every((item) => item.kind === "relation" && !assignmentOf(item))
      ? conditionSet({ ...list, items, separators }, budget)
      : null;
    if (set) return { kind: "reals", set };
    const assignments = items.map(assignmentOf);
    if (assignments.every((assignment) => assignment !== null)) return assigned(assignments, signs, budget);
    if (items.every((item) => item.kind === "relation")) {
      return {
        kind: "relations",
        join: separators.includes("or") ? "or" : "and",
        items: items.map((item) => interpret(item, signs, budget)),
      };
    }
  }
  return collection(items, false, signs, budget);
}

/** `n = 2, 3, 4`: the name before the first value stands for all. */
function withoutSharedName(list: NodeOf<"list">): NodeOf<"list"> {
  const [first, ...rest] = list.items;
  const assignment = assignmentOf(first!);
  if (!assignment || rest.some((item) => item.kind === "relation")) return list;
  return { ...list, items: [assignment.value, ...rest] };
}

function assigned(assignments: readonly { name: Node; value: Node }[], signs: Signs, budget: Budget): Answer {
  const names = assignments.map(({ name }) => nameText(name));
  const stems = new Set(names.map((name) => name.replace(/_.*$/, "")));
  const isOneUnknown =
    stems.size === 1 && names.every((name, i) => name === names[0] || name === `${[...stems][0]}_${i + 1}`);
  if (isOneUnknown || new Set(names).size < names.length) {
    return collection(
      assignments.map(({ value }) => value),
      false,
      signs,
      budget,
    );
  }
  return { kind: "assignments", names, values: assignments.map(({ value }) => interpret(value, signs, budget)) };
}

function nameText(node: Node): string {
  return node.kind === "variable" || node.kind === "apply"
    ? node.name
    : node.kind === "product" && node.factors[0]!.kind === "variable"
      ? node.factors[0].name
      : "?";
}

/** Inequalities as sets of numbers where they can be solved; `(x, y) = (2, 17)` by its names; others as they are. */
function interpretRelation(node: NodeOf<"relation">, signs: Signs, budget: Budget): Answer {
  if (node.signs.length === 1 && node.signs[0] === "in" && isName(node.items[0]!))
    return interpret(node.items[1]!, signs, budget);
  const set = inequalitySet(node, budget);
  if (set) return { kind: "reals", set };
  const assignment = assignmentOf(node);
  if (
    assignment?.name.kind === "bracket" &&
    assignment.value.kind === "bracket" &&
    assignment.name.items.length === assignment.value.items.length
  ) {
    const names = assignment.name.items.map(nameText);
    return {
      kind: "assignments",
      names,
      values: assignment.value.items.map((value) => interpret(value, signs, budget)),
    };
  }
  if (hasPlusMinus(node) && assignment) return interpret(assignment.value, signs, budget);
  return { kind: "relation", items: node.items, signs: node.signs };
}
