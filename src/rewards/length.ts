import { z } from "zod";
import { ConfigError, RewardError } from "../utils/errors.ts";
import type { Reward, RewardDef } from "./types.ts";
import { graded } from "./verdicts.ts";

const Options = z.strictObject({
  target: z.int().min(1).describe("number of sampled tokens at which the score is 1"),
  min: z
    .int()
    .min(0)
    .nullable()
    .default(null)
    .describe("at so many tokens and fewer the score is 0; null: shorter is as good as the target"),
  max: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe("at so many tokens and more the score is 0; null: longer is as good as the target"),
});
type Options = z.infer<typeof Options>;

/**
 * A bounded preference for a length in sampled tokens n: (n − min) / (target − min) below the target, (max − n) / (max − target) above it, held
 * to [0, 1]. It says nothing about whether the answer is right, so give it a small weight.
 */
export const lengthReward: RewardDef<typeof Options> = {
  name: "length",
  options: Options,
  runs: () => "main",
  create: (options): Reward => {
    checkBounds(options);
    return {
      name: "length",
      score({ task, tokens }) {
        if (!(tokens > 0)) throw new RewardError(`length: the completion of task ${task.id} has no tokens counted`);
        return graded(lengthScore(tokens, options), `${tokens} tokens, ${options.target} are wanted`, String(tokens));
      },
    };
  },
};

function checkBounds({ target, min, max }: Options): void {
  if (min === null && max === null)
    throw new ConfigError("length: needs min, max or both; without them every length is right");
  if (min !== null && min >= target) throw new ConfigError(`length: min must be below target (${target}), got ${min}`);
  if (max !== null && max <= target) throw new ConfigError(`length: max must be above target (${target}), got ${max}`);
}

function lengthScore(tokens: number, { target, min, max }: Options): number {
  if (tokens < target) return min === null ? 1 : Math.max(0, (tokens - min) / (target - min));
  return max === null ? 1 : Math.max(0, (max - tokens) / (max - target));
}
