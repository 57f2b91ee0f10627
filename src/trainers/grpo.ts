import { learningRate } from "../optim/index.ts";
import type { Learner } from "../policy/index.ts";
import type { Rubric, RubricResult } from "../rewards/index.ts";
import { type Completion, type GenerateStats, generate, type TaskSet } from "../rollout/index.ts";
import { createRng, type Rng } from "../utils/rng.ts";
import { groupAdvantages } from "./advantages.ts";
import { toSampleRow } from "./completion-rows.ts";
import { evaluate } from "./evaluate.ts";
import { checkIdentity, type Identity, requireFinite, requireIdentity } from "./invariants.ts";
import type { JobRecipe } from "./job.ts";
import { packRows, type TrainingRow } from "./micro-batch.ts";
import { clipLoss, lossSource } from "./objective.ts";
import { loadTraining, saveTraining, type TrainerState } from "./state.ts";
import { rewardMetrics, rolloutMetrics, samplerMetrics, updateMetrics } from "./step-metrics.ts";
import { TaskOrder } from "./task-order.ts";
import type { EvaluationOutput, Metrics, SampleRow, StepOutput, Trainer } from "./types.ts";

/** What a GRPO job works with; all of it is open. */
export interface GrpoParts {
  readonly recipe: JobRecipe;
  readonly learner: Learner;
  readonly train: TaskSet;
  readonly evaluation: TaskSet | null;
  readonly rubric: Rubric;
}

/** What the passes over one rollout found. */
interface Passes {
  /** [N][tokens] of the first pass, before any weight changed (mini-batches of the first update only; others null) */
  readonly first: (ArrayLike<number> | null)[];
  /** [N][tokens] of the last pass over each completion */
  readonly logp: ArrayLike<number>[];
  readonly entropy: ArrayLike<number>[];
  readonly losses: number[];
  readonly gradNorms: number[];
  readonly lr: number;
  identity: Identity | undefined;
}

/**
 * Group relative policy optimisation (GRPO, arXiv:2402.03300), one step: sample a group of completions per problem, score them, compare
 * within groups, take policy-gradient updates. The old log-probs are those of the sampler: one engine samples and trains.
 */
export class GrpoTrainer implements Trainer {
  readonly steps: number;
  private readonly parts: GrpoParts;
  private readonly rng: Rng;
  private readonly order: TaskOrder;
  private state: TrainerState;
  private lastEnd: number | undefined;

  private constructor(parts: GrpoParts) {
    const { recipe, train } = parts;
    this.parts = parts;
    this.steps = recipe.steps;
    this.rng = createRng(recipe.seed);
    this.order = new TaskOrder(train, this.rng.fork("tasks"));
    this.state = { step: 0, seed: recipe.seed, trainer: "grpo", tokens: 0, identical: 0, lastReward: null };
  }

  static async open(parts: GrpoParts): Promise<GrpoTrainer> {
    await parts.learner.policy.useLoss(lossSource(clipLoss.name as "clipLoss", parts.recipe.objective));
    return new GrpoTrainer(parts);
  }

  async step(step: number): Promise<StepOutput> {
    const { recipe, learner, train } = this.parts;
    const { promptsPerStep, temperature } = recipe.rollout;
    const start = performance.now();
    const before = await learner.policy.weightsHash();
    const { completions, stats } = await this.rollOut(step);
    const generated = performance.now();
    const scored = await Promise.all(completions.map((completion) => this.score(completion)));
    const rewarded = performance.now();
    const advantages = groupAdvantages(
      scored.map(({ reward }) => reward),
      completions.map(({ group }) => group),
      recipe.objective.advantage,
    );
    const samples = completions.map((completion, i) =>
      toSampleRow(completion, scored[i]!, { step: step + 1, advantage: advantages[i]!, tokenizer: learner.tokenizer }),
    );
    const matches = before === (await learner.policy.weightsHash());
    const advanced = performance.now();
    const passes = await this.update(step, completions, scored, advantages, samples);
    const end = performance.now();
    const prompt = completions.reduce((sum, { promptIds }) => sum + promptIds.length, 0);
    const sampled = completions.reduce((sum, { ids }) => sum + ids.length, 0);
    this.remember(step + 1, prompt + sampled, scored);
    const { clipLow, clipHigh } = recipe.objective.loss;
    const measured = { completions, scored, advantages, logp: passes.logp, entropy: passes.entropy, clipLow, clipHigh };
    const metrics: Metrics = {
      ...passMetrics(passes),
      ...rewardMetrics(measured),
      ...updateMetrics(measured),
      ...rolloutMetrics(completions, stats, temperature),
      ...samplerMetrics(...pairFirst(completions, passes.first)),
      ...this.invariants(passes, completions, scored, sampled, matches),
      epoch: ((step + 1) * promptsPerStep) / train.size,
      num_tokens: this.state.tokens,
      "resume/state_hash": await learner.policy.stateHash(),
      ...timings({ start, generated, rewarded, advanced, end, prompt, sampled, lastEnd: this.lastEnd }),
    };
    this.lastEnd = end;
    return { metrics, samples };
  }

  evaluate(step: number): Promise<EvaluationOutput | null> {
    const { recipe, learner, evaluation, rubric } = this.parts;
    if (!recipe.evaluate || !evaluation) return Promise.resolve(null);
    return evaluate(learner, evaluation, rubric, {
      ...recipe.evaluate,
      rollout: recipe.rollout,
      seed: recipe.seed,
      step,
    });
  }

  save(folder: string): Promise<void> {
    return saveTraining(folder, this.parts.learner, this.state);
  }

  async load(folder: string): Promise<void> {
    this.state = await loadTraining(folder, this.parts.learner, this.state);
  }

  close(): Promise<void> {
    return this.parts.learner.close();
  }

  private rollOut(step: number): Promise<{ completions: Completion[]; stats: GenerateStats }> {
    const { recipe, learner } = this.parts;
    const { promptsPerStep, groupSize, batchSize } = recipe.rollout;
    const tasks = this.order.take(step * promptsPerStep, promptsPerStep);
    const requests = tasks.map((task, group) => ({ task, group, count: groupSize }));
    // the group is part of the name: a small task set may hold the same task twice in one step
    return generate(learner, requests, { sampling: recipe.rollout, batchSize, rng: this.rng.fork("sampling", step) });
  }

  private score({ task, text, stop, ids }: Completion): Promise<RubricResult> {
    return this.parts.rubric.score({ task, text, stop, tokens: ids.length });
  }

  /** All updates of one rollout. */
  private async update(
    step: number,
    completions: readonly Completion[],
    scored: readonly RubricResult[],
    advantages: readonly number[],
    samples: readonly SampleRow[],
  ): Promise<Passes> {
    const { recipe } = this.parts;
    const passes: Passes = {
      first: completions.map(() => null),
      logp: completions.map(({ policyLogp }) => policyLogp),
      entropy: completions.map(({ entropy }) => entropy),
      losses: [],
      gradNorms: [],
      lr: learningRate(recipe.optimizer.schedule, recipe.optimizer.lr, step, recipe.steps),
      identity: undefined,
    };
    for (let epoch = 0; epoch < recipe.update.epochs; epoch++) {
      for (const members of this.miniBatches(step, epoch, completions)) {
        const live = members.filter((i) => scored[i]!.reward !== null);
        await this.updateOnce(live, completions, advantages, samples, passes);
      }
    }
    return passes;
  }

  /** Deals whole groups to the mini-batches of one pass, in an order of its own; indices of completions. */
  private miniBatches(step: number, epoch: number, completions: readonly Completion[]): number[][] {
    const { recipe } = this.parts;
    const { miniBatches } = recipe.update;
    if (miniBatches === 1) return [completions.map((_, i) => i)];
    const groups = [...new Set(completions.map(({ group }) => group))];
    const order = this.rng.fork("mini-batches", step, epoch).shuffle(groups);
    return Array.from({ length: miniBatches }, (_, batch) => {
      const mine = new Set(order.filter((_group, i) => i % miniBatches === batch));
      return completions.flatMap(({ group }, i) => (mine.has(group) ? [i] : []));
    });
  }

  private async updateOnce(
    members: readonly number[],
    completions: readonly Completion[],
    advantages: readonly number[],
    samples: readonly SampleRow[],
    passes: Passes,
  ): Promise<void> {
    const { recipe, learner } = this.parts;
    const { policy, config } = learner;
    const rows = trainingRows(members, completions, advantages);
    const packed = packRows(rows, {
      maxTokens: recipe.update.microBatchTokens,
      temperature: recipe.rollout.temperature,
      padId: config.padId,
    });
    let loss = 0;
    for (const { batch, rows: packedRows } of packed) {
      const result = await policy.accumulate(batch);
      loss += Object.values(result.terms).reduce((sum, term) => sum + term, 0);
      let at = 0;
      for (const row of packedRows) {
        const i = members[row]!;
        const end = at + rows[row]!.ids.length;
        passes.logp[i] = result.logp.subarray(at, end);
        passes.entropy[i] = result.entropy.subarray(at, end);
        at = end;
      }
    }
    if (passes.identity === undefined) {
      for (const i of members) passes.first[i] = passes.logp[i]!;
      passes.identity = checkIdentity(...pairFirst(completions, passes.first));
    }
    await requireFinite({ loss, nonFinite: null }, policy, samples);
    if (passes.losses.length === 0) requireIdentity(passes.identity, samples);
    const { gradNorm, nonFinite } = await policy.update(passes.lr, recipe.update.clipGradNorm);
    await requireFinite({ loss, nonFinite }, policy, samples);
    passes.losses.push(loss);
    passes.gradNorms.push(gradNorm);
  }

  private remember(step: number, tokens: number, scored: readonly RubricResult[]): void {
    const rewards = scored.flatMap(({ reward }) => (reward === null ? [] : [reward]));
    const value = rewards.every((reward) => reward === rewards[0]) ? (rewards[0] ?? null) : null;
    const same = value !== null && (this.state.identical === 0 || value === this.state.lastReward);
    this.state = {
      ...this.state,
      step,
      tokens: this.state.tokens + tokens,
      identical: value === null ? 0 : same ? this.state.identical + 1 : 1,
      lastReward: value,
    };
  }

  private invariants(
    passes: Passes,
    completions: readonly Completion[],
    scored: readonly RubricResult[],
    sampled: number,
    matches: boolean,
  ): Metrics {
    const masked = completions.reduce((sum, { ids }, i) => sum + (scored[i]!.reward === null ? ids.length : 0), 0);
    const trained = passes.logp.reduce((sum, row, i) => sum + (scored[i]!.reward === null ? 0 : row.length), 0);
    const { clipLow, clipHigh } = this.parts.recipe.objective.loss;
    const largest = passes.identity?.maxDifference ?? 0;
    return {
      "invariant/step0_logp_maxdiff": largest,
      "invariant/step0_ppo_kl": passes.identity?.kl ?? 0,
      "invariant/step0_clip_ratio": Math.exp(largest) > 1 + Math.min(clipLow, clipHigh) ? 1 : 0,
      "invariant/mask_token_diff": trained + masked - sampled,
      "invariant/weights_match": matches ? 1 : 0,
      "invariant/nonfinite": 0, // anything else stops the step
      "invariant/reward_identical_steps": this.state.identical,
    };
  }
}

/** Sequences of a mini-batch with their features; every token weighs 1 / (tokens of the mini-batch). */
export function trainingRows(
  members: readonly number[],
  completions: readonly Pick<Completion, "promptIds" | "ids" | "policyLogp">[],
  advantages: readonly number[],
): TrainingRow[] {
  const tokens = members.reduce((sum, i) => sum + completions[i]!.ids.length, 0);
  return members.map((i) => {
    const { promptIds, ids, policyLogp } = completions[i]!;
    const constant = (value: number): number[] => new Array<number>(ids.length).fill(value);
    return {
      promptIds,
      ids,
      features: { weight: constant(1 / tokens), advantage: constant(advantages[i]!), oldLogp: policyLogp },
    };
  });
}

function passMetrics({ losses, gradNorms, lr }: Passes): Metrics {
  const average = (values: readonly number[]): number =>
    values.length === 0 ? 0 : values.reduce((sum, x) => sum + x, 0) / values.length;
  return { loss: average(losses), policy_loss: average(losses), grad_norm: average(gradNorms), learning_rate: lr };
}

/** Completions that the first update saw, with what it computed. */
function pairFirst(
  completions: readonly Completion[],
  first: readonly (ArrayLike<number> | null)[],
): [Completion[], ArrayLike<number>[]] {
  const seen = completions.filter((_, i) => first[i] !== null);
  return [seen, first.filter((row) => row !== null)];
}

function timings(t: {
  start: number;
  generated: number;
  rewarded: number;
  advanced: number;
  end: number;
  prompt: number;
  sampled: number;
  lastEnd: number | undefined;
}): Metrics {
  const seconds = (from: number, to: number): number => (to - from) / 1000;
  const all = t.prompt + t.sampled;
  const update = seconds(t.advanced, t.end);
  return {
    step_time: seconds(t.start, t.end),
    "training_tok/s": t.sampled / seconds(t.lastEnd ?? t.start, t.end),
    "timing_s/gen": seconds(t.start, t.generated),
    "timing_s/reward": seconds(t.generated, t.rewarded),
    "timing_s/adv": seconds(t.rewarded, t.advanced),
    "timing_s/update_actor": update,
    "timing_per_token_ms/gen": (1000 * seconds(t.start, t.generated)) / t.sampled,
    "timing_per_token_ms/update_actor": (1000 * update) / all,
    "perf/total_num_tokens": all,
    "perf/throughput": all / seconds(t.start, t.end),
    "throughput/update_tok_per_s": all / update,
  };
}
