import type { Rational } from "../../utils/rational.ts";

/** A piece of mathematics as it is written. */
export type Node =
  | {
      readonly kind: "number";
      readonly value: Rational;
      /** Significant digits when written as a decimal with a point; absent otherwise. */
      readonly digits?: number;
    }
  | { readonly kind: "constant"; readonly name: "pi" | "e" | "i" | "infinity" }
  | {
      readonly kind: "variable";
      readonly name: string /** Written in `\text` or `\mathrm`: perhaps a unit. */;
      readonly upright?: boolean;
    }
  | { readonly kind: "sum"; readonly terms: readonly Node[] }
  | { readonly kind: "product"; readonly factors: readonly Node[] }
  | { readonly kind: "quotient"; readonly above: Node; readonly below: Node }
  | { readonly kind: "negative"; readonly of: Node }
  | { readonly kind: "power"; readonly base: Node; readonly exponent: Node }
  /** A function that has a value here: sin, ln, binom, … */
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Node[] }
  /** An unknown function: f(x). */
  | { readonly kind: "apply"; readonly name: string; readonly args: readonly Node[] }
  | { readonly kind: "plus-minus"; readonly sign: 1 | -1; readonly left: Node | null; readonly right: Node }
  | {
      readonly kind: "big";
      readonly op: "sum" | "product";
      readonly variable: string;
      readonly from: Node;
      readonly to: Node;
      readonly body: Node;
    }
  | { readonly kind: "percent"; readonly of: Node }
  | { readonly kind: "degree"; readonly of: Node }
  | { readonly kind: "money"; readonly sign: string; readonly of: Node }
  /** A known unit of measure. */
  | { readonly kind: "unit"; readonly name: string }
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "relation"; readonly items: readonly Node[]; readonly signs: readonly string[] }
  /** Things side by side; `separators` has one element less: `,` `;` `and` `or`. */
  | { readonly kind: "list"; readonly items: readonly Node[]; readonly separators: readonly string[] }
  /** `( … )`, `[ … )`, … with several elements, or square ones. */
  | { readonly kind: "bracket"; readonly open: string; readonly close: string; readonly items: readonly Node[] }
  | { readonly kind: "set"; readonly items: readonly Node[] }
  | { readonly kind: "builder"; readonly element: Node; readonly condition: Node }
  | {
      readonly kind: "set-operation";
      readonly op: "union" | "intersection" | "minus";
      readonly left: Node;
      readonly right: Node;
    }
  /** ℝ, ℤ, ℕ, ℚ, ℂ by their letter. */
  | { readonly kind: "number-set"; readonly name: string }
  | { readonly kind: "matrix"; readonly rows: readonly (readonly Node[])[] }
  | {
      readonly kind: "ratio";
      readonly parts: readonly Node[] /** As written, for times of day. */;
      readonly written: string;
    }
  | { readonly kind: "based"; readonly digits: string; readonly base: number }
  | { readonly kind: "dots" }
  /** The missing left side of `> 5`. */
  | { readonly kind: "hole" };

/** A node of one kind. */
export type NodeOf<Kind extends Node["kind"]> = Extract<Node, { kind: Kind }>;

const COMMUTES = new Set(["sum", "product", "set"]);

/**
 * One text for all writings that differ in the order of terms and factors only. Exact: equal texts mean equal mathematics.
 */
export function canonical(node: Node): string {
  switch (node.kind) {
    case "number": {
      const { numerator, denominator } = node.value;
      return denominator === 1n ? `${numerator}` : `${numerator}/${denominator}`;
    }
    case "constant":
      return `#${node.name}`;
    case "variable":
      return node.name;
    case "word":
      return `"${node.text}"`;
    case "relation":
      return `(${node.items.map((item, i) => (i === 0 ? "" : node.signs[i - 1]) + canonical(item)).join("")})`;
    case "based":
      return `${node.digits}_${node.base}`;
    case "bracket":
      return `${node.open}${node.items.map(canonical).join(",")}${node.close}`;
    case "matrix":
      return `matrix(${node.rows.map((row) => row.map(canonical).join(",")).join(";")})`;
    default:
      return canonicalParts(node);
  }
}

function canonicalParts(node: Node): string {
  const parts = children(node).map(canonical);
  if (COMMUTES.has(node.kind)) parts.sort();
  const label = Object.entries(node).filter(([, value]) => typeof value === "string" || typeof value === "number");
  return `${label.map(([, value]) => value).join(":")}(${parts.join(",")})`;
}

/** The nodes directly below, in order. */
export function children(node: Node): readonly Node[] {
  switch (node.kind) {
    case "sum":
      return node.terms;
    case "product":
      return node.factors;
    case "quotient":
      return [node.above, node.below];
    case "power":
      return [node.base, node.exponent];
    case "negative":
    case "percent":
    case "degree":
    case "money":
      return [node.of];
    case "call":
    case "apply":
      return node.args;
    case "plus-minus":
    case "set-operation":
      return node.left ? [node.left, node.right] : [node.right];
    case "big":
      return [node.from, node.to, node.body];
    case "relation":
    case "list":
    case "bracket":
    case "set":
      return node.items;
    case "builder":
      return [node.element, node.condition];
    case "matrix":
      return node.rows.flat();
    case "ratio":
      return node.parts;
    default:
      return [];
  }
}

/** Whether a node of this sort stands anywhere in it. */
export function contains(node: Node, wanted: (node: Node) => boolean): boolean {
  return wanted(node) || children(node).some((child) => contains(child, wanted));
}

/** Names of the variables in it, the running ones of sums left out. */
export function variablesOf(node: Node, found: Set<string> = new Set()): Set<string> {
  if (node.kind === "variable") found.add(node.name);
  if (node.kind !== "big") {
    for (const child of children(node)) variablesOf(child, found);
    return found;
  }
  const inner = variablesOf(node.body);
  inner.delete(node.variable);
  for (const name of inner) found.add(name);
  variablesOf(node.from, found);
  return variablesOf(node.to, found);
}

/** A whole number as a node. */
export function wholeNode(value: bigint | number): NodeOf<"number"> {
  return { kind: "number", value: { numerator: BigInt(value), denominator: 1n } };
}
