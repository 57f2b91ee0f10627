import { z } from "zod";
import { FAMILY_NAMES, type FamilyName } from "../../rollout/tasks/generated/index.ts";
import { RewardError } from "../../utils/errors.ts";
import { afterThinking } from "../../utils/thinking.ts";
import { judgeExpression } from "../expression.ts";
import { lastAnswerTag } from "../extract.ts";
import type { Reward, RewardDef } from "../types.ts";
import { unparseable } from "../verdicts.ts";
import { metadataOf } from "./metadata.ts";
import { scoreBaseConversion, scoreFraction, scorePrimeFactorization } from "./notation.ts";
import { scoreNumber, scoreSolution } from "./number.ts";
import { scoreNumberSorting, scoreSpellBackward, scoreWordSorting } from "./order.ts";
import type { Problem, Scorer } from "./scorer.ts";

const CountdownProblem = z.object({ numbers: z.array(z.int()).min(1), target: z.int() });

/** An expression with every number once and the target as its value. */
const scoreCountdown: Scorer = (answer, problem) => {
  const { numbers, target } = metadataOf(problem, CountdownProblem);
  return judgeExpression(answer, numbers, target);
};

const SCORERS: Readonly<Record<FamilyName, Scorer>> = {
  chain_sum: scoreNumber,
  decimal_chain_sum: scoreNumber,
  products: scoreNumber,
  basic_arithmetic: scoreNumber,
  gcd: scoreNumber,
  lcm: scoreNumber,
  count_bits: scoreNumber,
  letter_counting: scoreNumber,
  simple_equations: scoreSolution,
  base_conversion: scoreBaseConversion,
  fraction_simplification: scoreFraction,
  prime_factorization: scorePrimeFactorization,
  spell_backward: scoreSpellBackward,
  word_sorting: scoreWordSorting,
  number_sorting: scoreNumberSorting,
  countdown: scoreCountdown,
};

const Options = z.strictObject({
  partialCredit: z
    .boolean()
    .default(false)
    .describe("spell_backward, word_sorting, number_sorting: a wrong answer scores the share of items in their places"),
});

const TaskData = z.object({ family: z.enum(FAMILY_NAMES), metadata: z.record(z.string(), z.unknown()) });

/** Is the last `<answer>…</answer>` after the thoughts right for a generated problem? The family decides how it is read. */
export const reasoningTask: RewardDef<typeof Options> = {
  name: "reasoning-task",
  options: Options,
  create: ({ partialCredit }): Reward => ({
    name: "reasoning-task",
    score({ task, text }) {
      const data = TaskData.safeParse(task.data);
      if (!data.success) {
        throw new RewardError(`reasoning-task: task ${task.id} is not a generated task: it has no family and metadata`);
      }
      const answer = lastAnswerTag(afterThinking(text));
      if (answer === null) return unparseable("there is no <answer>…</answer>");
      return scoreAnswer(answer, { ...data.data, answer: task.answer ?? "", partialCredit });
    },
  }),
};

/** Judges the content of an answer tag. @throws RewardError when the problem lacks what its family's scorer needs */
export function scoreAnswer(answer: string, problem: Problem): ReturnType<Scorer> {
  return SCORERS[problem.family](answer, problem);
}
