import { z } from "zod";
import { RewardError } from "../utils/errors.ts";
import { equals, formatRational, multiply, type Rational, rational } from "../utils/rational.ts";
import { afterThinking } from "../utils/thinking.ts";
import { lastAnswerTag, lastBox } from "./extract.ts";
import { leadingNumber, type NoNumber, type NumberFound, soleNumber, trailingNumber } from "./number-text.ts";
import type { Reward, RewardDef } from "./types.ts";
import { correct, unparseable, wrong } from "./verdicts.ts";

const Options = z.strictObject({
  lastNumber: z
    .boolean()
    .default(true)
    .describe("without a mark (box, answer tag, ####, answer is), the last number of the text counts"),
});

/** Longest answer that is read: its end. */
const MAX_LENGTH = 20_000;

/**
 * Is the number that the answer ends with equal to the gold one? Exact: decimals and fractions are compared as fractions. The last box counts;
 * without one, the last of: an answer tag, a line `#### number`, "answer is", "answer:"; else the last number of the text. A mark without a
 * number is passed over; several numbers, a hedge or a formula after a mark are wrong. `50%` equals both 0.5 and 50, since a question for a
 * percentage leaves the sign open.
 */
export const numericAnswerReward: RewardDef<typeof Options> = {
  name: "numeric-answer",
  options: Options,
  runs: () => "main",
  create: ({ lastNumber }): Reward => ({
    name: "numeric-answer",
    score({ task, text }) {
      const gold = goldNumber(task.id, task.answer);
      const answer = readAnswer(afterThinking(text).slice(-MAX_LENGTH), lastNumber);
      if (answer === null) return unparseable("there is no number to be read as the answer");
      if ("problem" in answer) return wrong(`the answer ${answer.shown}: ${answer.problem}`);
      const parsed = formatRational(answer.value);
      if (isSame(answer, gold)) return correct(`${parsed} is the answer`, parsed);
      return wrong(`${parsed} is not ${formatRational(gold.value)}`, parsed);
    },
  }),
};

type Known = NumberFound & { readonly value: Rational };

/** The gold answer of a task. @throws RewardError when it is not a number */
export function goldNumber(id: string, answer: string | null): Known {
  const isNumber = answer !== null && /^[^=]*$|^\s*\p{L}\w*\s*=[^=]*$/u.test(answer); // an equation is none
  const gold = isNumber ? soleNumber(answer) : null;
  if (gold && "value" in gold && gold.value) return { ...gold, value: gold.value };
  const shown = answer === null ? "null" : JSON.stringify(answer.slice(0, 80));
  throw new RewardError(`numeric-answer: the gold answer of task ${id} is not a number: ${shown}`);
}

function isSame(answer: Known, gold: Known): boolean {
  if (equals(answer.value, gold.value)) return true;
  if (answer.isPercent === gold.isPercent) return false;
  const [percent, other] = answer.isPercent ? [answer, gold] : [gold, answer];
  return equals(multiply(percent.value, rational(100)), other.value);
}

/** A mark after which the answer stands. */
interface Mark {
  readonly at: number;
  readonly content: string;
  readonly read: (content: string) => NumberFound | NoNumber;
}

/** The answer, or why it is none; null when there is nothing to read. */
function readAnswer(text: string, lastNumber: boolean): Known | { problem: string; shown: string } | null {
  const box = lastBox(text);
  for (const { content, read } of [...(box ? [{ content: box.content, read: soleNumber }] : []), ...marksOf(text)]) {
    const found = read(content);
    const shown = JSON.stringify(content.trim().slice(0, 80));
    if ("problem" in found) {
      if (found.kind === "nothing") continue;
      return { problem: found.problem, shown };
    }
    return found.value ? { ...found, value: found.value } : { problem: "it is not a number", shown };
  }
  const last = lastNumber ? trailingNumber(text) : null;
  if (!last) return null;
  if (last.value) return { ...last, value: last.value };
  return { problem: "its last digits are not one number", shown: JSON.stringify(text.slice(-80)) };
}

/** Marks other than boxes, the last one first. */
function marksOf(text: string): Mark[] {
  const marks: Mark[] = [];
  const tag = lastAnswerTag(text);
  if (tag !== null) marks.push({ at: text.lastIndexOf("</answer>"), content: tag, read: soleNumber });
  const hashes = text.lastIndexOf("####");
  const line = hashes < 0 ? "" : firstSentence(text.slice(hashes + 4));
  // a heading such as "#### Step 2" is no answer
  if (/^[^\p{L}\d]*\d/u.test(line)) marks.push({ at: hashes, content: line, read: leadingNumber });
  const phrase = [...text.matchAll(/answer(?: is|:)/giu)].at(-1);
  if (phrase) {
    const content = firstSentence(text.slice(phrase.index + phrase[0].length));
    marks.push({ at: phrase.index, content, read: leadingNumber });
  }
  return marks.sort((a, b) => b.at - a.at);
}

/** Up to the first full stop or line end after something else than blanks and colons. */
function firstSentence(text: string): string {
  const start = text.replace(/^[\s:]+/, "").slice(0, 500);
  const end = /\n|[.;!?](?=\s|$)/.exec(start);
  return end ? start.slice(0, end.index) : start;
}
