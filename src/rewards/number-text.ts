import { add, divide, multiply, negate, parseDecimal, type Rational, rational } from "../utils/rational.ts";
import { plainMath } from "./plain-math.ts";

/** A number as it stands in a text. */
export interface NumberFound {
  /** Exact; a percentage as its hundredth part. null: digits that do not make one number, such as `2^10`, `5/0` or `1.2.3`. */
  readonly value: Rational | null;
  readonly isPercent: boolean;
  readonly start: number;
  readonly end: number;
}

/** Why a text that should be a number is none. `nothing`: there are no digits in it. */
export interface NoNumber {
  readonly problem: string;
  readonly kind: "nothing" | "several" | "other";
}

const PLAIN = String.raw`(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+)(?:\.\d+)?|(?<![\p{L}\d.)])\.\d+`;
/*
 * Numbers as people and models write them: 1,234.50 · $18 · -3/4 · 2 1/2 · 25% · 1.5e3 · 658 × 10^-3. No repetition here is nested, so that
 * matching is linear in the text.
 */
const NUMBER = new RegExp(
  String.raw`(?:(?<sign>[-+−–])(?<gap>\s?))?(?:\p{Sc}\s?)?(?<inner>[-−]?)` +
    String.raw`(?:(?<whole>\d{1,9})\s(?=\d{1,9}\/\d))?(?<above>${PLAIN})` +
    String.raw`(?:\s?\/\s?(?<below>${PLAIN}))?` +
    String.raw`(?:[eE](?<exponent>[-+]?\d{1,3})(?![\p{L}\d])|\s?[×x*·]\s?10\s?\^\s?\{?(?<power>[-+−]?\d{1,3})(?!\d)\}?)?` +
    String.raw`(?<percent>\s?\$?\s?(?:%|per ?cent(?!\p{L})|pct(?!\p{L})))?`,
  "gu",
);

/** All numbers of a text, in their order. What belongs to a word or to an exponent (`x5`, `m^2`) is none. */
export function numbersIn(text: string): NumberFound[] {
  return [...text.matchAll(NUMBER)].flatMap((match) => toNumber(match, text) ?? []);
}

/** The last number of a text; null when there is none, or when its last digits do not make a number. */
export function trailingNumber(text: string): NumberFound | null {
  const plain = plainMath(text);
  for (const match of [...plain.matchAll(NUMBER)].reverse()) {
    const found = toNumber(match, plain);
    if (found) return found;
  }
  return null;
}

function toNumber(match: RegExpExecArray, text: string): NumberFound | null {
  const { sign, gap, inner, whole, above, below, exponent, power, percent } = match.groups as Partial<
    Record<string, string>
  >;
  const end = match.index + match[0].length;
  const before = text.slice(Math.max(0, match.index - 8), match.index);
  if (sign === undefined && /[\p{L}\p{N}_^]$|[_^]\{$/u.test(before)) return null;
  const isOperator = sign !== undefined && isOperation(text, match.index, gap !== "");
  const isPart =
    /(?:\\sqrt\s?\{?|√)$/u.test(before) || (sign === undefined && /\d[.:,(]$/.test(before)) || isGoingOn(text, end);
  const isNegative = (inner !== "") !== (!isOperator && /[-−–]/.test(sign ?? ""));
  const value = isPart ? null : exactValue({ whole, above: above!, below, exponent: exponent ?? power });
  const signed = value && isNegative ? negate(value) : value;
  const isPercent = percent !== undefined;
  return {
    value: signed && isPercent ? divide(signed, rational(100)) : signed,
    isPercent,
    start: isOperator ? match.index + 1 : match.index,
    end,
  };
}

/** Whether what follows makes another thing of the digits: a power, a factorial or product, a ratio, a version, a variable. */
function isGoingOn(text: string, end: number): boolean {
  return /^(?:\s?\^|_|\s?\(?\s?\\(?:sqrt|pi)|\(\d|:\d|\.\d|,\d|\/[\d(-]|[xyzinkπ√](?![\p{L}]))/u.test(
    text.slice(end, end + 8),
  );
}

/** Whether a sign stands between two things (`3-2`, `x - 3`, a list's dash) and not before a number. */
function isOperation(text: string, at: number, isSpaced: boolean): boolean {
  const before = text.slice(Math.max(0, at - 20), at);
  const last = before.trimEnd().at(-1);
  if (last === undefined || /\n\s*$/.test(before)) return isSpaced && at > 0; // a dash that opens a line
  if (/[\d)\]}%]/.test(last)) return true;
  return /\p{L}/u.test(last) && (isSpaced || !/\s$/.test(before));
}

/** The parts of a number as texts, without its sign. */
interface Parts {
  readonly whole: string | undefined;
  readonly above: string;
  readonly below: string | undefined;
  readonly exponent: string | undefined;
}

function exactValue(parts: Parts): Rational | null {
  const decimal = (text: string): Rational | null => parseDecimal(text.replaceAll(",", ""));
  const above = decimal(parts.above);
  const below = parts.below === undefined ? rational(1) : decimal(parts.below);
  const fraction = above && below && divide(above, below);
  const shift = parts.exponent === undefined ? rational(1) : parseDecimal(`1e${parts.exponent.replace("−", "-")}`);
  const value = fraction && shift && multiply(fraction, shift);
  return value && parts.whole !== undefined ? add(value, rational(BigInt(parts.whole))) : value;
}

/** Words that take an answer back or leave it open. */
const HEDGE = /(?<!\p{L})(?:not|n't|or|any|either|neither|never|between)(?!\p{L})/iu;
/** Signs that make a bound, a pair or a formula of a number. */
const FORMULA = /[<>≤≥≠±∓^√\\|∞_]|[+×÷*·/]\s?[\p{L}\d(]/u;
/** The exponent of `m^2`. */
const SQUARE_UNIT = /(?<=(?<!\p{L})(?:[cdkm]?m|ft|in|yd))\s?\^\s?\{?[23]\}?/gu;
/** Longest text that is read as one number. */
const MAX_LENGTH = 1000;

/** A text that should say one number: `x = 5`, `$18 a day`, `3 + 4 = 7`; a hedge, a bound or a formula is none. */
export function soleNumber(text: string): NumberFound | NoNumber {
  if (!/\d/.test(text)) return { problem: "there is no number in it", kind: "nothing" };
  if (text.length > MAX_LENGTH) return { problem: "it is too long for a number", kind: "other" };
  const sides = joinGroups(plainMath(text)).split(/[=≈]|(?<!\p{L})equals(?!\p{L})/iu);
  const side = (sides.findLast((part) => /\d/.test(part)) ?? "").trim();
  const [first, ...more] = numbersIn(side);
  if (!first) return { problem: "it is not a number", kind: "other" };
  if (more.some(({ value }) => !same(value, first.value)))
    return { problem: "there are several numbers in it", kind: "several" };
  const rest = `${side.slice(0, first.start)} ${side.slice(first.end)}`.replaceAll(SQUARE_UNIT, "");
  if (HEDGE.test(rest)) return { problem: "it is hedged", kind: "other" };
  const isTerm =
    /[\p{L})}]\s?[-−–+]\s?$/u.test(side.slice(0, first.start)) ||
    /^\s?[-−–+*!]\s?(?:\p{L}(?!\p{L})|$)/u.test(side.slice(first.end));
  if (first.value === null || isTerm || FORMULA.test(rest)) return { problem: "it is not one number", kind: "other" };
  return first;
}

function same(a: Rational | null, b: Rational | null): boolean {
  return a !== null && b !== null && a.numerator * b.denominator === b.numerator * a.denominator;
}

/** A sentence that should begin with the answer: `18 dollars for 3 days` is 18, `5 or 6` is none. */
export function leadingNumber(text: string): NumberFound | NoNumber {
  const sole = soleNumber(text);
  if ("value" in sole || sole.kind !== "several" || /=|≈|equals/i.test(text)) return sole;
  const plain = joinGroups(plainMath(text)).trim();
  const [first, second] = numbersIn(plain) as [NumberFound, NumberFound];
  const between = plain.slice(first.end, second.start);
  const isList = /^[\s,;$]*(?:(?:and|or|to)(?!\p{L})|[+×÷*·/x])?[\s$]*$/iu.test(between);
  if (isList || /^\s?[-−–]/.test(plain.slice(second.start)) || HEDGE.test(plain.slice(0, first.start))) return sole;
  return first.value === null ? { problem: "it is not one number", kind: "other" } : first;
}

/** Blanks between groups of three digits: `8 580 488`. */
function joinGroups(text: string): string {
  return text.replaceAll(/(?<![\d.,/])\d{1,3}(?:[ \u00a0\u2009\u202f]\d{3})+(?![\d.,/])/gu, (group) =>
    group.replaceAll(/\s/gu, ""),
  );
}
