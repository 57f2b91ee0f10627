import { openLearner } from "../policy/index.ts";
import { openRubric } from "../rewards/index.ts";
import { openDemonstrations } from "../rollout/demonstrations/index.ts";
import { EnvRegistry, type TaskSet } from "../rollout/index.ts";
import { checkDisjoint, openTaskSet, overlapNotes } from "../rollout/tasks/index.ts";
import { ConfigError } from "../utils/errors.ts";
import { decideThreads } from "../utils/threads.ts";
import { adapterOf } from "./adapter-of.ts";
import { GrpoTrainer, objectiveOptions } from "./grpo.ts";
import type { JobRecipe, TrainingJob } from "./job.ts";
import { fitStep, type PhaseMemory, phaseMemory, type StepWork } from "./memory-budget.ts";
import { knownModel, longestPrompt, stepWork } from "./memory-work.ts";
import { openObjective } from "./objective.ts";
import { checkPrompts } from "./preflight.ts";
import { isWorthRehearsing, rehearse } from "./rehearsal.ts";
import { SftTrainer } from "./sft.ts";
import { openToolBox } from "./tools.ts";
import type { Trainer } from "./types.ts";

/** A trainer and the facts that a run records about what it started from. */
export interface CreatedTrainer {
  readonly trainer: Trainer;
  readonly modelHash: string;
  /** Of the adapter that the model came with, or null. */
  readonly adapterHash: string | null;
  readonly trainableCount: number;
  /** What a user should know about the tasks: guessed columns, rows left out, what train and evaluation share. */
  readonly notes: readonly string[];
  /** What the phases may need at most, bytes by part. */
  readonly memory: PhaseMemory;
  /** Tokens of the longest of some prompts; null for episodes and supervised jobs. */
  readonly longestPrompt: number | null;
}

/**
 * Opens everything a job needs: tasks and objective first, since they fail fastest, then the model in its thread.
 * @throws ConfigError, DataError naming what cannot be used
 */
export async function createTrainer({ recipe, threads }: TrainingJob): Promise<CreatedTrainer> {
  const registry = new EnvRegistry();
  try {
    return await createWith(registry, { recipe, ...(threads === undefined ? {} : { threads }) });
  } catch (error) {
    await registry.close();
    throw error;
  }
}

async function createWith(registry: EnvRegistry, job: TrainingJob): Promise<CreatedTrainer> {
  const { threads } = job;
  let { recipe } = job;
  const evaluation = recipe.tasks.eval ? await openTaskSet(recipe.tasks.eval, registry) : null;
  const train = recipe.tasks.train ? await openTaskSet(recipe.tasks.train, registry) : null;
  if (train && evaluation) checkDisjoint(train, evaluation);
  const overlap = train && evaluation ? await overlapNotes(train, evaluation) : [];
  const notes = [...new Set([...(train?.notes ?? []), ...(evaluation?.notes ?? []), ...overlap])];
  const demonstrations = recipe.demonstrations ? await openDemonstrations(recipe.demonstrations) : null;
  const objective = demonstrations ? null : await openObjective(objectiveOptions(recipe));
  const fitted = fitJob(recipe, train);
  recipe = fitted.recipe;
  notes.push(...fitted.notes);
  const open: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> } | null>(part: T): T => {
    if (part) open.push(part);
    return part;
  };
  try {
    const plan = decideThreads(threads);
    const rubric = keep(await openRubric(recipe.rewards, { lanes: plan.verifiers }));
    const tools = keep(await openToolBox(recipe.rollout));
    const { beta1, beta2, epsilon, weightDecay } = recipe.optimizer;
    const learner = keep(
      await openLearner({
        model: recipe.model,
        adapter: adapterOf(recipe.adapter),
        seed: recipe.seed,
        optimizer: { beta1, beta2, epsilon, weightDecay },
        plan: recipe.update.plan,
        threads: plan.policy,
      }),
    );
    const parts = { ...learner, tools, rollout: recipe.rollout };
    if (evaluation && recipe.evaluate) notes.push(...checkPrompts(parts, evaluation, recipe.evaluate.maxTokens));
    if (train && !demonstrations) notes.push(...checkPrompts(parts, train));
    const common = { recipe, learner, evaluation, rubric, registry, tools };
    const trainer = demonstrations
      ? await SftTrainer.open({ ...common, demonstrations })
      : await GrpoTrainer.open({ ...common, train: train! }, objective!);
    const { work, memory } = fitted;
    if (isWorthRehearsing(recipe, memory)) await rehearse({ learner, recipe, objective, work }, memory);
    return {
      trainer,
      modelHash: learner.modelHash,
      adapterHash: learner.adapterHash,
      trainableCount: learner.policy.trainableCount,
      notes: [...new Set(notes)],
      memory: fitted.memory,
      longestPrompt: fitted.prompt,
    };
  } catch (error) {
    for (const part of open) await part.close();
    throw error;
  }
}

/** A job within its budget of memory, and what its steps may need at most. */
interface FittedJob {
  readonly recipe: JobRecipe;
  readonly work: StepWork;
  readonly prompt: number | null;
  readonly memory: PhaseMemory;
  readonly notes: readonly string[];
}

/** Chooses micro-batch and rollout batch from `update.memory`; without it the recipe stays as it is. @throws ConfigError when nothing fits */
function fitJob(recipe: JobRecipe, train: TaskSet | null): FittedJob {
  const { shape, tokenizer } = knownModel(recipe);
  const budget = recipe.update.memory;
  const { contextTokens } = recipe.rollout.episode;
  if (contextTokens !== null && contextTokens > shape.sizes.maxPositions)
    throw new ConfigError(
      `rollout.episode.contextTokens ${contextTokens}: longer than the model's context of ${shape.sizes.maxPositions}; lower it, or leave it out for the whole context`,
    );
  const prompt = longestPrompt(tokenizer, train);
  const work = stepWork(recipe, shape, { prompt });
  if (budget === null) return { recipe, work, prompt, memory: phaseMemory(shape, work), notes: [] };
  const { microBatchTokens, batchSize, memory } = fitStep(shape, work, budget);
  const changes = [
    ...(microBatchTokens < recipe.update.microBatchTokens ? [`update.microBatchTokens ${microBatchTokens}`] : []),
    ...(batchSize < recipe.rollout.batchSize ? [`rollout.batchSize ${batchSize}`] : []),
  ];
  return {
    recipe: {
      ...recipe,
      rollout: { ...recipe.rollout, batchSize },
      update: { ...recipe.update, microBatchTokens },
    },
    work: { ...work, microBatchTokens, batchSize },
    prompt,
    memory,
    notes: changes.length === 0 ? [] : [`to stay within ${budget}: ${changes.join(", ")}`],
  };
}
