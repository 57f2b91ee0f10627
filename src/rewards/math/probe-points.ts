import { type Rational, rational } from "../rational.ts";
import { children, contains, type Node, variablesOf } from "./nodes.ts";

/** Variables that only take whole values: in factorials, binomials, bounds of sums, and exponents of negative numbers. */
export function wholeVariables(nodes: readonly Node[]): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (node: Node): void => {
    if (node.kind === "call" && (node.name === "factorial" || node.name === "binom"))
      for (const arg of node.args) variablesOf(arg, found);
    if (node.kind === "big") {
      variablesOf(node.from, found);
      variablesOf(node.to, found);
    }
    if (node.kind === "power" && isNegativeNumber(node.base)) variablesOf(node.exponent, found);
    for (const child of children(node)) visit(child);
  };
  for (const node of nodes) visit(node);
  return found;
}

function isNegativeNumber(node: Node): boolean {
  return node.kind === "negative" && !contains(node, ({ kind }) => kind === "variable");
}

/** A generator of numbers that always starts in the same place: probes do not depend on anything but their index. */
export function fixedDraws(): (below: number) => number {
  let state = 0x9e3779b9;
  return (below) => {
    // xorshift32, Marsaglia 2003
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Ranges of the probes in turn: functions such as ln, arcsin or acosh are defined in some of them only. */
const RANGES: readonly (readonly [low: number, high: number])[] = [
  [0.2, 3],
  [-3, 3],
  [0.05, 0.95],
  [1.1, 9],
  [-0.95, 0.95],
  [-9, -0.5],
];

/** Values of the variables at probe `index`: fractions with odd denominators for real variables, small whole numbers for whole ones. */
export function probe(
  names: readonly string[],
  whole: ReadonlySet<string>,
  index: number,
  draw: (below: number) => number,
): Map<string, Rational> {
  const [low, high] = RANGES[index % RANGES.length]!;
  return new Map(
    names.map((name) => {
      if (whole.has(name)) return [name, rational(2 + draw(24))];
      const denominator = 1_000_003;
      const first = Math.round(low * denominator);
      return [name, rational(first + draw(Math.round((high - low) * denominator)), denominator)];
    }),
  );
}

/** Whole probes for rational functions; their signs take turns. */
export function wholeProbe(
  names: readonly string[],
  whole: ReadonlySet<string>,
  index: number,
  draw: (below: number) => number,
): Map<string, Rational> {
  return new Map(
    names.map((name, i) => {
      if (whole.has(name)) return [name, rational(2 + draw(40))];
      const size = 2 + draw(1_000_003);
      return [name, rational((index >> (i % 3)) % 2 === 0 ? size : -size)];
    }),
  );
}
