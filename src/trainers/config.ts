import { z } from "zod";

/** How the rewards of a group become advantages. */
export const AdvantageConfig = z.discriminatedUnion("name", [
  z
    .strictObject({
      name: z.literal("grpo"),
      epsilon: z.number().min(0).default(1e-6).describe("added to the group's standard deviation"),
    })
    .describe("(R - group mean) / (unbiased group std + epsilon)"),
]);
export type AdvantageConfig = z.infer<typeof AdvantageConfig>;

/** The policy-gradient surrogate of one token. */
export const LossConfig = z.discriminatedUnion("name", [
  z
    .strictObject({
      name: z.literal("clip"),
      clipLow: z.number().min(0).default(0.2).describe("the ratio is clipped below at 1 - clipLow"),
      clipHigh: z.number().min(0).default(0.2).describe("the ratio is clipped above at 1 + clipHigh"),
    })
    .describe("max(-A r, -A clip(r, 1 - clipLow, 1 + clipHigh)), PPO's clipped surrogate with two bounds"),
]);
export type LossConfig = z.infer<typeof LossConfig>;

/** How token losses become one number. */
export const AggregateConfig = z.discriminatedUnion("name", [
  z.strictObject({ name: z.literal("token-mean") }).describe("mean over all trained tokens of the mini-batch"),
]);
export type AggregateConfig = z.infer<typeof AggregateConfig>;

/** What is minimised. */
export const ObjectiveConfig = z.strictObject({
  advantage: AdvantageConfig.default({ name: "grpo", epsilon: 1e-6 }),
  loss: LossConfig.default({ name: "clip", clipLow: 0.2, clipHigh: 0.2 }),
  aggregate: AggregateConfig.default({ name: "token-mean" }),
});
export type ObjectiveConfig = z.infer<typeof ObjectiveConfig>;

/** Updates per rollout and how a mini-batch is cut to fit memory. */
export const UpdateConfig = z.strictObject({
  miniBatches: z.int().min(1).default(1).describe("updates per pass over a rollout; its groups are dealt to them"),
  epochs: z.int().min(1).default(1).describe("passes over a rollout"),
  microBatchTokens: z
    .int()
    .min(16)
    .default(8192)
    .describe("padded tokens computed at once; changes memory and speed, not the gradient"),
  clipGradNorm: z.number().positive().default(1).describe("global L2 norm that gradients are scaled down to"),
});
export type UpdateConfig = z.infer<typeof UpdateConfig>;

/** Supervised warm start on generated demonstrations: mean negative log-likelihood of the completion tokens. */
export const SftConfig = z.strictObject({
  tokensPerStep: z.int().min(1).default(3000).describe("padded tokens (prompt + completion) of one update"),
  bucket: z
    .int()
    .min(1)
    .default(64)
    .describe("batches drawn at once and sorted by length, so that rows of a batch are alike"),
});
export type SftConfig = z.infer<typeof SftConfig>;
