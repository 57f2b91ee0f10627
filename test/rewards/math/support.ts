import { readdirSync, readFileSync } from "node:fs";
import type { Verdict } from "../../../src/rewards/index.ts";
import { compareAnswers } from "../../../src/rewards/math/index.ts";
import { mathReward } from "../../../src/rewards/math-answer.ts";

/** A gold answer, a completion and whether its answer is equal to the gold one. */
export interface Pair {
  readonly gold: string;
  readonly text: string;
  readonly isEqual: boolean;
}

/** A row of `data/math-equivalence.jsonl`. */
export interface Row {
  readonly id: string;
  readonly family: string;
  readonly gold: string;
  readonly answer: string;
  readonly equal: boolean;
  readonly label: "certain" | "convention";
}

/** The graded pairs that lie in the repository. */
export function dataRows(): readonly Row[] {
  const file = new URL("../../../data/math-equivalence.jsonl", import.meta.url);
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
}

/**
 * Pairs by family, from the files of `pairs`. `gold …` starts a block; `= …` is equal to it, `! …` is not. `=> …` and `!> …` are whole completions, with ⏎ for
 * a line break; the others are put into a box.
 */
export function pairsByFamily(): ReadonlyMap<string, readonly Pair[]> {
  const folder = new URL("./pairs/", import.meta.url);
  return new Map(
    readdirSync(folder).map((name) => [
      name.replace(".txt", ""),
      pairsOf(readFileSync(new URL(name, folder), "utf8").split("\n")),
    ]),
  );
}

function pairsOf(lines: readonly string[]): Pair[] {
  const pairs: Pair[] = [];
  let gold = "";
  for (const line of lines) {
    const [, mark, content] = /^(gold|=>?|!>?) ?(.*)$/.exec(line) ?? [];
    if (mark === "gold") gold = content!;
    else if (mark !== undefined)
      pairs.push({
        gold,
        text: mark.endsWith(">") ? content!.replaceAll("⏎", "\n") : `So we get $\\boxed{${content}}$.`,
        isEqual: mark.startsWith("="),
      });
  }
  return pairs;
}

/** Judges a completion with the reward as a recipe makes it. */
export function judge(gold: string | null, text: string, options: Readonly<Record<string, string>> = {}): Verdict {
  const reward = mathReward.create(mathReward.options.parse(options));
  const task = { id: "t", set: "file", prompt: "", answer: gold, data: {} };
  return reward.score({ task, text, stop: "eos", tokens: 9 }) as Verdict;
}

/** Whether two answers, without any text around them, are equal. */
export function isSame(gold: string, answer: string): boolean {
  return compareAnswers(gold, answer).outcome === "correct";
}
