import { z } from "zod";
import { RewardError } from "../utils/errors.ts";
import { afterThinking } from "../utils/thinking.ts";
import { lastAnswerTag, lastBox } from "./extract.ts";
import type { Reward, RewardDef } from "./types.ts";
import { correct, unparseable, wrong } from "./verdicts.ts";

const Options = z.strictObject({
  from: z
    .enum(["text", "answer-tag", "boxed", "last-line"])
    .default("text")
    .describe("what is compared: the whole completion, the last answer tag, the last box, or the last line"),
  ignoreCase: z.boolean().default(false).describe("capital and small letters are the same"),
});

/** Is the answer the gold text, up to blanks around and between words? */
export const exactMatchReward: RewardDef<typeof Options> = {
  name: "exact-match",
  options: Options,
  runs: () => "main",
  create: ({ from, ignoreCase }): Reward => {
    const normal = (text: string): string => {
      const joined = text.trim().split(/\s+/u).join(" ");
      return ignoreCase ? joined.toLowerCase() : joined;
    };
    const read: Record<typeof from, (text: string) => string | null> = {
      text: (text) => text,
      "answer-tag": lastAnswerTag,
      boxed: (text) => lastBox(text)?.content ?? null,
      "last-line": (text) => text.trim().split("\n").at(-1) ?? null,
    };
    return {
      name: "exact-match",
      score({ task, text }) {
        if (task.answer === null) throw new RewardError(`exact-match: task ${task.id} has no gold answer`);
        const answer = read[from](afterThinking(text));
        if (answer === null) return unparseable(`there is no ${from}`);
        const parsed = normal(answer);
        if (parsed === "" && (from === "text" || from === "last-line")) return unparseable("the answer is empty");
        if (parsed === normal(task.answer)) return correct("is the gold answer", parsed);
        return wrong(`is not ${JSON.stringify(task.answer)}`, parsed);
      },
    };
  },
};
