import { z } from "zod";
import { DETECTORS } from "../rewards/index.ts";
import { bytesOf, MEMORY_FORM } from "./memory-amount.ts";

/** How the rewards of a group become advantages. */
export const AdvantageConfig = z.discriminatedUnion("name", [
  z
    .strictObject({
      name: z.literal("grpo"),
      epsilon: z.number().min(0).default(1e-6).describe("added to the group's standard deviation"),
    })
    .describe("(R - group mean) / (unbiased group std + epsilon)"),
  z.strictObject({ name: z.literal("dr-grpo") }).describe("R - group mean (arXiv:2503.20783)"),
  z.strictObject({ name: z.literal("rloo") }).describe("R - mean of the others of the group (arXiv:2402.14740)"),
  z.strictObject({ name: z.literal("reinforce") }).describe("R itself"),
  z
    .strictObject({
      name: z.literal("batch-norm"),
      epsilon: z.number().min(0).default(1e-8).describe("added to the batch's standard deviation"),
    })
    .describe("(R - group mean) / (unbiased std of that over the batch + epsilon), REINFORCE++ with baseline"),
  z
    .strictObject({
      name: z.literal("gigpo"),
      stepWeight: z.number().min(0).default(1).describe("omega: weight of the comparison within step groups"),
      gamma: z.number().min(0).max(1).default(0.95).describe("discount of the reward for each turn before the last"),
      normalise: z
        .boolean()
        .default(true)
        .describe("divide by standard deviations, in both parts; false: subtract means only"),
      epsilon: z.number().min(0).default(1e-6).describe("added to the standard deviations"),
    })
    .describe(
      "(R - group mean) / (std + epsilon) of the completion, plus omega times the same over the turns of the group that started from one state (GiGPO, arXiv:2505.10978)",
    ),
]);
export type AdvantageConfig = z.infer<typeof AdvantageConfig>;

const bounds = (low: number, high: number, dual: number | null) => ({
  clipLow: z.number().min(0).default(low).describe("the ratio is clipped below at 1 - clipLow"),
  clipHigh: z.number().min(0).default(high).describe("the ratio is clipped above at 1 + clipHigh"),
  dualClip: z
    .number()
    .gt(1)
    .nullable()
    .default(dual)
    .describe("for negative advantages the loss is at most -A times this; null: no such bound"),
});

/** The policy-gradient surrogate of one token. */
export const LossConfig = z.discriminatedUnion("name", [
  z
    .strictObject({ name: z.literal("clip"), ...bounds(0.2, 0.2, null) })
    .describe("max(-A r, -A clip(r, 1 - clipLow, 1 + clipHigh)), PPO's clipped surrogate with two bounds"),
  z
    .strictObject({ name: z.literal("clip-higher"), ...bounds(0.2, 0.28, 10) })
    .describe("clip with DAPO's bounds (arXiv:2503.14476)"),
  z
    .strictObject({ name: z.literal("clip-wide"), ...bounds(1, 9, null) })
    .describe("clip with Lp-Reg's bounds (arXiv:2510.03222): positive advantages up to a ratio of 10, no lower bound"),
  z
    .strictObject({
      name: z.literal("gspo"),
      clipLow: z.number().min(0).default(3e-4).describe("lower bound of the sequence ratio, below 1"),
      clipHigh: z.number().min(0).default(4e-4).describe("upper bound of the sequence ratio, above 1"),
    })
    .describe("the clipped loss with the length-normalised ratio of the whole sequence (arXiv:2507.18071)"),
  z
    .strictObject({
      name: z.literal("cispo"),
      clipLow: z.number().min(0).default(10).describe("the weight is clipped below at 1 - clipLow"),
      clipHigh: z.number().min(0).default(0.2).describe("the weight is clipped above at 1 + clipHigh"),
    })
    .describe("-sg(clip(r)) A logp: every token keeps its gradient (arXiv:2506.13585)"),
  z.strictObject({ name: z.literal("reinforce") }).describe("-A logp"),
]);
export type LossConfig = z.infer<typeof LossConfig>;

const denominator = z
  .enum(["mini-batch", "micro-batch"])
  .default("mini-batch")
  .describe(
    "what is counted: the whole mini-batch, or each micro-batch, weighted by its share of the rows (verl's older form)",
  );

/** How token losses become one number. */
export const AggregateConfig = z.discriminatedUnion("name", [
  z.strictObject({ name: z.literal("token-mean"), denominator }).describe("mean over all trained tokens"),
  z
    .strictObject({ name: z.literal("seq-mean-token-mean"), denominator })
    .describe("mean over rows of the mean over tokens"),
  z
    .strictObject({ name: z.literal("seq-mean-token-sum"), denominator })
    .describe("mean over rows of the sum over tokens"),
  z
    .strictObject({
      name: z.literal("constant"),
      length: z.number().positive().describe("C: a length that does not depend on the batch, such as maxTokens"),
      denominator,
    })
    .describe("mean over rows of the sum over tokens / C (Dr.GRPO)"),
]);
export type AggregateConfig = z.infer<typeof AggregateConfig>;

/** Divergence from the policy before training. */
export const KlConfig = z.strictObject({
  estimator: z
    .enum(["k1", "k2", "k3", "abs", "full"])
    .describe(
      "of the sampled token, d = logp_ref - logp: -d, d²/2, exp(d) - d - 1, |d|; full: KL(policy || reference)",
    ),
  coefficient: z.number().min(0).describe("beta"),
  place: z
    .enum(["loss", "reward"])
    .default("loss")
    .describe("loss: with gradient, aggregated like the loss; reward: subtracted from the reward, summed over tokens"),
});
export type KlConfig = z.infer<typeof KlConfig>;

/** Correction for samples from another distribution than the trained one: filters (topP, …) or other weights. */
export const ImportanceConfig = z.discriminatedUnion("name", [
  z
    .strictObject({ name: z.literal("token-tis"), cap: z.number().positive().default(2).describe("largest weight") })
    .describe("truncated importance sampling: min(exp(logp_old - logp_rollout), cap) per token"),
  z
    .strictObject({ name: z.literal("sequence-tis"), cap: z.number().positive().default(2).describe("largest weight") })
    .describe("the same of the sum over the completion"),
  z
    .strictObject({
      name: z.literal("token-mis"),
      low: z.number().min(0).default(0.5).describe("tokens of a smaller weight are masked"),
      high: z.number().positive().default(2).describe("tokens of a larger weight are masked"),
    })
    .describe("masked importance sampling: the weight inside the bounds, 0 outside"),
  z
    .strictObject({
      name: z.literal("sequence-mis"),
      low: z.number().min(0).default(0.5).describe("completions of a smaller weight are masked"),
      high: z.number().positive().default(2).describe("completions of a larger weight are masked"),
    })
    .describe("the same of the sum over the completion"),
]);
export type ImportanceConfig = z.infer<typeof ImportanceConfig>;

const Unjudged = z.enum(["mask", "wrong", "drop-group"]);

/** What becomes of completions that a verifier could not judge. */
export const OutcomesConfig = z
  .strictObject({
    unparseable: Unjudged.default("mask").describe("no answer could be read from the completion"),
    timeout: Unjudged.default("mask").describe("the verifier did not end in time"),
    error: Unjudged.default("mask").describe("the verifier failed"),
  })
  .describe(
    "mask: leaves the loss and the statistics of its group; wrong: counts as score 0; drop-group: its whole group leaves the loss. " +
      "Where several rewards failed on one completion, drop-group goes before mask, mask before wrong",
  );
export type OutcomesConfig = z.infer<typeof OutcomesConfig>;

/** When a run stops by itself: nothing can be learned from its rewards. */
export const StopConfig = z
  .strictObject({
    failedShare: z
      .number()
      .min(0)
      .lt(1)
      .nullable()
      .default(0.5)
      .describe("largest share of completions, over failedSteps steps, on which a verifier may fail (timeout, error)"),
    failedSteps: z.int().min(1).default(3).describe("the last so many steps are looked at; 1: every step by itself"),
    identicalSteps: z
      .int()
      .min(1)
      .nullable()
      .default(100)
      .describe("so many steps in a row in which all rewards are one value, or none could be given"),
  })
  .describe("the run stops with the rows that show why; null: never for this reason");
export type StopConfig = z.infer<typeof StopConfig>;

const Thresholds = z.strictObject(
  Object.fromEntries(
    DETECTORS.map(({ name, what, warnAt }) => [
      name,
      z.number().min(0).lt(1).nullable().optional().describe(`${what}; ${warnAt} when absent`),
    ]),
  ),
);

/** How a run watches for reward hacking; detectors warn, they never change a score. */
export const DetectorsConfig = z.strictObject({
  completions: z.int().min(0).default(128).describe("completions of a step that detectors read; 0: none"),
  thresholds: Thresholds.default({}).describe(
    "by detector: share of the completions above which the run warns; null: never",
  ),
});
export type DetectorsConfig = z.infer<typeof DetectorsConfig>;

/** Which completions train. */
export const FilterConfig = z.strictObject({
  zeroSignal: z
    .enum(["keep", "drop"])
    .default("keep")
    .describe(
      "groups whose rewards are all equal: keep them in the denominators, or drop them (DAPO's dynamic sampling)",
    ),
  refillRounds: z
    .int()
    .min(0)
    .default(0)
    .describe("with drop: sample further problems until promptsPerStep groups are left, at most so many times"),
  overlong: z
    .enum(["keep", "mask"])
    .default("keep")
    .describe("completions cut off at maxTokens: train, or count in their group only (DAPO's overlong filtering)"),
  overlongCache: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe("soft overlong punishment: the reward falls by up to 1 over the last so many tokens before maxTokens"),
  outcomes: OutcomesConfig.default(() => OutcomesConfig.parse({})),
});
export type FilterConfig = z.infer<typeof FilterConfig>;

/** What is minimised. */
export const ObjectiveConfig = z.strictObject({
  advantage: AdvantageConfig.default({ name: "grpo", epsilon: 1e-6 }),
  loss: LossConfig.default({ name: "clip", clipLow: 0.2, clipHigh: 0.2, dualClip: null }),
  aggregate: AggregateConfig.default({ name: "token-mean", denominator: "mini-batch" }),
  kl: KlConfig.nullable().default(null).describe("divergence from the model before training; null: none"),
  importance: ImportanceConfig.nullable().default(null).describe("correction for filtered sampling; null: none"),
  filter: FilterConfig.default(() => FilterConfig.parse({})),
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
    .describe(
      "tokens computed at once, gaps of the attention's blocks counted; changes memory and speed, not the gradient",
    ),
  plan: z
    .enum(["lean", "fast"])
    .default("lean")
    .describe(
      "lean: layer by layer, each layer's forward pass is computed again in the backward pass, so that only the layers' inputs are held; fast: the whole model in one run, which holds what the backward pass needs",
    ),
  memory: z
    .string()
    .refine((text) => bytesOf(text) !== null, MEMORY_FORM)
    .nullable()
    .default(null)
    .describe(
      "budget of the whole process, such as 4GB: microBatchTokens and rollout.batchSize are lowered until a step with the longest completions fits; null: they are taken as they are",
    ),
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
