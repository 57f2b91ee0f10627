import { createReward, RewardConfig, type Verdict } from "../../src/rewards/index.ts";
import type { Json } from "../../src/rollout/index.ts";

/** What a test says about a completion besides its text. */
export interface Given {
  readonly answer?: string | null;
  readonly data?: { readonly [key: string]: Json };
  readonly tokens?: number;
}

/** The verdict of a reward as a recipe writes it, in this thread. */
export function judge(
  config: { readonly name: string; readonly [option: string]: unknown },
  text: string,
  given: Given = {},
): Verdict {
  const { answer = null, data = {}, tokens = 1 } = given;
  const reward = createReward(RewardConfig.parse(config));
  const task = { id: "t", set: "file", prompt: "", answer, data };
  return reward.score({ task, text, stop: "eos", tokens }) as Verdict;
}
