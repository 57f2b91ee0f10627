import { divide, parseDecimal, type Rational, rational } from "./rational.ts";

/*
 * Numbers as people and models write them: 1,234.50 · $18 · -3/4 · 25% · +7. No repetition in these patterns is nested, so that matching is
 * linear in the text.
 */
const NUMBER =
  /[-+−]?\s?[$€£]?\s?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+|(?<=\d)\.?)(?:\s?\/\s?\d+(?:\.\d+)?)?\s?(?:\\?%)?/gu;

/** A whole text as a number; null when it is something else. Per cent divides by 100. */
export function parseNumber(text: string): Rational | null {
  const cleaned = text
    .trim()
    .replaceAll(/[$€£\s]/gu, "")
    .replaceAll("−", "-")
    .replaceAll(/,(?=\d{3}(?:\D|$))/gu, "");
  const percent = /\\?%$/.test(cleaned);
  const [above, below, ...more] = cleaned
    .replace(/\\?%$/, "")
    .replace(/(?<=\d)\.$/, "")
    .split("/");
  if (above === undefined || more.length > 0) return null;
  const numerator = parseDecimal(above);
  const denominator = below === undefined ? rational(1) : parseDecimal(below);
  const value = numerator && denominator && divide(numerator, denominator);
  return value && percent ? divide(value, rational(100)) : (value ?? null);
}

/** The last number in a text; null when there is none. */
export function trailingNumber(text: string): Rational | null {
  let last: Rational | null = null;
  for (const { 0: found, index } of text.matchAll(NUMBER)) {
    // a sign right after a digit or a bracket is an operation, as in 3-2
    const isOperation = /^[-+−]/.test(found) && /[\d)\]a-zA-Z]\s?$/u.test(text.slice(Math.max(0, index - 2), index));
    last = parseNumber(isOperation ? found.slice(1) : found) ?? last;
  }
  return last;
}
