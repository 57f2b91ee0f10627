import { plainCharacters } from "./characters.ts";

const TEXT_COMMAND =
  /\\(?:text|textrm|textbf|textit|textnormal|textsf|texttt|mbox|hbox|mathrm|mathbf|mathit|mathsf|operatorname|emph|boxed|fbox)\s*\*?\s*(?=\{)/g;

/**
 * The words of an answer, for comparing texts: markup, quotes and punctuation at the ends are dropped, small letters, one blank between words.
 * Signs of mathematics stay.
 */
export function wordsOf(text: string): string {
  let words = plainCharacters(text).replace(TEXT_COMMAND, "");
  words = words
    .replace(/\\(?:left|right|displaystyle|[bB]igg?[lr]?)(?![A-Za-z])/g, " ")
    .replace(/\\[,;:! ]|\\quad|\\qquad|~/g, " ")
    .replace(/\\(?=[$%&#_{}])/g, "")
    .replace(/[{}$"`*]/g, " ")
    .toLowerCase()
    .replace(/\s+/g, " ");
  const trimmed = words.replace(/^[\s.,;:!?]+/, "").replace(/[\s.,;:!?]+$/, "");
  return trimmed.replace(/^'([^']*)'$/, "$1");
}

const NO_SOLUTION = /^(?:there (?:is|are) )?no (?:real )?(?:solutions?|roots?)(?: exists?)?$/;

/** Texts that say the same, by one of them. */
export function sameWordsKey(words: string): string {
  if (NO_SOLUTION.test(words)) return "\\emptyset";
  const plain = words.replace(/^(?:the|an?) /, "");
  return ABBREVIATIONS.get(plain.replace(/\.$/, "")) ?? plain;
}

const FULL_NAMES =
  "monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october november december".split(
    " ",
  );

/** Mon → monday, Sept → september. */
const ABBREVIATIONS: ReadonlyMap<string, string> = new Map([
  ...FULL_NAMES.map((name): [string, string] => [name.slice(0, 3), name]),
  ["tues", "tuesday"],
  ["thur", "thursday"],
  ["thurs", "thursday"],
  ["sept", "september"],
  ["does not exist", "dne"],
  ["none of the above", "none of the above"],
]);

/** Words that make an answer of several, none or an open one: nothing with such a word beside its number is that number. */
const HEDGES = new Set(
  "st nd rd th or and not any other no none never maybe perhaps possibly either neither nor unless except than more less least most all every each both between if unknown undefined infinite infinitely minus plus times without else impossible cannot isn't wrong incorrect false approx squared cubed half halves thirds quarters fourths fifths tenths hundredths thousandths dozens tens hundreds thousands millions billions twice thrice double triple out over below above under beyond greater fewer larger smaller higher lower".split(
    " ",
  ),
);

export function isHedge(word: string): boolean {
  const lower = word.toLowerCase();
  return HEDGES.has(lower) || lower.endsWith("n't");
}

/** Words after which the answer itself follows. */
export const COPULAS = new Set([
  "is",
  "are",
  "equals",
  "equal",
  "be",
  "was",
  "were",
  "has",
  "exactly",
  "approximately",
  "about",
  "roughly",
  "option",
  "choice",
  "answer",
  "total",
  "x",
]);
