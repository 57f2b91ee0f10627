import { z } from "zod";
import { RewardError } from "../utils/errors.ts";
import { afterThinking, lastAnswerTag, lastBox } from "./extract.ts";
import { parseNumber, trailingNumber } from "./number-text.ts";
import { equals, formatRational } from "./rational.ts";
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
 * Is the number that the answer ends with equal to the gold one? Exact: decimals and fractions are compared as fractions. Read are, in this
 * order: the last box, the last answer tag, what follows the last `####`, what follows the last "answer is" or "answer:", the last number.
 */
export const numericAnswerReward: RewardDef<typeof Options> = {
  name: "numeric-answer",
  options: Options,
  runs: () => "main",
  create: ({ lastNumber }): Reward => ({
    name: "numeric-answer",
    score({ task, text }) {
      const gold = task.answer === null ? null : parseNumber(task.answer);
      if (!gold)
        throw new RewardError(`numeric-answer: the gold answer of task ${task.id} is not a number: ${task.answer}`);
      const marked = markedAnswer(afterThinking(text.slice(-MAX_LENGTH)), lastNumber);
      if (marked === null) return unparseable("there is no number to be read as the answer");
      const value = trailingNumber(marked);
      if (!value) return unparseable(`no number in the answer ${JSON.stringify(marked.slice(0, 80))}`);
      const parsed = formatRational(value);
      if (equals(value, gold)) return correct(`${parsed} is the answer`, parsed);
      return wrong(`${parsed} is not ${formatRational(gold)}`, parsed);
    },
  }),
};

/** The part of the text that holds the answer. */
function markedAnswer(text: string, lastNumber: boolean): string | null {
  const box = lastBox(text);
  if (box) return box.content;
  const tag = lastAnswerTag(text);
  if (tag !== null) return tag;
  const hashes = text.lastIndexOf("####");
  if (hashes >= 0) return firstLine(text.slice(hashes + 4));
  const phrase = Math.max(...["answer is", "answer:"].map((mark) => text.toLowerCase().lastIndexOf(mark)));
  if (phrase >= 0) return firstLine(text.slice(phrase + "answer:".length)) || null;
  return lastNumber ? text : null;
}

function firstLine(text: string): string {
  const start = text.trimStart();
  const end = start.indexOf("\n");
  return end < 0 ? start : start.slice(0, end);
}
