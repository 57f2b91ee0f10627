import { z } from "zod";

/** How tokens are drawn. Filters apply in the order temperature, top-k, top-p, min-p; what is kept is renormalised. */
export const SamplingConfig = z.strictObject({
  temperature: z.number().positive().default(1).describe("logits are divided by this"),
  topK: z.int().min(0).default(0).describe("keep the k most probable tokens; 0 keeps all"),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe("keep the smallest set of tokens whose probability reaches p; 1 keeps all"),
  minP: z.number().min(0).max(1).default(0).describe("keep tokens at least this fraction as probable as the best one"),
  maxTokens: z.int().min(1).default(256).describe("sampled tokens per completion, prompt not counted"),
  stop: z.array(z.string().min(1)).default([]).describe("texts that end a completion"),
});
export type SamplingConfig = z.infer<typeof SamplingConfig>;

/** The rollout of one training step. */
export const RolloutConfig = SamplingConfig.extend({
  promptsPerStep: z.int().min(1).default(16).describe("different problems per training step"),
  groupSize: z
    .int()
    .min(2, "must be at least 2: a group of one has no baseline to compare with")
    .default(8)
    .describe("completions per problem"),
  batchSize: z.int().min(1).default(128).describe("completions decoded at once"),
});
export type RolloutConfig = z.infer<typeof RolloutConfig>;
