import { type Rational, rational } from "../../utils/rational.ts";
import { children, contains, type Node, variablesOf } from "./nodes.ts";

const WHOLE_ARGUMENTS = new Set(["factorial", "binom", "gcd", "lcm", "mod"]);

/** Variables that only take whole values: in factorials, binomials, bounds of sums, and exponents of negative numbers. */
export function wholeVariables(nodes: readonly Node[]): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (node: Node): void => {
    if (node.kind === "call" && WHOLE_ARGUMENTS.has(node.name)) for (const arg of node.args) variablesOf(arg, found);
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

/** Whole values at probe `index`: one after the other for the first variable, so that no remainder is left out; the others by chance. */
function wholeValue(place: number, index: number, draw: (below: number) => number): Rational {
  return rational(place === 0 ? 2 + index : 2 + draw(24));
}

/** Sign of variable `place` at probe `index`: over eight probes in a row no variable, and no product of two of the first three, keeps its sign. */
function signAt(place: number, index: number): 1 | -1 {
  const shared = index & (1 + (place % 7));
  return ((shared >> 2) ^ (shared >> 1) ^ shared) & 1 ? -1 : 1;
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
  const isSymmetric = low === -high;
  return new Map(
    names.map((name, place) => {
      if (whole.has(name)) return [name, wholeValue(place, index, draw)];
      const denominator = 1_000_003;
      const first = isSymmetric ? 1 : Math.round(low * denominator);
      const value = first + draw(Math.round((isSymmetric ? high : high - low) * denominator));
      return [name, rational(isSymmetric ? value * signAt(place, index === 1 ? 1 : 2) : value, denominator)];
    }),
  );
}

/** Fractions for rational functions, so that no floor or sine of a multiple of π is hit; their signs take turns. */
export function exactProbe(
  names: readonly string[],
  whole: ReadonlySet<string>,
  index: number,
  draw: (below: number) => number,
): Map<string, Rational> {
  return new Map(
    names.map((name, place) => {
      if (whole.has(name)) return [name, wholeValue(place, index, draw)];
      return [name, rational(signAt(place, index) * (7 * (1 + draw(100_003)) + 1 + draw(6)), 7)];
    }),
  );
}
