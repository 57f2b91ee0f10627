import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { type Learner, openLearner, openModel } from "../policy/index.ts";
import { openRubric } from "../rewards/index.ts";
import { isDataFile } from "../rollout/data/index.ts";
import { EnvRegistry, type ToolBox } from "../rollout/index.ts";
import { openTaskSet, TaskConfig } from "../rollout/tasks/index.ts";
import { evaluate } from "../trainers/evaluate.ts";
import { openToolBox } from "../trainers/tools.ts";
import type { EvaluationOutput } from "../trainers/types.ts";
import { ConfigError } from "../utils/errors.ts";
import { nearest } from "../utils/nearest.ts";
import { decideThreads } from "../utils/threads.ts";
import { latestModel } from "./folder.ts";
import type { Recipe } from "./recipe.ts";
import { loadRecipe, resolveRecipe } from "./recipe-load.ts";
import { applyOverrides } from "./recipe-source.ts";

/** What an evaluation is made of; all of it is part of a recipe. */
export type EvaluationPlan = Pick<Recipe, "tasks" | "rewards" | "rollout" | "evaluate" | "seed">;

/** What the command line may say about it. */
export interface EvaluationOptions {
  /** A recipe file or run folder whose evaluation is taken, the name of a task set, or a data file. */
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
  const source = {
    name: "eval",
    data: { model: models[0]!, ...onTaskSet(run, models[0]!) },
    locate: () => `--tasks ${run}:`,
  };
  return resolveRecipe(applyOverrides(source, set), false);
}

/** Task sets whose answers a reward of another name judges. */
const JUDGES: Readonly<Record<string, string>> = {
  arithmetic: "numeric-answer",
  gsm8k: "numeric-answer",
  file: "numeric-answer",
  generated: "reasoning-task",
};

/** The parts of a recipe that evaluate a model on a task set by its name, or on all rows of a data file. */
function onTaskSet(tasks: string, model: string): object {
  const isData = isDataFile(tasks) || tasks.startsWith("hub:");
  const known = TaskConfig.options.map(({ shape }) => shape.name.value);
  if (!isData && !known.some((name) => name === tasks)) {
    const near = nearest(tasks, known);
    throw new ConfigError(
      `--tasks ${tasks}: no task set, recipe, data file (.jsonl, .parquet) or run folder; task sets: ${known.join(", ")}${near ? `; did you mean "${near}"?` : ""}`,
    );
  }
  const name = isData ? "file" : tasks;
  const { isChat, context } = natureOf(model);
  const form = name === "countdown" && !isChat ? { format: "steps" } : {}; // for models of plain text, such as seedling
  const test = isData ? { name, path: tasks, split: "test", holdOut: 1 } : { name, split: "test", ...form };
  return {
    tasks: { train: test, eval: test },
    rewards: [{ name: JUDGES[name] ?? name }],
    optimizer: { name: "adamw", lr: 1 },
    steps: 1,
    evaluate: { maxTokens: Math.min(256, Math.floor(context / 2)) },
  };
}

function natureOf(model: string): { isChat: boolean; context: number } {
  const files = openModel(latestModel(model));
  files.close();
  return { isChat: files.tokenizer.hasChatTemplate, context: files.config.maxPositions };
}

/** Evaluates one model. @throws DataError when it cannot be opened */
export async function evaluateModel(model: string, plan: EvaluationPlan, threads: number): Promise<EvaluationOutput> {
  const registry = new EnvRegistry();
  try {
    return await evaluateIn(registry, model, plan, threads);
  } finally {
    await registry.close();
  }
}

async function evaluateIn(
  registry: EnvRegistry,
  model: string,
  plan: EvaluationPlan,
  threads: number,
): Promise<EvaluationOutput> {
  const tasks = await openTaskSet(plan.tasks.eval!, registry);
  const shared = decideThreads(threads);
  const rubric = await openRubric(plan.rewards, { lanes: shared.verifiers });
  const { seed, rollout } = plan;
  let tools: ToolBox | null = null;
  let learner: Learner | null = null;
  try {
    tools = await openToolBox(plan.rollout);
    learner = await openLearner({ model: latestModel(model), adapter: { kind: "none" }, seed, threads: shared.policy });
    const { every: _every, ...rest } = plan.evaluate!;
    return await evaluate(learner, tasks, rubric, { ...rest, rollout, tools, seed, step: 0 });
  } finally {
    await rubric.close();
    await tools?.close();
    await learner?.close();
  }
}
