import { z } from "zod";
import { codeJavascript, codePython } from "./code/index.ts";
import { countdownReward } from "./countdown.ts";
import { exactMatchReward } from "./exact-match.ts";
import { formatReward } from "./format.ts";
import { reasoningTask } from "./generated/index.ts";
import { mathReward } from "./math-answer.ts";
import { numericAnswerReward } from "./numeric-answer.ts";
import { openPool, type PoolOptions } from "./pool/index.ts";
import { type Rubric, type RubricTerm, rubric } from "./rubric.ts";
import type { Reward, RewardDef } from "./types.ts";

export * from "./code/index.ts";
export { foldSteps, judgeSteps, lastTry } from "./countdown-steps.ts";
export * from "./pool/index.ts";
export type { Rubric, RubricOptions, RubricResult, RubricTerm, ScoredTerm } from "./rubric.ts";
export { rubric } from "./rubric.ts";
export type { Outcome, Reward, RewardDef, Scorable, Verdict } from "./types.ts";
export { correct, unparseable, wrong } from "./verdicts.ts";

const DEFS = [
  countdownReward,
  numericAnswerReward,
  formatReward,
  exactMatchReward,
  reasoningTask,
  mathReward,
  codePython,
  codeJavascript,
] as const;

const weight = z.number().default(1).describe("factor of this term in the reward; 0 = metric only");

/** A reward of a recipe: its name, its weight and its own options. */
export const RewardConfig = z.discriminatedUnion("name", [
  countdownReward.options.extend({ name: z.literal("countdown"), weight }),
  numericAnswerReward.options.extend({ name: z.literal("numeric-answer"), weight }),
  formatReward.options.extend({ name: z.literal("format"), weight }),
  exactMatchReward.options.extend({ name: z.literal("exact-match"), weight }),
  reasoningTask.options.extend({ name: z.literal("reasoning-task"), weight }),
  mathReward.options.extend({ name: z.literal("math"), weight }),
  codePython.options.extend({ name: z.literal("code-python"), weight }),
  codeJavascript.options.extend({ name: z.literal("code-javascript"), weight }),
]);
export type RewardConfig = z.infer<typeof RewardConfig>;

/** Makes one built-in reward. */
export function createReward(config: RewardConfig): Reward {
  const { name, weight: _weight, ...options } = config;
  return defOf(name).create(options as never);
}

/** Time for one answer of a reward that does not say otherwise, ms. */
const DEADLINE_MS = 5000;

/**
 * Makes the rubric of a recipe: rewards that are not cheap and bounded run in a pool of threads that can be killed.
 * @throws ConfigError when a reward can't work on this machine, with what to install
 */
export function createRubric(configs: readonly RewardConfig[], options: PoolOptions = {}): Rubric {
  const terms = configs.map((config): RubricTerm => {
    const { name, weight, ...rest } = config;
    const def = defOf(name) as RewardDef;
    const reward = createReward(config); // here, even if it runs in a thread, so that what can't work is said now
    if (def.runs?.(rest) === "main") return { weight, reward };
    return { weight, name, source: { kind: "builtin", config }, deadlineMs: def.deadlineMs?.(rest) ?? DEADLINE_MS };
  });
  return rubric(terms, terms.some((term) => "source" in term) ? { pool: openPool(options) } : {});
}

function defOf(name: string) {
  const def = DEFS.find((candidate) => candidate.name === name);
  if (!def) throw new Error(`internal: reward ${name} is not in the table`);
  return def;
}
