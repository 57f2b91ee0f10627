import type { Answer } from "./answer.ts";
import { Budget, LIMITS, OverBudget, Unreadable } from "./budget.ts";
import { plainCharacters } from "./characters.ts";
import { choiceOf, readChoice } from "./choices.ts";
import { compare } from "./compare.ts";
import { interpret, type Signs } from "./interpret.ts";
import { differentBy, equalBy, type Judgement, undecided } from "./judgement.ts";
import { contains, type Node } from "./nodes.ts";
import { parse } from "./parser.ts";
import { dateOf, sameDate, sameTime, timeOf } from "./times.ts";
import { sameWordsKey, wordsOf } from "./words.ts";

/** One step of a comparison, for people. */
export interface Step {
  readonly step: string;
  readonly found: string;
}

/** What a comparison of two answers found. */
export interface Comparison {
  readonly outcome: "correct" | "wrong" | "unparseable" | "timeout" | "error";
  readonly rule: string;
  readonly reason: string;
  readonly steps: readonly Step[];
}

/** An answer as it was read: mathematics, or why it is none. */
export interface Read {
  readonly text: string;
  readonly words: string;
  readonly node: Node | null;
  /** Why there is no mathematics in it. */
  readonly problem: string;
}

/** Reads one answer. Never throws for any text. */
export function readAnswer(raw: string, joinCommas = true, budget: Budget = new Budget()): Read {
  if (raw.length > LIMITS.characters)
    return {
      text: raw.slice(0, 200),
      words: "",
      node: null,
      problem: `it has ${raw.length} characters; at most ${LIMITS.characters} are read`,
    };
  const text = withoutDelimiters(plainCharacters(raw).trim());
  const words = wordsOf(raw);
  try {
    return { text, words, node: parse(text, { joinCommas }, budget), problem: "" };
  } catch (error) {
    if (error instanceof Unreadable || error instanceof OverBudget)
      return { text, words, node: null, problem: error.message };
    throw error;
  }
}

/** Drops `$…$`, `\(…\)`, `\[…\]` around an answer, and a full stop behind it. */
export function withoutDelimiters(text: string): string {
  let inner = text.trim();
  for (let i = 0; i < 4; i++) {
    const before = inner;
    inner = inner.replace(/\s*\.$/, "").trim();
    if (/^\$[^$]+\$$/.test(inner)) inner = inner.slice(1, -1);
    else if (/^\$\$[^$]+\$\$$/.test(inner)) inner = inner.slice(2, -2);
    else if (/^\\\(.*\\\)$/s.test(inner) || /^\\\[.*\\\]$/s.test(inner)) inner = inner.slice(2, -2);
    inner = inner.replace(/^(\*\*?|__)([^*_]*)\1$/s, "$2").trim();
    if (inner === before) break;
  }
  return inner;
}

/**
 * Whether an answer says the same as the gold answer. Ends within a bounded number of steps whatever the texts are.
 * @throws Unreadable when the gold answer is empty or too long to be one
 */
export function compareAnswers(gold: string, answer: string): Comparison {
  const steps: Step[] = [];
  const budget = new Budget();
  if (gold.length > LIMITS.characters || (wordsOf(gold) === "" && plainCharacters(gold).trim() === ""))
    throw new Unreadable("the gold answer is empty or too long");
  const [goldRead, answerRead] = [readAnswer(gold, true, budget), readAnswer(answer, true, budget)];
  steps.push({ step: "gold", found: describeRead(goldRead) }, { step: "answer", found: describeRead(answerRead) });
  if (isBlank(answerRead))
    return { outcome: "unparseable", rule: "empty answer", reason: "the answer is empty", steps };
  if (answer.length > LIMITS.characters)
    return { outcome: "unparseable", rule: "size", reason: answerRead.problem, steps };
  try {
    const judgement = judge(goldRead, answerRead, gold, answer, budget, steps);
    return finished(judgement, goldRead, answerRead, steps);
  } catch (error) {
    if (error instanceof GoldProblem)
      return {
        outcome: "error",
        rule: "gold answer",
        reason: `the gold answer can't be read: ${error.message}`,
        steps,
      };
    if (error instanceof OverBudget) return { outcome: "timeout", rule: "work limit", reason: error.message, steps };
    if (error instanceof Unreadable)
      return { outcome: "unparseable", rule: "not understood", reason: error.message, steps };
    throw error;
  }
}

function isBlank({ words, text }: Read): boolean {
  return words === "" && /^[\s{}$.]*(?:\\text\{\s*\})?$/.test(text);
}

function describeRead({ text, node, problem }: Read): string {
  return node ? `${text} is read as a ${node.kind}` : `${text.slice(0, 200)} is not mathematics: ${problem}`;
}

function finished(judgement: Judgement, _gold: Read, answer: Read, steps: Step[]): Comparison {
  const { equal, rule, reason } = judgement;
  steps.push({ step: rule, found: equal === null ? "not decided" : equal ? "equal" : "different" });
  const detail = reason === undefined ? rule : `${rule}: ${reason}`;
  if (equal) return { outcome: "correct", rule, reason: `equal to the gold answer (${detail})`, steps };
  if (equal === null)
    return { outcome: "unparseable", rule, reason: `could not be compared: ${reason ?? rule}`, steps };
  const isText = answer.node === null && rule === "words";
  if (isText && !/[A-Za-z]{2}/.test(answer.words))
    return { outcome: "unparseable", rule: "not understood", reason: answer.problem, steps };
  return { outcome: "wrong", rule, reason: `not equal to the gold answer (${detail})`, steps };
}

/** A gold answer that is mathematics and can't be read: nothing can be said of any answer. */
class GoldProblem extends Error {
  override readonly name = "GoldProblem";
}

/** Whether a text that could not be read was meant as mathematics. */
function isMarkup({ text, words }: Read): boolean {
  return (
    /[\\^_=<>{}]|\d/.test(text.replace(/\\(?:text|textbf|mathrm|mbox|textit|textrm)\s*\{[^{}]*\}/g, "")) &&
    words.split(" ").length < 12
  );
}

/** What is wrong with a gold answer, in words; null when it can be compared with answers. For the check of a data set when it is loaded. */
export function goldProblem(gold: string): string | null {
  if (plainCharacters(gold).trim() === "") return "it is empty";
  const read = readAnswer(gold);
  return read.node === null && (read.words === "" || isMarkup(read)) ? read.problem : null;
}

/** The layers of a comparison, in order. */
function judge(gold: Read, answer: Read, rawGold: string, rawAnswer: string, budget: Budget, steps: Step[]): Judgement {
  const choice = choiceOf(gold);
  if (choice !== null)
    return readChoice(answer) === choice
      ? equalBy("same option")
      : (byContent(gold, answer) ??
          differentBy("other option", `option ${readChoice(answer) ?? "none"}, not ${choice}`));
  const same = byContent(gold, answer);
  if (same) return same;
  const [goldTime, answerTime] = [timeOf(gold.words), timeOf(answer.words)];
  if (goldTime && answerTime && (goldTime.half !== null || answerTime.half !== null))
    return sameTime(goldTime, answerTime) ? equalBy("same time of day") : differentBy("other time of day");
  const [goldDate, answerDate] = [dateOf(gold.words), dateOf(answer.words)];
  if (goldDate && answerDate) return sameDate(goldDate, answerDate) ? equalBy("same date") : differentBy("other date");
  if (!gold.node && isMarkup(gold)) throw new GoldProblem(gold.problem);
  if (!gold.node)
    return differentBy(
      "words",
      `${JSON.stringify(answer.words.slice(0, 80))} is not ${JSON.stringify(gold.words.slice(0, 80))}`,
    );
  if (!answer.node) return differentBy("words", answer.problem);
  return inAllReadings(rawGold, rawAnswer, budget, steps);
}

/** The same words on both sides, or words that mean the same. */
function byContent(gold: Read, answer: Read): Judgement | null {
  if (
    gold.words !== "" &&
    gold.words === answer.words &&
    (gold.node === null || isWordy(gold.node) || gold.text === answer.text)
  )
    return equalBy("same text");
  const [a, b] = [sameWordsKey(gold.words), sameWordsKey(answer.words)];
  if (gold.words === "" || answer.words === "") return null;
  if (/^[a-z][a-z .']+$/.test(gold.words) && a === b) return equalBy("same words");
  const isEmpty = (key: string, { node }: Read): boolean =>
    node?.kind === "set" ? node.items.length === 0 : key === "\\emptyset";
  return isEmpty(a, gold) && isEmpty(b, answer) ? equalBy("no solution") : null;
}

function isWordy(node: Node): boolean {
  return contains(node, ({ kind }) => kind === "word") || node.kind === "variable";
}

/** Commas between digits and several ± can be read in two ways; the usual one first. */
function inAllReadings(gold: string, answer: string, budget: Budget, steps: Step[]): Judgement {
  let first: Judgement | null = null;
  for (const signs of signReadings(gold, answer)) {
    for (const [goldJoins, answerJoins] of commaReadings(gold, answer)) {
      const [g, a] = [readAnswer(gold, goldJoins, budget), readAnswer(answer, answerJoins, budget)];
      if (!g.node || !a.node) continue;
      const [left, right] = [interpret(g.node, signs, budget), interpret(a.node, signs, budget)];
      if (first !== null && !(left.kind === "collection" || right.kind === "collection")) continue;
      const judgement = compare(left, right, { budget, signs });
      if (first === null) steps.push({ step: "kinds", found: `${kindOf(left)} against ${kindOf(right)}` });
      if (judgement.equal) return judgement;
      first ??= judgement;
    }
  }
  return first ?? undecided("it could not be read");
}

function kindOf(answer: Answer): string {
  return answer.kind;
}

function signReadings(...texts: string[]): readonly Signs[] {
  const several = texts.some((text) => (plainCharacters(text).match(/\\[pm][mp](?![a-z])/g) ?? []).length > 1);
  return several ? [{ free: true }, { free: false }] : [{ free: true }];
}

/** First both joined; then one side as a list, where the other is a list without doubt. */
function commaReadings(gold: string, answer: string): readonly (readonly [boolean, boolean])[] {
  const ambiguous = (text: string): boolean => /\d,\d{3}(?!\d)/.test(text);
  const readings: (readonly [boolean, boolean])[] = [[true, true]];
  if (ambiguous(gold)) readings.push([false, true]);
  if (ambiguous(answer)) readings.push([true, false]);
  if (ambiguous(gold) && ambiguous(answer)) readings.push([false, false]);
  return readings;
}
