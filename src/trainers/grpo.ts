import { learningRate } from "../optim/index.ts";
import type { Learner } from "../policy/index.ts";
import type { Rubric } from "../rewards/index.ts";
import type { EnvRegistry, TaskSet, ToolBox } from "../rollout/index.ts";
import { type AdaptiveTasks, adaptiveOf, type TaskResult } from "../rollout/tasks/index.ts";
import { createRng, type Rng } from "../utils/rng.ts";
import { toSampleRow } from "./completion-rows.ts";
import { evaluate } from "./evaluate.ts";
import { StepError } from "./invariants.ts";
import type { JobRecipe } from "./job.ts";
import { withKlPenalty } from "./kl-reward.ts";
import type { Objective, ObjectiveOptions } from "./objective.ts";
import { countIdentical, FRESH_WATCH, stopReason, type WatchState, watchRewards } from "./reward-watch.ts";
import { verifierMetrics } from "./rollout-metrics.ts";
import { loadTraining, saveTraining, type TrainerState } from "./state.ts";
import { stepMetrics } from "./step-metrics.ts";
import { rollOut, type StepRollout } from "./step-rollout.ts";
import { placeRows, type StepRows } from "./step-rows.ts";
import { prepareObjective, type UpdateOutcome, updatePolicy } from "./step-update.ts";
import { TaskOrder } from "./task-order.ts";
import type { EvaluationOutput, StepOutput, Trainer } from "./types.ts";

/** What a GRPO job works with; all of it is open. */
export interface GrpoParts {
  readonly recipe: JobRecipe;
  readonly learner: Learner;
  readonly train: TaskSet;
  readonly evaluation: TaskSet | null;
  readonly rubric: Rubric;
  readonly registry: EnvRegistry;
  readonly tools: ToolBox | null;
}

/**
 * Group relative policy optimisation (GRPO, arXiv:2402.03300) and its family, one step: sample a group of completions per problem, score
 * them, compare within groups, take policy-gradient updates. Which advantage, loss, aggregation, divergence, correction and entropy control is
 * the objective's matter. The old log-probs are those of the sampler: one engine samples and trains.
 */
export class GrpoTrainer implements Trainer {
  readonly steps: number;
  private readonly parts: GrpoParts;
  private readonly objective: Objective;
  private readonly options: ObjectiveOptions;
  private readonly rng: Rng;
  private readonly order: TaskOrder;
  private readonly adaptive: AdaptiveTasks | null;
  private state: TrainerState;
  private lastEnd: number | undefined;

  private constructor(parts: GrpoParts, objective: Objective, options: ObjectiveOptions) {
    const { recipe, train } = parts;
    this.parts = parts;
    this.objective = objective;
    this.options = options;
    this.steps = recipe.steps;
    this.rng = createRng(recipe.seed);
    this.order = new TaskOrder(train, this.rng.fork("tasks"));
    this.adaptive = adaptiveOf(train);
    const control = objective.control && { name: objective.control.name, state: objective.control.control.init() };
    this.state = {
      ...{ step: 0, seed: recipe.seed, trainer: "grpo", tokens: 0, drawn: 0, identical: 0, lastReward: null },
      control,
      watch: FRESH_WATCH,
      curriculum: this.adaptive?.start() ?? null,
    };
  }

  static async open(parts: GrpoParts, objective: Objective): Promise<GrpoTrainer> {
    const options = objectiveOptions(parts.recipe);
    await prepareObjective(parts.learner, objective, options);
    return new GrpoTrainer(parts, objective, options);
  }

  async step(step: number): Promise<StepOutput> {
    const { recipe, learner, rubric, train } = this.parts;
    const start = performance.now();
    const before = await learner.policy.weightsHash();
    const control = this.objective.control?.control ?? null;
    const controlState = this.state.control?.state ?? null;
    const { rollout, kl } = await this.penalised(
      await rollOut(
        {
          learner,
          rubric,
          order: this.order,
          tasks: train,
          tools: this.parts.tools,
          curriculum: this.state.curriculum,
          rollout: recipe.rollout,
          filter: recipe.objective.filter,
          rng: this.rng.fork("rollout", step),
        },
        this.state.drawn,
        control?.plan?.(controlState) ?? null,
      ),
    );
    const rows = placeRows(rollout, recipe.objective, control, controlState);
    const watch = watchRewards(this.state.watch, rollout.rows, recipe);
    const samples = rows.all.map((row) =>
      toSampleRow(row, { step: step + 1, tokenizer: learner.tokenizer, flags: watch.flags.get(row.completion) }),
    );
    this.requireSignal(watch.state, rollout, samples);
    const weightsMatch = before === (await learner.policy.weightsHash());
    const advanced = performance.now();
    const outcome = await updatePolicy(rows.training, controlState, {
      ...{ learner, objective: this.objective, options: this.options, update: recipe.update },
      ...{ step, totalSteps: recipe.steps, rng: this.rng, samples },
      temperature: recipe.rollout.temperature,
      filtered: recipe.rollout.topK > 0 || recipe.rollout.topP < 1 || recipe.rollout.minP > 0,
      lr: learningRate(recipe.optimizer.schedule, recipe.optimizer.lr, step, recipe.steps),
    });
    const end = performance.now();
    const results = taskResults(rollout);
    const curriculum = this.adaptive?.metrics(this.state.curriculum, results) ?? {};
    this.remember(step + 1, rollout, outcome, {
      watch: watch.state,
      curriculum: this.adaptive?.next(this.state.curriculum, results) ?? null,
    });
    const metrics = stepMetrics({
      ...{ recipe, objective: this.objective, rollout, rows, outcome, step, weightsMatch },
      ...{ kl: kl ?? outcome.kl, trainSize: train.size, state: this.state },
      knobs: control?.knobs?.(controlState, { step, totalSteps: recipe.steps }) ?? {},
      stateHash: await learner.policy.stateHash(),
      clock: { start, advanced, end, lastEnd: this.lastEnd },
    });
    this.lastEnd = end;
    return {
      metrics: { ...metrics, ...watch.metrics, ...curriculum, ...verifierMetrics(rubric.stats()) },
      samples: markSelected(samples, rows, outcome),
      warnings: watch.warnings,
    };
  }

  evaluate(step: number): Promise<EvaluationOutput | null> {
    const { recipe, learner, evaluation, rubric } = this.parts;
    if (!recipe.evaluate || !evaluation) return Promise.resolve(null);
    return evaluate(learner, evaluation, rubric, {
      ...recipe.evaluate,
      rollout: recipe.rollout,
      tools: this.parts.tools,
      seed: recipe.seed,
      step,
    });
  }

  save(folder: string): Promise<void> {
    return saveTraining(folder, this.parts.learner, this.state);
  }

  async load(folder: string): Promise<void> {
    this.state = await loadTraining(folder, this.parts.learner, { ...this.state, adaptive: this.adaptive });
  }

  async close(): Promise<void> {
    await this.parts.rubric.close();
    await this.parts.registry.close();
    await this.parts.tools?.close();
    await this.parts.learner.close();
  }

  /** The rollout with the divergence from the reference taken off its rewards, where the recipe asks for that. */
  private async penalised(rollout: StepRollout): Promise<{ rollout: StepRollout; kl: number | null }> {
    const { recipe, learner } = this.parts;
    const { kl } = recipe.objective;
    if (kl?.place !== "reward") return { rollout, kl: null };
    const result = await withKlPenalty(learner.policy, rollout.rows, kl, {
      maxTokens: recipe.update.microBatchTokens,
      temperature: recipe.rollout.temperature,
      padId: learner.config.padId,
    });
    return { rollout: { ...rollout, rows: result.rows }, kl: result.kl };
  }

  /** @throws StepError when the rewards of the last steps say nothing, as the recipe sees it */
  private requireSignal(watch: WatchState, { rows }: StepRollout, samples: StepOutput["samples"]): void {
    const reason = stopReason(watch, countIdentical(this.state, rows), rows, this.parts.recipe.stopWhen);
    if (reason) throw new StepError(reason.message, samples, reason);
  }

  private remember(
    step: number,
    { rows, auxiliary, drawn }: StepRollout,
    outcome: UpdateOutcome,
    next: Pick<TrainerState, "watch" | "curriculum">,
  ): void {
    const tokens = [...rows, ...auxiliary].reduce(
      (sum, { completion }) => sum + completion.promptIds.length + completion.ids.length,
      0,
    );
    this.state = {
      ...this.state,
      ...countIdentical(this.state, rows),
      step,
      tokens: this.state.tokens + tokens,
      drawn: this.state.drawn + drawn,
      control: this.state.control && { ...this.state.control, state: outcome.state },
      ...next,
    };
  }
}

/** The objective of a recipe. */
export function objectiveOptions({ objective, control, update }: JobRecipe): ObjectiveOptions {
  return { objective, control, oldIsCurrent: update.miniBatches * update.epochs === 1 };
}

/** Which completions were right, for a curriculum: those on which a verifier failed say nothing of the task, unreadable ones do. */
function taskResults({ rows }: StepRollout): TaskResult[] {
  return rows
    .filter(({ scored: { outcome } }) => outcome !== "timeout" && outcome !== "error")
    .map(({ completion: { task }, scored: { outcome } }) => ({ task, passed: outcome === "correct" }));
}

/** Adds what the control selected to the rows that trained. */
function markSelected(
  samples: StepOutput["samples"],
  rows: StepRows,
  { selected }: UpdateOutcome,
): StepOutput["samples"] {
  const marks = new Map(rows.training.map((row, i) => [row.completion, selected[i] ?? null]));
  return samples.map((sample, i) => {
    const bits = marks.get(rows.all[i]!.completion);
    return bits ? { ...sample, selected: Array.from(bits) } : sample;
  });
}
