import { z } from "zod";
import { countdownReward } from "./countdown.ts";
import { exactMatchReward } from "./exact-match.ts";
import { formatReward } from "./format.ts";
import { reasoningTask } from "./generated/index.ts";
import { numericAnswerReward } from "./numeric-answer.ts";
import { type Rubric, rubric } from "./rubric.ts";
import type { Reward } from "./types.ts";

export { foldSteps, judgeSteps, lastTry } from "./countdown-steps.ts";
export type { Rubric, RubricResult, ScoredTerm } from "./rubric.ts";
export { rubric } from "./rubric.ts";
export type { Outcome, Reward, RewardDef, Scorable, Verdict } from "./types.ts";
export { correct, unparseable, wrong } from "./verdicts.ts";

const DEFS = [countdownReward, numericAnswerReward, formatReward, exactMatchReward, reasoningTask] as const;

const weight = z.number().default(1).describe("factor of this term in the reward; 0 = metric only");

/** A reward of a recipe: its name, its weight and its own options. */
export const RewardConfig = z.discriminatedUnion("name", [
  countdownReward.options.extend({ name: z.literal("countdown"), weight }),
  numericAnswerReward.options.extend({ name: z.literal("numeric-answer"), weight }),
  formatReward.options.extend({ name: z.literal("format"), weight }),
  exactMatchReward.options.extend({ name: z.literal("exact-match"), weight }),
  reasoningTask.options.extend({ name: z.literal("reasoning-task"), weight }),
]);
export type RewardConfig = z.infer<typeof RewardConfig>;

/** Makes one built-in reward. */
export function createReward(config: RewardConfig): Reward {
  const { name, weight: _weight, ...options } = config;
  const def = DEFS.find((candidate) => candidate.name === name);
  if (!def) throw new Error(`internal: reward ${name} is not in the table`);
  return def.create(options as never);
}

/** Makes the rubric of a recipe. */
export function createRubric(configs: readonly RewardConfig[]): Rubric {
  return rubric(configs.map((config) => ({ reward: createReward(config), weight: config.weight })));
}
