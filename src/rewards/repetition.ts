import { z } from "zod";
import { PART_HELP, Part, partOf } from "./parts.ts";
import type { Reward, RewardDef } from "./types.ts";
import { graded } from "./verdicts.ts";

const Options = z.strictObject({
  n: z.int().min(1).max(32).default(4).describe("units in an n-gram"),
  threshold: z.number().min(0).lt(1).default(0.2).describe("up to this share of repeated n-grams the score is 1"),
  part: Part.default("text").describe(PART_HELP),
});

/** Only the end of a longer text is read, characters. */
const MAX_LENGTH = 200_000;

/** Letters of scripts without blanks between words are units; so is every mark that is neither letter nor digit. */
const UNIT =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]|[\p{L}\p{M}\p{N}]+|[^\s]/gu;

/**
 * Does the text repeat itself? With u different n-grams among all N of them, the share of repeated ones is r = 1 − u/N and the score
 * min(1, (1 − r) / (1 − threshold)). A text of fewer than n units repeats nothing.
 */
export const repetitionReward: RewardDef<typeof Options> = {
  name: "repetition",
  options: Options,
  runs: () => "main",
  create: ({ n, threshold, part }): Reward => ({
    name: "repetition",
    score({ text }) {
      const share = repeatedShare(partOf(text, part).slice(-MAX_LENGTH), n);
      const shown = `${(100 * share).toFixed(1)} %`;
      return graded(Math.min(1, (1 - share) / (1 - threshold)), `${shown} of the ${n}-grams are repeated`, shown);
    },
  }),
};

/** 1 − different n-grams / all n-grams of a text's units, without regard to case; 0 when there are none. */
export function repeatedShare(text: string, n: number): number {
  const ids = new Map<string, number>();
  const units = [...text.toLowerCase().matchAll(UNIT)].map(([unit]) => {
    const id = ids.get(unit) ?? ids.size;
    ids.set(unit, id);
    return id;
  });
  const count = units.length - n + 1;
  if (count <= 0) return 0;
  const different = new Set<string>();
  for (let i = 0; i < count; i++) different.add(units.slice(i, i + n).join(","));
  return 1 - different.size / count;
}
