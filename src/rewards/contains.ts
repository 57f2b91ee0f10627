import { z } from "zod";
import { ConfigError, RewardError } from "../utils/errors.ts";
import { PART_HELP, Part, partOf } from "./parts.ts";
import type { Reward, RewardDef } from "./types.ts";
import { graded } from "./verdicts.ts";

const Options = z.strictObject({
  texts: z
    .array(z.string().min(1).max(1000))
    .min(1)
    .nullable()
    .default(null)
    .describe("what is looked for; null = the gold answer"),
  need: z.enum(["all", "any", "none"]).default("all").describe("how many of the texts must be there"),
  partialCredit: z.boolean().default(false).describe("the score is the share of the texts that are as they must be"),
  ignoreCase: z.boolean().default(false).describe("capital and small letters are the same"),
  part: Part.default("answer").describe(PART_HELP),
});

/** Longest gold answer that is looked for, characters. */
const MAX_GOLD = 1000;

/** Does the completion hold some texts, or the gold answer, letter for letter? A number is found inside a longer one, too. */
export const containsReward: RewardDef<typeof Options> = {
  name: "contains",
  options: Options,
  runs: () => "main",
  create: ({ texts, need, partialCredit, ignoreCase, part }): Reward => {
    if (need === "any" && partialCredit)
      throw new ConfigError("contains: partialCredit has no meaning with need: any; use all or none");
    const normal = (text: string): string => (ignoreCase ? text.normalize("NFC").toLowerCase() : text.normalize("NFC"));
    return {
      name: "contains",
      score({ task, text }) {
        const wanted = texts ?? [goldText(task.id, task.answer)];
        const place = normal(partOf(text, part));
        const found = wanted.filter((one) => place.includes(normal(one)));
        const good = need === "none" ? wanted.length - found.length : found.length;
        const isRight = need === "any" ? good > 0 : good === wanted.length;
        const reason =
          found.length === 0 ? "holds none of the texts" : `holds ${found.length} of ${wanted.length} texts`;
        return graded(isRight ? 1 : partialCredit ? good / wanted.length : 0, reason, JSON.stringify(found));
      },
    };
  },
};

function goldText(id: string, answer: string | null): string {
  if (answer === null || answer.trim() === "") throw new RewardError(`contains: task ${id} has no gold answer`);
  if (answer.length > MAX_GOLD)
    throw new RewardError(`contains: the gold answer of task ${id} is longer than ${MAX_GOLD}`);
  return answer.trim();
}
