import { z } from "zod";
import { RewardError } from "../../utils/errors.ts";
import { formatRational } from "../../utils/rational.ts";
import type { Verdict } from "../types.ts";
import { correct, unparseable, wrong } from "../verdicts.ts";
import { metadataOf } from "./metadata.ts";
import { bare, brief, readNumber } from "./read.ts";
import type { Problem, Scorer } from "./scorer.ts";

const Word = z.object({ word: z.string().min(1) });

/** The letters of the word from the last to the first, as they are written there; quotation marks around them are free. */
export const scoreSpellBackward: Scorer = (answer, problem) => {
  const { word } = metadataOf(problem, Word);
  const text = bare(answer);
  if (text === null || text === "")
    return unparseable(text === null ? "the answer is too long" : "the answer is empty");
  return judgeList([...unquoted(text)], [...word].reverse(), problem, "letters", "");
};

const Words = z.object({ sorted_words: z.array(z.string()).min(1) });

/** All words in the order asked for, upper and lower case as given, with commas or line breaks between them. */
export const scoreWordSorting: Scorer = (answer, problem) => {
  const { sorted_words: gold } = metadataOf(problem, Words);
  const items = readList(answer);
  if (!items) return unparseable("the answer is no list");
  return judgeList(items, gold, problem, "words", ", ");
};

const Numbers = z.object({ sorted_numbers: z.array(z.string()).min(1) });

/** All numbers in the order asked for, each equal to its gold value exactly, as strings or bare, with brackets or without. */
export const scoreNumberSorting: Scorer = (answer, problem) => {
  const { sorted_numbers } = metadataOf(problem, Numbers);
  const gold = sorted_numbers.map(readNumber);
  if (!gold.every((value) => value !== null)) {
    throw new RewardError("reasoning-task: number_sorting: metadata.sorted_numbers holds a text that is no number");
  }
  const items = readList(answer)?.map(readNumber);
  if (!items?.every((value) => value !== null)) {
    return unparseable(`${JSON.stringify(brief(answer.trim()))} is not a list of numbers`);
  }
  return judgeList(items.map(formatRational), gold.map(formatRational), problem, "numbers", ", ");
};

/** Items between commas or, without any, on lines of their own; brackets around all and quotation marks around each are dropped. */
function readList(answer: string): string[] | null {
  const text = bare(answer);
  if (text === null || text === "") return null;
  const inner = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1).trim() : text;
  return inner.split(inner.includes(",") ? "," : "\n").map((item) => unquoted(item.trim()));
}

function unquoted(text: string): string {
  const first = text[0];
  const isQuoted = text.length > 1 && (first === '"' || first === "'") && text.endsWith(first);
  return isQuoted ? text.slice(1, -1) : text;
}

function judgeList(
  seen: readonly string[],
  gold: readonly string[],
  { partialCredit = false }: Problem,
  things: string,
  separator: string,
): Verdict {
  const parsed = brief(seen.join(separator));
  const inPlace = gold.filter((item, i) => item === seen[i]).length;
  if (inPlace === gold.length && seen.length === gold.length) {
    return correct(`all ${gold.length} ${things} are in their places`, parsed);
  }
  const at = gold.findIndex((item, i) => item !== seen[i]);
  const reason =
    seen.length === gold.length
      ? `${things} differ from place ${at + 1} on: expected ${gold[at]}`
      : `${seen.length} ${things} instead of ${gold.length}`;
  const score = partialCredit ? inPlace / Math.max(seen.length, gold.length) : 0;
  return { ...wrong(reason, parsed), score };
}
