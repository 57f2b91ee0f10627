import { z } from "zod";
import { RewardError } from "../utils/errors.ts";
import { goldProblem, judgeCompletion } from "./math/index.ts";
import type { Reward, RewardDef } from "./types.ts";

const Options = z.strictObject({
  thinking: z
    .enum(["after", "anywhere"])
    .default("after")
    .describe("what counts: only the text after the last </think>, or the thoughts, too"),
  from: z
    .enum(["anything", "marked", "box"])
    .default("anything")
    .describe(
      "where the answer may stand: in a box only; also behind ####, in an answer tag, behind 'answer is'; also as the last mathematics of the text",
    ),
});

/**
 * Is the answer mathematically equal to the gold one? The last box counts, else the last mark, else the last mathematics. Equality is exact:
 * fractions as fractions, other numbers to 60 digits with an error bound, expressions in variables at fixed points, sets and tuples element by element.
 */
export const mathReward: RewardDef<typeof Options> = {
  name: "math",
  options: Options,
  create: (options): Reward => ({
    name: "math",
    score({ task, text }) {
      if (task.answer === null) throw new RewardError(`math: task ${task.id} has no gold answer`);
      const problem = task.answer.trim() === "" ? goldProblem(task.answer) : null;
      if (problem) throw new RewardError(`math: the gold answer of task ${task.id} can't be read: ${problem}`);
      const { outcome, reason, rule, parsed, steps } = judgeCompletion(text, task.answer, options);
      return {
        outcome,
        score: outcome === "correct" ? 1 : 0,
        reason,
        rule,
        gold: task.answer,
        steps,
        ...(parsed === null ? {} : { parsed }),
      };
    },
  }),
};
