import { formulas } from "./formulas.ts";
import { isMathematics } from "./readable.ts";
import { unitOf } from "./units.ts";

/** A number or formula in a sentence. */
interface Candidate {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const NUMBER = String.raw`(?:\d[\d,]*(?:\.\d+)?|\.\d+)`;
/** What plain text shows as mathematics, in order of length. */
const CANDIDATE = new RegExp(
  [
    String.raw`-?\\[dtc]?frac\s?\{[^{}]{1,40}\}\s?\{[^{}]{1,40}\}`,
    String.raw`[([]\s?-?${NUMBER}(?:\s?[,;]\s?-?${NUMBER})+\s?[)\]]`,
    String.raw`\b\d{1,2}:\d{2}(?:\s?[ap]\.?m\.?)?`,
    String.raw`\([A-J]\)`,
    String.raw`(?<![\w)])-?\s?[$€£]?\s?${NUMBER}(?:\s?[/^*]\s?-?${NUMBER})*(?:\s?(?:\\?%|percent\b|pct\b|\\?°|degrees\b|[€£]|\p{L}{1,3}[²³]?(?![\p{L}\d])))?`,
  ].join("|"),
  "gu",
);
const SIGN_BEHIND = /^\s?(?:\\?%|percent\b|pct\b|degrees\b|°)/;
const SCALE_BEHIND = /^\s(?:hundred|thousand|million|billion|trillion|dozen)\b/;

/** All numbers and formulas of a sentence from left to right, each with its unit. */
function candidatesOf(sentence: string): Candidate[] {
  const found: Candidate[] = formulas(sentence).map(({ start, end, content }) => {
    const [sign = ""] = SIGN_BEHIND.exec(sentence.slice(end, end + 12)) ?? [];
    return { start, end: end + sign.length, text: sign === "" ? content : `${content} ${sign}` };
  });
  const formulaCount = found.length;
  const inFormula = (from: number, to: number): boolean =>
    found.slice(0, formulaCount).some(({ start, end }) => to > start && from < end);
  const plain = [...sentence.matchAll(CANDIDATE)].filter(
    ({ 0: match, index }) => !inFormula(index, index + match.length),
  );
  for (const { 0: match, index } of plain) {
    const text = withoutWord(match).replace(/,$/, "");
    const [scale = ""] = SCALE_BEHIND.exec(sentence.slice(index + text.length, index + text.length + 12)) ?? [];
    found.push({ start: index, end: index + text.length + scale.length, text: (text + scale).trim() });
  }
  return found.sort((a, b) => a.start - b.start);
}

/** Drops letters behind a number that are no unit: `42 is` → `42`, but not `42nd`. */
function withoutWord(match: string): string {
  const word = /\s(\p{L}+)$/u.exec(match);
  if (!word || /[%°]/.test(match) || /(?:percent|pct|degrees|[ap]\.?m)\.?$/.test(match)) return match;
  return unitOf(word[1]!) ? match : match.slice(0, word.index);
}

/** Before a number in its clause: it is not stated. */
export const NEGATION =
  /\b(?:not|never|neither|nor|no|without|except|instead of|rather than|wrong|incorrect|false|doubt|if|suppose|assume|assuming|unless|whether|might think)\b|n['’]t\b/i;
/** Between a verb and a number, they make another number of it. */
const CHANGED_BEFORE =
  /\b(?:least|most|than|twice|thrice|half|double|triple|squared?|cubed?|root|times|plus|minus|between|exceeds?|over|under|above|below|up to|from|near|nearly|almost|close|factorial|reciprocal|negative|opposite|multiple|multiples|divisor|divisors|factor|maybe|perhaps|possibly|either|or|if)\b/i;
const CHANGED_BEHIND =
  /^\s*(?:(?:squared|cubed|times|plus|minus|over|out of|or|more than|less than|percent of|divided|multiplied|half|halves|thirds|quarters|tenths|hundredths|thousandths|dozens|hundreds|thousands|millions|hundred|thousand|million|billion|trillion|dozen|if|unless|otherwise)\b|[!^*/+?]|\\times|\\cdot)/i;
const VERB = /^.*(?:\b(?:is|are|was|were|equals|be|gives?|gets?|got|have|has|makes?|yields?|say|find)\b|[=:])/is;
/** All up to the last end of a clause, beyond which no negation reaches. */
export const CLAUSE = /^.*(?:[,;:(—]|\b(?:but|which|so|then|thus|hence|therefore|it['’]?s|and)\b)/is;

/** Whether the words behind a number make another number of it: "42 squared", "42 or more". */
export function isChangedBehind(after: string): boolean {
  return CHANGED_BEHIND.test(after);
}

/** What a sentence states: its last number or formula, with what stands beside it; the whole sentence when words make it no statement of one. Null without any. */
export function statedIn(sentence: string, joinsCommas: boolean): string | null {
  const candidates = candidatesOf(sentence.slice(0, 2000));
  let isNegated = false;
  for (let i = candidates.length - 1; i >= 0; i--) {
    const candidate = candidates[i]!;
    const before = sentence.slice(i > 0 ? candidates[i - 1]!.end : 0, candidate.start);
    if (NEGATION.test(before.replace(CLAUSE, ""))) {
      isNegated = true;
      continue;
    }
    const first = joinedFrom(sentence, candidates, i, joinsCommas);
    if (first < i) return joined(sentence, candidates, first, i);
    const after = sentence.slice(candidate.end, candidates[i + 1]?.start);
    if (
      isPartOfMore(before, candidate.text, i > 0) ||
      isChangedBehind(after) ||
      CHANGED_BEFORE.test(before.replace(VERB, ""))
    )
      return sentence;
    return candidate.text;
  }
  return isNegated ? sentence : null;
}

/** An argument of a function, what is taken from a variable, and the second number of "1 in 42". */
function isPartOfMore(before: string, text: string, isSecond: boolean): boolean {
  if (/[A-Za-z]\($/.test(before)) return true;
  if (text.startsWith("-") && /(?:^|[^A-Za-z])[A-Za-z]\s*$/.test(before)) return true;
  return isSecond && /^\s+(?:in|of|to|out of|per|for every)\s+$/.test(before);
}

/** The first of the candidates that stand side by side up to this one: `3 + 4 = 7`, `42 or 43`. */
function joinedFrom(sentence: string, candidates: readonly Candidate[], last: number, joinsCommas: boolean): number {
  let first = last;
  let hasWord = joinsCommas;
  let at = last;
  while (at > 0) {
    const between = sentence.slice(candidates[at - 1]!.end, candidates[at]!.start);
    const isOperator = /^\s*(?:[-+*/^=×·÷−<>]|\\times|\\cdot)?\s*$/.test(between) && between !== "";
    const isList = /^\s*(?:,?\s*(?:and|or)|,|;)\s*$/.test(between);
    if (!isOperator && !isList) break;
    hasWord ||= isOperator || /and|or/.test(between);
    at--;
    if (hasWord) first = at;
  }
  return first;
}

/** Candidates side by side as one text; what follows the last "=" when the whole is not understood. */
function joined(sentence: string, candidates: readonly Candidate[], first: number, last: number): string {
  const parts = candidates.slice(first, last + 1);
  const whole = parts
    .map(({ text, end }, i) => text + sentence.slice(end, parts[i + 1]?.start ?? end))
    .join("")
    .trim();
  if (isMathematics(whole)) return whole;
  return /=\s*$/.test(sentence.slice(candidates[last - 1]!.end, candidates[last]!.start))
    ? candidates[last]!.text
    : sentence;
}
