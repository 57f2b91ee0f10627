import type { Json } from "../../rollout/types.ts";
import type { CodeLanguage, Wire } from "./types.ts";

/** Deepest nesting that is compared. */
const MAX_DEPTH = 128;

/** What the text of a one-key object may be. */
const FORMS: ReadonlyMap<string, RegExp> = new Map([
  ["n", /^(nan|inf|-inf)$/],
  ["i", /^-?\d+$/],
  ["f", /^-?\d+(\.\d*)?(e[+-]?\d+)?$/],
  ["b", /^[\da-f]*$/],
  ["x", /^/],
]);
const SPECIAL: ReadonlyMap<string, number> = new Map([
  ["nan", Number.NaN],
  ["inf", Infinity],
  ["-inf", -Infinity],
]);

/** A JSON value of a data row as it travels to a sandbox. */
export function toWire(value: Json): Wire {
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== "object" || value === null) return value as Wire;
  return { d: Object.entries(value).map(([key, inner]): [Wire, Wire] => [key, toWire(inner as Json)]) };
}

/** Is this a value as a sandbox should send it? Everything from there is checked: a candidate may have written it itself. */
export function isWire(value: unknown, depth = 0): value is Wire {
  if (value === null || typeof value === "boolean" || typeof value === "string") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => isWire(item, depth + 1));
  const entries = Object.entries(value);
  if (entries.length !== 1) return false;
  const [kind, content] = entries[0]!;
  if (typeof content === "string") return FORMS.get(kind)?.test(content) ?? false;
  if (!Array.isArray(content)) return false;
  if (kind === "t" || kind === "s") return content.every((item) => isWire(item, depth + 1));
  const isPair = (pair: unknown): boolean =>
    Array.isArray(pair) && pair.length === 2 && pair.every((item) => isWire(item, depth + 1));
  return kind === "d" && content.every(isPair);
}

/** How values are compared. */
export interface ValueComparison {
  readonly language: CodeLanguage;
  /** Numbers may differ by this much, absolutely or relative to the expected one; 0 = not at all. */
  readonly tolerance: number;
}

/**
 * Is what a function returned what was expected? Lists and tuples are alike, and a list is expected where a set was written as JSON; a key of a
 * dictionary counts by its text; 1 and 1.0 are equal; True is 1 in Python only. Values of other types (`x`) equal nothing.
 */
export function sameValue(got: Wire, expected: Wire, how: ValueComparison, depth = 0): boolean {
  if (depth > MAX_DEPTH) return false;
  const [a, b] = [numberOf(got, how), numberOf(expected, how)];
  if (a !== null || b !== null) return a !== null && b !== null && sameNumber(a, b, how.tolerance);
  if (typeof got !== "object" || typeof expected !== "object" || got === null || expected === null)
    return got === expected;
  if ("s" in got) return sameMembers(got.s, itemsOf(expected) ?? ("s" in expected ? expected.s : null), how, depth);
  const [items, wanted] = [itemsOf(got), itemsOf(expected)];
  if (items || wanted) return items !== null && wanted !== null && sameItems(items, wanted, how, depth);
  if ("d" in got && "d" in expected) return samePairs(got.d, expected.d, how, depth);
  return "b" in got && "b" in expected && got.b === expected.b;
}

/** A value as short text, for people. */
export function showValue(value: Wire): string {
  const text = JSON.stringify(plain(value)) ?? "null";
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** Whole numbers as bigint, so that large ones are exact. */
function numberOf(value: Wire, { language }: ValueComparison): number | bigint | null {
  if (typeof value === "boolean") return language === "python" ? Number(value) : null;
  if (typeof value === "number") return value;
  if (typeof value !== "object" || value === null) return null;
  if ("n" in value) return SPECIAL.get(value.n) ?? null;
  if ("f" in value) return Number(value.f);
  return "i" in value ? BigInt(value.i) : null;
}

/** Whole numbers of any size are exact, unless the expected one is of a JSON row and was rounded to a double when that was read. */
function sameNumber(got: number | bigint, expected: number | bigint, tolerance: number): boolean {
  // biome-ignore lint/suspicious/noDoubleEquals: 1n == 1 compares exactly, === never does
  if (got == expected) return true;
  const [x, y] = [Number(got), Number(expected)];
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) && Number.isNaN(y);
  if (!Number.isFinite(x) || !Number.isFinite(y)) return false;
  const wasRounded = typeof expected === "number" && Number.isInteger(y) && !Number.isSafeInteger(y);
  if (wasRounded && x === y) return true;
  return tolerance > 0 && Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(y));
}

function itemsOf(value: Exclude<Wire, null | boolean | number | string>): readonly Wire[] | null {
  if (Array.isArray(value)) return value;
  return "t" in value ? value.t : null;
}

function sameItems(a: readonly Wire[], b: readonly Wire[], how: ValueComparison, depth: number): boolean {
  return a.length === b.length && a.every((item, i) => sameValue(item, b[i]!, how, depth + 1));
}

/** Sets are compared member by member after ordering by text: members that differ by rounding may then be taken for different. */
function sameMembers(a: readonly Wire[], b: readonly Wire[] | null, how: ValueComparison, depth: number): boolean {
  if (b === null) return false;
  const order = (members: readonly Wire[]): Wire[] =>
    members
      .map((member) => ({ member, text: textOf(member) }))
      .sort((x, y) => (x.text < y.text ? -1 : 1))
      .map(({ member }) => member);
  return sameItems(order(a), order(b), how, depth);
}

function samePairs(
  a: readonly (readonly [Wire, Wire])[],
  b: readonly (readonly [Wire, Wire])[],
  how: ValueComparison,
  depth: number,
): boolean {
  const found = new Map(a.map(([key, value]) => [textOf(key), value]));
  const wanted = new Map(b.map(([key, value]) => [textOf(key), value]));
  if (found.size !== wanted.size || a.length !== b.length) return false; // 1 and "1" are one key by their text
  return [...wanted].every(([key, value]) => found.has(key) && sameValue(found.get(key)!, value, how, depth + 1));
}

/** Of a key or member; a number and its text are alike, since JSON has text keys only. */
function textOf(value: Wire): string {
  const inner = plain(value);
  return typeof inner === "string" ? inner : JSON.stringify(inner);
}

function plain(value: Wire): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  const [[kind, content]] = Object.entries(value) as [[string, unknown]];
  if (kind === "t" || kind === "s") return (content as Wire[]).map(plain);
  if (kind === "d")
    return Object.fromEntries((content as [Wire, Wire][]).map(([key, inner]) => [textOf(key), plain(inner)]));
  if (kind === "f") return Number(content);
  return kind === "x" ? `a value of type ${String(content)}` : String(content);
}
