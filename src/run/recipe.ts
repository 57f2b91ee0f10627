import { z } from "zod";
import { ControlConfig } from "../entropy-control/index.ts";
import { OptimizerConfig } from "../optim/config.ts";
import { RewardConfig } from "../rewards/index.ts";
import { RolloutConfig, SamplingConfig } from "../rollout/config.ts";
import { DemonstrationConfig } from "../rollout/demonstrations/index.ts";
import { TaskConfig } from "../rollout/tasks/index.ts";
import { DetectorsConfig, ObjectiveConfig, SftConfig, StopConfig, UpdateConfig } from "../trainers/config.ts";
import type { Problem } from "./recipe-problems.ts";

/** Sizes of a model that starts from random weights. */
export const InitConfig = z.strictObject({
  width: z.int().min(8).describe("size of the hidden state"),
  layers: z.int().min(1),
  heads: z.int().min(1).describe("query heads; width / heads is the size of a head"),
  kvHeads: z.int().min(1).nullable().default(null).describe("key/value heads; null = heads"),
  ffWidth: z.int().min(8).describe("inner size of the feed-forward block"),
  ropeTheta: z.number().positive().default(10000).describe("base of the rotary position angles"),
  maxPositions: z.int().min(16).default(512).describe("longest sequence the model is made for"),
  tokenizer: z
    .union([
      z.literal("seedling"),
      z.strictObject({ file: z.string().min(1).describe("folder with tokenizer.json and tokenizer_config.json") }),
    ])
    .default("seedling")
    .describe("vocabulary: that of seedling, or one from a folder (scripts/train-tokenizer.mjs makes them)"),
  initScale: z.number().positive().default(0.5).describe("weights are normal with deviation initScale / √width"),
});
export type InitConfig = z.infer<typeof InitConfig>;

/** Where the weights come from. */
export const ModelSource = z.union([
  z
    .string()
    .min(1)
    .describe(
      "shipped name | ORG/NAME that was pulled | folder | file.gguf | checkpoint or run folder | folder of a PEFT adapter",
    ),
  z.strictObject({ init: InitConfig, seed: z.int().min(0).default(1) }).describe("random weights"),
]);
export type ModelSource = z.infer<typeof ModelSource>;

const LinearName = z.enum(["q", "k", "v", "o", "gate", "up", "down"]);

/** What trains: all weights, or low-rank updates beside frozen ones. */
export const AdapterConfig = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("none") }).describe("all weights train"),
  z
    .strictObject({
      kind: z.literal("lora"),
      rank: z.int().min(1).describe("inner size of the update"),
      alpha: z
        .number()
        .positive()
        .nullable()
        .default(null)
        .describe("update is scaled by alpha / rank; null = 2 × rank"),
      targets: z.array(LinearName).min(1).default(LinearName.options).describe("linear maps that get an update"),
    })
    .describe("LoRA, arXiv:2106.09685"),
]);
export type AdapterConfig = z.infer<typeof AdapterConfig>;

/** Sampling of evaluations: what is not given is as in the rollout. No defaults of its own, so that absent stays absent. */
const sampling = SamplingConfig.shape;
const samplingOverrides = {
  temperature: sampling.temperature.unwrap().optional(),
  topK: sampling.topK.unwrap().optional(),
  topP: sampling.topP.unwrap().optional(),
  minP: sampling.minP.unwrap().optional(),
  maxTokens: sampling.maxTokens.unwrap().optional(),
  stop: sampling.stop.unwrap().optional(),
};

/** Evaluations: before the first step, every few steps, after the last. */
export const EvaluateConfig = z.strictObject({
  ...samplingOverrides,
  every: z.int().min(1).nullable().default(null).describe("steps between evaluations; null = only first and last"),
  samples: z.int().min(1).default(8).describe("completions per problem"),
  k: z.array(z.int().min(1)).default([1]).describe("pass@k to report; every k must be at most samples"),
  limit: z.int().min(1).nullable().default(null).describe("number of problems; null = the whole set"),
});

/** When training state is kept. */
export const CheckpointConfig = z.strictObject({
  every: z.int().min(1).default(20).describe("steps between checkpoints; one more is written at the end"),
  keep: z.int().min(1).default(3).describe("newest checkpoints that stay"),
});

/** The whole recipe: type, defaults, validation and documentation in one. */
export const RecipeSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.-]+$/, "may hold letters, digits, dot, dash and underscore only")
    .default("recipe")
    .describe("name of the run; the file's name when absent"),
  trainer: z.enum(["grpo", "sft"]).default("grpo").describe("reinforcement learning, or imitation of demonstrations"),
  model: ModelSource,
  adapter: AdapterConfig.default({ kind: "none" }),
  tasks: z
    .strictObject({ train: TaskConfig.nullable().default(null), eval: TaskConfig.nullable().default(null) })
    .default({ train: null, eval: null }),
  demonstrations: DemonstrationConfig.nullable().default(null).describe("what sft imitates"),
  rollout: RolloutConfig.default(() => RolloutConfig.parse({})),
  rewards: z.array(RewardConfig).default([]).describe("the reward is the weighted sum; weight 0 = metric only"),
  objective: ObjectiveConfig.default(() => ObjectiveConfig.parse({})),
  detectors: DetectorsConfig.default(() => DetectorsConfig.parse({})),
  stopWhen: StopConfig.default(() => StopConfig.parse({})),
  control: ControlConfig.nullable().default(null).describe("entropy control; null: none"),
  update: UpdateConfig.default(() => UpdateConfig.parse({})),
  sft: SftConfig.default(() => SftConfig.parse({})),
  optimizer: OptimizerConfig,
  steps: z.int().min(1).describe("training steps"),
  seed: z.int().min(0).default(1).describe("everything random follows from it"),
  evaluate: EvaluateConfig.nullable().default(null),
  checkpoint: CheckpointConfig.default(() => CheckpointConfig.parse({})),
  smoke: z.record(z.string(), z.unknown()).default({}).describe("patch of this recipe that --smoke applies"),
});
type Parsed = z.infer<typeof RecipeSchema>;

/** A resolved recipe: every default filled in, those that follow from other fields too. */
export interface Recipe extends Omit<Parsed, "evaluate"> {
  readonly evaluate: (SamplingConfig & Required<z.infer<typeof EvaluateConfig>>) | null;
}

/** Fills the defaults that follow from other fields. */
export function completeRecipe(parsed: Parsed): Recipe {
  const { adapter, evaluate, rollout } = parsed;
  const asInRollout = Object.fromEntries(
    Object.keys(sampling).map((key) => [key, rollout[key as keyof SamplingConfig]]),
  );
  return {
    ...parsed,
    adapter: adapter.kind === "lora" && adapter.alpha === null ? { ...adapter, alpha: 2 * adapter.rank } : adapter,
    evaluate: evaluate && ({ ...evaluate, ...asInRollout, ...defined(evaluate) } as Recipe["evaluate"]),
  };
}

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as Partial<T>;
}

/** JSON schema (draft 2020-12) of a recipe file, for editors. */
export function recipeJsonSchema(): object {
  return { title: "rlvr recipe", ...z.toJSONSchema(RecipeSchema, { io: "input" }) };
}

type Loose = { readonly [key: string]: Loose } | undefined;

/** What has no meaning for tasks that are played turn by turn. */
function playedProblems(recipe: Record<string, Loose>): Problem[] {
  const sets = [recipe.tasks?.train, recipe.tasks?.eval].filter((set) => set !== undefined && set !== null);
  const played = sets.filter((set) => (set?.name as unknown) === "environment");
  const { rollout } = recipe;
  const tools = rollout?.tools as unknown;
  const problems: Problem[] = [];
  const stops = rollout?.stop as unknown;
  if ((played.length > 0 || tools) && Array.isArray(stops) && stops.length > 0)
    problems.push({
      path: ["rollout", "stop"],
      message: "does nothing for episodes: turns end by rollout.dialogue and rollout.episode.turnTokens",
    });
  if (tools && sets.length > 0 && played.length === sets.length)
    problems.push({
      path: ["rollout", "tools"],
      message: "does nothing here: the tasks are those of an environment, which answers every turn itself",
    });
  const { turnTokens = 64, contextTokens } = (rollout?.episode ?? {}) as Record<string, unknown>;
  if (typeof turnTokens === "number" && typeof contextTokens === "number" && turnTokens >= contextTokens)
    problems.push({
      path: ["rollout", "episode", "turnTokens"],
      message: `must be below contextTokens (${contextTokens}), got ${turnTokens}`,
    });
  return problems;
}

/** Rules between fields. Reads the unvalidated input, so that its problems are reported together with all others. */
export function crossProblems(input: unknown): Problem[] {
  const recipe = (input ?? {}) as Record<string, Loose>;
  const problems = evaluationProblems(recipe);
  const need = (bad: boolean, path: PropertyKey[], message: string): void => {
    if (bad) problems.push({ path, message });
  };
  problems.push(...playedProblems(recipe));
  const isSft = (recipe.trainer as unknown) === "sft";
  const rewards = recipe.rewards as unknown;
  const hasRewards = Array.isArray(rewards) && rewards.length > 0;
  need(isSft && !recipe.demonstrations, ["demonstrations"], "is missing: trainer sft imitates demonstrations");
  need(!isSft && !!recipe.demonstrations, ["demonstrations"], "is for trainer sft only; set trainer: sft or remove it");
  need(!isSft && !recipe.tasks?.train, ["tasks", "train"], "is missing: trainer grpo samples from a task set");
  need(!isSft && !hasRewards, ["rewards"], "is empty: trainer grpo needs at least one reward");
  need(!!recipe.evaluate && !recipe.tasks?.eval, ["tasks", "eval"], "is missing: evaluate needs a task set");
  need(
    isSft && !!recipe.evaluate && !hasRewards,
    ["rewards"],
    "is empty: evaluate judges answers with the first reward",
  );
  const samples = (recipe.evaluate?.samples as unknown) ?? 8;
  const ks = recipe.evaluate?.k as unknown;
  if (Array.isArray(ks) && typeof samples === "number") {
    for (const [i, k] of ks.entries())
      need(k > samples, ["evaluate", "k", i], `must be at most evaluate.samples (${samples}), got ${k}`);
  }
  need(hasRewards && rewards.every((reward) => reward?.weight === 0), ["rewards"], "all have weight 0: nothing trains");
  const names = hasRewards ? rewards.map((reward) => reward?.name as unknown) : [];
  for (const [i, name] of names.entries())
    need(
      name !== undefined && names.indexOf(name) < i,
      ["rewards", i],
      `a second reward named ${name}; names must differ`,
    );
  const kl = recipe.objective?.kl as unknown as { estimator?: string; place?: string } | undefined;
  need(
    kl?.place === "reward" && kl.estimator === "full",
    ["objective", "kl", "estimator"],
    "full cannot be part of the reward: it has no value per sampled token; use k1, k2, k3 or abs",
  );
  const filter = recipe.objective?.filter as unknown as { zeroSignal?: string; refillRounds?: number } | undefined;
  need(
    (filter?.refillRounds ?? 0) > 0 && filter?.zeroSignal !== "drop",
    ["objective", "filter", "refillRounds"],
    "needs zeroSignal: drop: kept groups leave nothing to refill",
  );
  const groups = (recipe.rollout?.promptsPerStep as unknown) ?? 16;
  const batches = (recipe.update?.miniBatches as unknown) ?? 1;
  if (typeof groups === "number" && typeof batches === "number")
    need(
      batches > groups,
      ["update", "miniBatches"],
      `must be at most rollout.promptsPerStep (${groups}), got ${batches}`,
    );
  const init = (recipe.model as Loose)?.init as Record<string, unknown> | undefined;
  if (typeof init?.width === "number" && typeof init.heads === "number")
    need(
      init.width % (2 * init.heads) !== 0,
      ["model", "init", "heads"],
      `must divide width (${init.width}) into even parts`,
    );
  return problems;
}

function evaluationProblems({ tasks }: Record<string, Loose>): Problem[] {
  if (!tasks?.eval?.curriculum) return [];
  const message =
    "is for tasks.train: an evaluation whose difficulty moves compares nothing; give it a fixed difficulty";
  return [{ path: ["tasks", "eval", "curriculum"], message }];
}
