import { z } from "zod";
import { DialogueConfig } from "./dialogue/config.ts";
import { ToolFormat, ToolLimits, ToolsConfig } from "./tools/config.ts";

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

/** Limits and habits of multi-turn completions: episodes in an environment, dialogues with tools. */
export const EpisodeConfig = z.strictObject({
  maxTurns: z.int().min(1).default(30).describe("turns of one episode"),
  turnTokens: z
    .int()
    .min(1)
    .default(64)
    .describe("sampled tokens of one turn; then the turn is cut off and played as it is"),
  contextTokens: z
    .int()
    .min(16)
    .nullable()
    .default(null)
    .describe("longest context, prompt and all turns together; null: what the model is made for"),
  overflow: z
    .enum(["stop", "slide", "summary"])
    .default("stop")
    .describe(
      "when the next turn does not fit the context: end the episode, or begin a new context with the newest turns, which says that turns are left out (slide) or what was done in them (summary)",
    ),
  keepTurns: z.int().min(0).default(2).describe("newest turns that a new context repeats, as far as they fit"),
  deadlineSeconds: z
    .number()
    .positive()
    .default(120)
    .describe("time of the environment or the tools in one episode; beyond it the episode is an error"),
  maxObservation: z.int().min(10).default(4000).describe("longest observation, characters; the rest is cut off"),
  showActions: z.boolean().default(false).describe("adds the admissible actions to every observation"),
});
export type EpisodeConfig = z.infer<typeof EpisodeConfig>;

/** The rollout of one training step. */
export const RolloutConfig = SamplingConfig.extend({
  promptsPerStep: z.int().min(1).default(16).describe("different problems per training step"),
  groupSize: z
    .int()
    .min(2, "must be at least 2: a group of one has no baseline to compare with")
    .default(8)
    .describe("completions per problem"),
  batchSize: z.int().min(1).default(128).describe("completions decoded at once"),
  episode: EpisodeConfig.default(() => EpisodeConfig.parse({})),
  dialogue: DialogueConfig.default(() => DialogueConfig.parse({})),
  tools: ToolsConfig.nullable().default(null).describe("what the policy can call; docs/tools.md"),
  toolFormat: ToolFormat,
  toolLimits: ToolLimits.default(() => ToolLimits.parse({})),
});
export type RolloutConfig = z.infer<typeof RolloutConfig>;
