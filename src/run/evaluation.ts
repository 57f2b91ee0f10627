import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { openLearner } from "../policy/index.ts";
import { createRubric } from "../rewards/index.ts";
import { openTaskSet } from "../rollout/tasks/index.ts";
import { evaluate } from "../trainers/evaluate.ts";
import type { EvaluationOutput } from "../trainers/types.ts";
import { ConfigError } from "../utils/errors.ts";
import { latestModel } from "./folder.ts";
import type { Recipe } from "./recipe.ts";
import { loadRecipe, resolveRecipe } from "./recipe-load.ts";
import { applyOverrides } from "./recipe-source.ts";

/** What an evaluation is made of; all of it is part of a recipe. */
export type EvaluationPlan = Pick<Recipe, "tasks" | "rewards" | "rollout" | "evaluate" | "seed">;

/** What the command line may say about it. */
export interface EvaluationOptions {
  /** A recipe file or run folder whose evaluation is taken, or the name of a task set. */
  readonly tasks?: string;
  readonly samples?: number;
  readonly k?: readonly number[];
  readonly limit?: number;
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly seed?: number;
  /** Changes of the recipe, `a.b=c`. */
  readonly set?: readonly string[];
}

/**
 * Decides what to evaluate on: the recipe or set that `tasks` names, else the recipe of a run that is evaluated.
 * @throws ConfigError when there is neither
 */
export async function planEvaluation(models: readonly string[], options: EvaluationOptions): Promise<EvaluationPlan> {
  const recipe = await baseRecipe(models, options);
  if (!recipe.tasks.eval) throw new ConfigError(`${options.tasks ?? models[0]}: its recipe has no tasks.eval`);
  const { maxTokens, temperature, seed = recipe.seed, limit } = options;
  const samples = options.samples ?? recipe.evaluate?.samples ?? 8;
  const k = [...(options.k ?? recipe.evaluate?.k ?? [1])];
  const tooLarge = k.find((value) => value > samples);
  if (tooLarge !== undefined)
    throw new ConfigError(`--k ${tooLarge}: must be at most the number of samples (${samples})`);
  const before = recipe.evaluate ?? { every: null, ...recipe.rollout };
  const { stop, topK, topP, minP } = before;
  return {
    ...recipe,
    seed,
    evaluate: {
      ...{ every: null, samples, k, limit: limit ?? recipe.evaluate?.limit ?? null, stop, topK, topP, minP },
      temperature: temperature ?? before.temperature,
      maxTokens: maxTokens ?? before.maxTokens,
    },
  };
}

async function baseRecipe(models: readonly string[], { tasks, set = [] }: EvaluationOptions): Promise<Recipe> {
  const run = tasks ?? models.find((model) => existsSync(join(model, "recipe.yaml")));
  if (run === undefined)
    throw new ConfigError(
      "say what to evaluate on: --tasks NAME (a task set), or --tasks FILE (a recipe or a run folder)",
    );
  if (existsSync(join(run, "recipe.yaml"))) return loadRecipe(join(run, "recipe.yaml"), { set });
  if ([".yaml", ".yml", ".json", ".ts", ".js", ".mjs"].includes(extname(run))) return loadRecipe(run, { set });
  const data = {
    model: models[0]!,
    tasks: { train: { name: run }, eval: { name: run, split: "test" } },
    rewards: [{ name: run }],
    optimizer: { name: "adamw", lr: 1 },
    steps: 1,
    evaluate: {},
  };
  const source = { name: "eval", data, locate: () => `--tasks ${run}:` };
  return resolveRecipe(applyOverrides(source, set), false);
}

/** Evaluates one model. @throws DataError when it cannot be opened */
export async function evaluateModel(model: string, plan: EvaluationPlan, threads: number): Promise<EvaluationOutput> {
  const tasks = await openTaskSet(plan.tasks.eval!);
  const rubric = createRubric(plan.rewards);
  const { seed, rollout } = plan;
  const learner = await openLearner({ model: latestModel(model), adapter: { kind: "none" }, seed, threads });
  try {
    const { every: _every, ...rest } = plan.evaluate!;
    return await evaluate(learner, tasks, rubric, { ...rest, rollout, seed, step: 0 });
  } finally {
    await learner.close();
  }
}
