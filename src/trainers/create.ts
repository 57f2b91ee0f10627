import { type Adapter, openLearner } from "../policy/index.ts";
import { openRubric } from "../rewards/index.ts";
import { openDemonstrations } from "../rollout/demonstrations/index.ts";
import { EnvRegistry } from "../rollout/index.ts";
import { checkDisjoint, openTaskSet, overlapNotes } from "../rollout/tasks/index.ts";
import { decideThreads } from "../utils/threads.ts";
import { GrpoTrainer, objectiveOptions } from "./grpo.ts";
import type { JobRecipe, TrainingJob } from "./job.ts";
import { openObjective } from "./objective.ts";
import { checkPrompts } from "./preflight.ts";
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

async function createWith(registry: EnvRegistry, { recipe, threads }: TrainingJob): Promise<CreatedTrainer> {
  const evaluation = recipe.tasks.eval ? await openTaskSet(recipe.tasks.eval, registry) : null;
  const train = recipe.tasks.train ? await openTaskSet(recipe.tasks.train, registry) : null;
  if (train && evaluation) checkDisjoint(train, evaluation);
  const overlap = train && evaluation ? await overlapNotes(train, evaluation) : [];
  const notes = [...new Set([...(train?.notes ?? []), ...(evaluation?.notes ?? []), ...overlap])];
  const demonstrations = recipe.demonstrations ? await openDemonstrations(recipe.demonstrations) : null;
  const objective = demonstrations ? null : await openObjective(objectiveOptions(recipe));
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
    return {
      trainer,
      modelHash: learner.modelHash,
      adapterHash: learner.adapterHash,
      trainableCount: learner.policy.trainableCount,
      notes: [...new Set(notes)],
    };
  } catch (error) {
    for (const part of open) await part.close();
    throw error;
  }
}

/** The recipe's short names ("q") as parts of weight names ("q_proj"). */
export function adapterOf(adapter: JobRecipe["adapter"]): Adapter {
  if (adapter.kind === "none") return adapter;
  const { rank, alpha, targets } = adapter;
  return { kind: "lora", rank, alpha: alpha ?? 2 * rank, targets: targets.map((target) => `${target}_proj`) };
}
