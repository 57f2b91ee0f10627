import type { z } from "zod";
import { BuiltInRewardConfig, builtInDef, createReward } from "./builtin.ts";
import { openPool, type PoolOptions } from "./pool/index.ts";
import { type Rubric, type RubricTerm, rubric } from "./rubric.ts";

export { BuiltInRewardConfig, createReward } from "./builtin.ts";
export * from "./code/index.ts";
export { foldSteps, judgeSteps, lastTry } from "./countdown-steps.ts";
export * from "./detectors/index.ts";
export * from "./pool/index.ts";
export type { Rubric, RubricOptions, RubricResult, RubricTerm, ScoredTerm } from "./rubric.ts";
export { rubric } from "./rubric.ts";
export type { Outcome, Reward, RewardDef, Scorable, Verdict } from "./types.ts";
export { correct, graded, unparseable, wrong } from "./verdicts.ts";

/** A reward of a recipe: its name, its weight and its own options. */
export const RewardConfig = BuiltInRewardConfig;
export type RewardConfig = z.infer<typeof RewardConfig>;

/** Time for one answer of a reward that does not say otherwise, ms. */
const DEADLINE_MS = 5000;

/**
 * Makes the rubric of a recipe: rewards that are not cheap and bounded run in a pool of threads that can be killed.
 * @throws ConfigError when a reward can't work on this machine, with what to install
 */
export function createRubric(configs: readonly RewardConfig[], options: PoolOptions = {}): Rubric {
  const terms = configs.map((config): RubricTerm => {
    const { name, weight, ...rest } = config;
    const def = builtInDef(name);
    const reward = createReward(config); // here, even if it runs in a thread, so that what can't work is said now
    if (def.runs?.(rest) === "main") return { weight, reward };
    return { weight, name, source: { kind: "builtin", config }, deadlineMs: def.deadlineMs?.(rest) ?? DEADLINE_MS };
  });
  return rubric(terms, terms.some((term) => "source" in term) ? { pool: openPool(options) } : {});
}
