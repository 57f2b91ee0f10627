import { learningRate } from "../optim/index.ts";
import { ledgerOf } from "../rollout/index.ts";
import type { JobRecipe } from "./job.ts";
import { meanByName } from "./metric-values.ts";
import type { Objective } from "./objective.ts";
import { rewardMetrics, rolloutMetrics } from "./rollout-metrics.ts";
import type { TrainerState } from "./state.ts";
import { mean } from "./statistics.ts";
import type { StepRollout } from "./step-rollout.ts";
import { type StepRows, tokenAdvantagesOf } from "./step-rows.ts";
import type { UpdateOutcome } from "./step-update.ts";
import type { Metrics } from "./types.ts";
import { samplerMetrics, updateMetrics } from "./update-metrics.ts";

/** Everything a step measured. */
export interface StepMeasurements {
  readonly recipe: JobRecipe;
  readonly objective: Objective;
  readonly rollout: StepRollout;
  readonly rows: StepRows;
  readonly outcome: UpdateOutcome;
  /** State after the step. */
  readonly state: TrainerState;
  readonly step: number;
  readonly trainSize: number;
  readonly weightsMatch: boolean;
  readonly stateHash: string;
  /** Mean k3 estimate per token; null without a reference. */
  readonly kl: number | null;
  /** Numbers that the control set for this step. */
  readonly knobs: Readonly<Record<string, number>>;
  /** performance.now(), milliseconds */
  readonly clock: {
    readonly start: number;
    readonly advanced: number;
    readonly end: number;
    readonly lastEnd: number | undefined;
  };
}

/** All metrics of a GRPO step. Formulas: `metrics.ts`. */
export function stepMetrics(m: StepMeasurements): Metrics {
  const own = m.rows.all.filter(({ use }) => use !== "auxiliary");
  const completions = own.map(({ completion }) => completion);
  const scored = own.map((row) => row.scored);
  return {
    ...lossTerms(m),
    ...rewardMetrics({
      completions,
      scored,
      advantages: own.map(tokenAdvantagesOf),
      masked: own.map(({ use }) => use === "unscorable" || use === "overlong" || use === "failed-group"),
    }),
    ...updateMetrics(m),
    ...rolloutMetrics(completions, m.rollout.stats, m.recipe.rollout.temperature),
    ...samplerMetrics(m),
    ...controlMetrics(m),
    ...invariantMetrics(m),
    epoch: m.state.drawn / m.trainSize,
    num_tokens: m.state.tokens,
    "resume/state_hash": m.stateHash,
    ...timings(m),
  };
}

/** Terms of the loss, means over the updates of the step. */
function lossTerms({ outcome, recipe, objective, step, kl }: StepMeasurements): Metrics {
  const average = (values: readonly number[]): number => (values.length === 0 ? 0 : mean(values));
  const { results } = outcome;
  return {
    loss: average(results.map(({ loss }) => loss)),
    policy_loss: average(results.map(({ terms }) => terms.policy)),
    ...(objective.config.kl?.place === "loss" ? { kl_loss: average(results.map(({ terms }) => terms.kl)) } : {}),
    ...(objective.control ? { control_loss: average(results.map(({ terms }) => terms.control)) } : {}),
    ...(kl === null ? {} : { kl }),
    grad_norm: average(outcome.gradNorms),
    learning_rate: learningRate(recipe.optimizer.schedule, recipe.optimizer.lr, step, recipe.steps),
  };
}

/** What the control reports, means over the updates of the step, and its knobs. */
function controlMetrics({ outcome, objective, rows, knobs, state }: StepMeasurements): Metrics {
  if (!objective.control) return {};
  const metrics = meanByName(outcome.results.map(({ report }) => report.metrics));
  const selected = outcome.selected.flatMap((bits) => (bits ? [...bits] : []));
  return {
    ...metrics,
    ...Object.fromEntries(Object.entries(knobs).map(([knob, value]) => [`control/${knob}`, value])),
    ...(selected.length === 0 ? {} : { "control/selected_frac": mean(selected) }),
    ...objective.control.control.summary?.(state.control?.state ?? null),
    ...rows.metrics, // of the whole step, in the place of the means over its updates
  };
}

function invariantMetrics({ outcome, rows, objective, weightsMatch, state }: StepMeasurements): Metrics {
  const largest = outcome.identity?.maxDifference ?? 0;
  const clip = objective.surrogate.clip;
  const expected = rows.training.reduce((sum, { completion }) => sum + completion.ids.length, 0);
  const trained = outcome.logp.reduce((sum, row) => sum + (row?.length ?? 0), 0);
  return {
    "invariant/step0_logp_maxdiff": largest,
    "invariant/step0_ppo_kl": outcome.identity?.kl ?? 0,
    "invariant/step0_clip_ratio": clip && Math.exp(largest) > 1 + Math.min(clip.low, clip.high) ? 1 : 0,
    "invariant/mask_token_diff": trained - expected,
    "invariant/weights_match": weightsMatch ? 1 : 0,
    "invariant/nonfinite": 0, // anything else stops the step
    "invariant/reward_identical_steps": state.identical,
  };
}

function timings({ clock, rollout, outcome, rows }: StepMeasurements): Metrics {
  const { start, advanced, end, lastEnd } = clock;
  const all = [...rollout.rows, ...rollout.auxiliary].map(({ completion }) => completion);
  const prompt = all.reduce((sum, { promptIds }) => sum + promptIds.length, 0);
  const sampled = all.reduce((sum, { ids }) => sum + ids.length, 0);
  const trained = rows.training.reduce((sum, { completion }) => sum + ledgerOf(completion).ids.length, 0);
  const seconds = (from: number, to: number): number => (to - from) / 1000;
  const { generate, reward } = rollout.seconds;
  return {
    step_time: seconds(start, end),
    "training_tok/s": sampled / seconds(lastEnd ?? start, end),
    "timing_s/gen": generate,
    "timing_s/reward": reward,
    "timing_s/adv": Math.max(0, seconds(start, advanced) - generate - reward),
    ...(outcome.seconds.old > 0 && rows.training.some(({ auxiliary }) => auxiliary)
      ? { "timing_s/old_log_prob": outcome.seconds.old }
      : {}),
    ...(outcome.kl === null ? {} : { "timing_s/ref": outcome.seconds.reference }),
    "timing_s/update_actor": seconds(advanced, end),
    "timing_per_token_ms/gen": sampled === 0 ? 0 : (1000 * generate) / sampled,
    "timing_per_token_ms/update_actor": trained === 0 ? 0 : (end - advanced) / trained,
    "perf/total_num_tokens": prompt + sampled,
    "perf/throughput": (prompt + sampled) / seconds(start, end),
    "throughput/update_tok_per_s": trained / seconds(advanced, end),
  };
}
