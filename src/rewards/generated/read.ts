import { parseDecimal, type Rational } from "../../utils/rational.ts";

/** Longest answer that is read. The longest right one, twenty words, has 300 characters. */
const MAX_LENGTH = 5000;

/** Marks that only set an answer off, in pairs. */
const WRAPPERS: readonly (readonly [open: string, close: string])[] = [
  ["$", "$"],
  ["\\(", "\\)"],
  ["\\[", "\\]"],
  ["\\boxed{", "}"],
  ["**", "**"],
  ["`", "`"],
];

/** The answer without blanks and marks around it (`$…$`, `\boxed{…}`, `**…**`); null when it is too long to be one. */
export function bare(text: string): string | null {
  if (text.length > MAX_LENGTH) return null;
  let inner = text.trim();
  for (;;) {
    const pair = WRAPPERS.find(([open, close]) => isWrapped(inner, open, close));
    if (!pair) return inner;
    inner = inner.slice(pair[0].length, inner.length - pair[1].length).trim();
  }
}

function isWrapped(text: string, open: string, close: string): boolean {
  return text.length >= open.length + close.length && text.startsWith(open) && text.endsWith(close);
}

const GROUPED = /^[-+]?\d{1,3}(?:,\d{3})+(?:\.\d*)?$/;

/** One decimal number with sign, leading zeros and thousands separators as the writer likes; null for anything else. */
export function readNumber(text: string): Rational | null {
  const plain = text.replace(/^[−–]/, "-");
  return parseDecimal(GROUPED.test(plain) ? plain.replaceAll(",", "") : plain);
}

/** For messages: a text, cut. */
export function brief(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
