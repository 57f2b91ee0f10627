import { LIMITS, Unreadable } from "./budget.ts";
import { children, contains, type Node } from "./nodes.ts";

const isPlusMinus = ({ kind }: Node): boolean => kind === "plus-minus";

export function hasPlusMinus(node: Node): boolean {
  return contains(node, isPlusMinus);
}

/**
 * The expressions that ± stands for. Tied: all upper signs, then all lower ones, as in `x = 1 ± 2, y = 3 ∓ 1`; free: each sign by itself, as in `±1 ± √2`.
 */
export function expandPlusMinus(node: Node, isFree: boolean): readonly Node[] {
  if (!hasPlusMinus(node)) return [node];
  if (!isFree) return [choose(node, 1), choose(node, -1)];
  const inner = firstPlusMinus(node)!;
  const variants = [replaceNode(node, inner, branch(inner, 1)), replaceNode(node, inner, branch(inner, -1))];
  const all = variants.flatMap((variant) => expandPlusMinus(variant, true));
  if (all.length > LIMITS.elements) throw new Unreadable("± stands for too many values");
  return all;
}

type PlusMinus = Extract<Node, { kind: "plus-minus" }>;

function branch({ sign, left, right }: PlusMinus, which: 1 | -1): Node {
  const signed: Node = sign * which > 0 ? right : { kind: "negative", of: right };
  return left === null ? signed : { kind: "sum", terms: [left, signed] };
}

function choose(node: Node, which: 1 | -1): Node {
  const inner = mapChildren(node, (child) => choose(child, which));
  return inner.kind === "plus-minus" ? branch(inner, which) : inner;
}

function firstPlusMinus(node: Node): PlusMinus | null {
  for (const child of children(node)) {
    const found = firstPlusMinus(child);
    if (found) return found;
  }
  return node.kind === "plus-minus" ? node : null;
}

function replaceNode(node: Node, old: Node, by: Node): Node {
  return node === old ? by : mapChildren(node, (child) => replaceNode(child, old, by));
}

/** The node with its direct children changed. */
export function mapChildren(node: Node, change: (child: Node) => Node): Node {
  switch (node.kind) {
    case "sum":
      return { ...node, terms: node.terms.map(change) };
    case "product":
      return { ...node, factors: node.factors.map(change) };
    case "quotient":
      return { ...node, above: change(node.above), below: change(node.below) };
    case "power":
      return { ...node, base: change(node.base), exponent: change(node.exponent) };
    case "negative":
    case "percent":
    case "degree":
    case "money":
      return { ...node, of: change(node.of) };
    case "call":
    case "apply":
      return { ...node, args: node.args.map(change) };
    case "plus-minus":
      return { ...node, left: node.left && change(node.left), right: change(node.right) };
    case "set-operation":
      return { ...node, left: change(node.left), right: change(node.right) };
    case "big":
      return { ...node, from: change(node.from), to: change(node.to), body: change(node.body) };
    case "relation":
    case "list":
    case "bracket":
    case "set":
      return { ...node, items: node.items.map(change) };
    case "builder":
      return { ...node, element: change(node.element), condition: change(node.condition) };
    case "matrix":
      return { ...node, rows: node.rows.map((row) => row.map(change)) };
    case "ratio":
      return { ...node, parts: node.parts.map(change) };
    default:
      return node;
  }
}
