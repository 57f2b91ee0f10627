import { learningRate } from "../optim/index.ts";
import type { RubricResult } from "../rewards/index.ts";
import type { Completion, GenerateStats } from "../rollout/index.ts";
import type { JobRecipe } from "./job.ts";
import type { Objective } from "./objective.ts";
import type { TrainerState } from "./state.ts";
import { mean, quantile, std } from "./statistics.ts";
import type { StepRollout } from "./step-rollout.ts";
import type { StepRows } from "./step-rows.ts";
import type { UpdateOutcome } from "./step-update.ts";
import type { Metrics } from "./types.ts";

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
    ...rewardMetrics({ completions, scored, advantages: own.map(({ advantage }) => advantage) }),
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
function controlMetrics({ outcome, objective, rows, knobs }: StepMeasurements): Metrics {
  if (!objective.control) return {};
  const metrics = meanByName(outcome.results.map(({ report }) => report.metrics));
  const { name } = objective.control;
  const selected = outcome.selected.flatMap((bits) => (bits ? [...bits] : []));
  return {
    ...metrics,
    ...Object.fromEntries(Object.entries(knobs).map(([knob, value]) => [`control/${knob}`, value])),
    ...(selected.length === 0 ? {} : { "control/selected_frac": mean(selected) }),
    ...(name === "aepo" ? { "aepo/aux_candidates": rows.candidates } : {}),
  };
}

/** Means over the entries that have a value. */
function meanByName(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = [...new Set(all.flatMap((values) => Object.keys(values)))];
  return Object.fromEntries(names.map((name) => [name, mean(all.flatMap((values) => values[name] ?? []))]));
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
  const trained = rows.training.reduce((sum, { completion: c }) => sum + c.promptIds.length + c.ids.length, 0);
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

const all = (arrays: readonly ArrayLike<number>[]): number[] => arrays.flatMap((array) => Array.from(array));
const share = (flags: readonly boolean[]): number =>
  flags.length === 0 ? 0 : flags.filter(Boolean).length / flags.length;
const extremes = (prefix: string, values: readonly number[], names: readonly string[]): Metrics => {
  const make: Record<string, () => number> = {
    mean: () => mean(values),
    min: () => Math.min(...values),
    max: () => Math.max(...values),
    std: () => std(values),
  };
  return Object.fromEntries(names.map((name) => [`${prefix}${name}`, values.length === 0 ? 0 : make[name]!()]));
};

/** `completions/`, `prompt_length/`, `response/`, `rollout/`, `throughput/` of the rollout. Formulas: `metrics.ts`. */
export function rolloutMetrics(completions: readonly Completion[], stats: GenerateStats, temperature: number): Metrics {
  const lengths = completions.map(({ ids }) => ids.length);
  const ended = completions.filter(({ stop }) => stop === "eos").map(({ ids }) => ids.length);
  const sampled = lengths.reduce((sum, length) => sum + length, 0);
  const stops = Object.fromEntries(
    (["eos", "length", "string"] as const).map((name) => [
      `rollout/stop/${name}`,
      share(completions.map(({ stop }) => stop === name)),
    ]),
  );
  return {
    ...stops,
    ...renamed(extremes("", lengths, ["mean", "min", "max"]), (name) => `completions/${name}_length`),
    ...renamed(extremes("", ended, ["mean", "min", "max"]), (name) => `completions/${name}_terminated_length`),
    "completions/clipped_ratio": share(completions.map(({ stop }) => stop !== "eos")),
    ...extremes(
      "prompt_length/",
      completions.map(({ promptIds }) => promptIds.length),
      ["mean", "max", "min"],
    ),
    "prompt_length/clip_ratio": 0, // prompts are never cut: one that does not fit is an error
    "response/aborted_ratio": share(lengths.map((length) => length === 0)),
    "rollout/prefix_reuse_ratio": 1 - stats.promptTokensComputed / stats.promptTokens,
    "rollout/slot_utilization": stats.slotSteps === 0 ? 1 : stats.liveSteps / stats.slotSteps,
    "rollout/temperature": temperature,
    "throughput/decode_tok_per_s": sampled / stats.decodeSeconds,
    "throughput/prefill_tok_per_s": stats.promptTokensComputed / stats.prefillSeconds,
  };
}

function renamed(metrics: Metrics, rename: (name: string) => string): Metrics {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [rename(name), value]));
}

/** `reward…`, `rewards/`, `reward_outcome/`, `signal/` of the scores. */
export function rewardMetrics({
  completions,
  scored,
  advantages,
}: {
  completions: readonly Completion[];
  scored: readonly RubricResult[];
  advantages: readonly number[];
}): Metrics {
  const judged = scored.flatMap(({ reward }) => (reward === null ? [] : [reward]));
  const groups = groupRewards(completions, scored);
  const flat = completions.map(({ group }) => std(groups.get(group) ?? []) === 0);
  const outcomes = Object.fromEntries(
    (["correct", "wrong", "unparseable", "timeout", "error"] as const).map((name) => [
      `reward_outcome/${name}`,
      share(scored.map(({ outcome }) => outcome === name)),
    ]),
  );
  const weights = completions.map(({ ids }) => ids.length);
  const tokens = weights.reduce((sum, count) => sum + count, 0);
  const moving = weights.reduce((sum, count, i) => sum + (advantages[i] === 0 ? 0 : count), 0);
  return {
    reward: judged.length === 0 ? 0 : mean(judged),
    reward_std: judged.length < 2 ? 0 : std(judged),
    frac_reward_zero_std: share(flat),
    ...outcomes,
    ...termMetrics(completions, scored),
    "signal/frac_useful_groups": share([...groups.values()].map((rewards) => std(rewards) > 0)),
    "signal/masked_completions": share(scored.map(({ reward }) => reward === null)),
    "signal/advantage_nonzero_tokens": tokens === 0 ? 0 : moving / tokens,
  };
}

function groupRewards(completions: readonly Completion[], scored: readonly RubricResult[]): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  completions.forEach(({ group }, i) => {
    const { reward } = scored[i]!;
    const list = groups.get(group) ?? [];
    if (reward !== null) list.push(reward);
    groups.set(group, list);
  });
  return groups;
}

/** Mean, deviation, latency of each reward term, and its share of what trains. */
function termMetrics(completions: readonly Completion[], scored: readonly RubricResult[]): Metrics {
  const names = Object.keys(scored[0]?.terms ?? {});
  const centred = (values: readonly (number | null)[]): number[] => centre(completions, values);
  const total = centred(scored.map(({ reward }) => reward));
  const variance = total.reduce((sum, x) => sum + x * x, 0);
  const metrics: Metrics = {};
  for (const name of names) {
    const terms = scored.map((result) => result.terms[name]!);
    const judged = terms
      .filter(({ outcome }) => outcome === "correct" || outcome === "wrong")
      .map(({ score }) => score);
    const weighted = centred(
      scored.map((result, i) => (result.reward === null ? null : terms[i]!.weight * terms[i]!.score)),
    );
    const covariance = weighted.reduce((sum, x, i) => sum + x * total[i]!, 0);
    const latencies = terms.map(({ ms }) => ms);
    metrics[`rewards/${name}/mean`] = judged.length === 0 ? 0 : mean(judged);
    metrics[`rewards/${name}/std`] = judged.length < 2 ? 0 : std(judged);
    metrics[`rewards/${name}/signal_share`] = variance === 0 ? 0 : covariance / variance;
    metrics[`rewards/${name}/latency_mean_ms`] = mean(latencies);
    metrics[`rewards/${name}/latency_max_ms`] = Math.max(...latencies);
  }
  return metrics;
}

/** Each value minus the mean of its group; null (and what has no value) becomes 0. */
function centre(completions: readonly Completion[], values: readonly (number | null)[]): number[] {
  const sums = new Map<number, { sum: number; count: number }>();
  values.forEach((value, i) => {
    if (value === null) return;
    const entry = sums.get(completions[i]!.group) ?? { sum: 0, count: 0 };
    sums.set(completions[i]!.group, { sum: entry.sum + value, count: entry.count + 1 });
  });
  return values.map((value, i) => {
    const entry = sums.get(completions[i]!.group);
    return value === null || !entry ? 0 : value - entry.sum / entry.count;
  });
}

/** `ratio`, `clip_ratio/`, `actor/`, `critic/advantages/`, `training/` and `entropy/` of the update. */
function updateMetrics({ rows, outcome, objective }: StepMeasurements): Metrics {
  const trained = rows.training.flatMap((row, i) =>
    outcome.logp[i] ? [{ row, logp: outcome.logp[i], entropy: outcome.entropy[i]! }] : [],
  );
  if (trained.length === 0) return {};
  const completions = trained.map(({ row }) => row.completion);
  const logp = all(trained.map((one) => one.logp));
  const old = all(completions.map(({ policyLogp }) => policyLogp));
  const entropies = all(trained.map(({ entropy }) => entropy));
  const advantages = trained.flatMap(({ row }) => new Array<number>(row.completion.ids.length).fill(row.advantage));
  const difference = logp.map((x, i) => Math.max(-20, Math.min(20, x - old[i]!)));
  return {
    entropy: mean(entropies),
    ratio: mean(difference.map(Math.exp)),
    ...meanByName(outcome.lossMetrics),
    ...clipExtremes(objective, completions, difference, advantages),
    "actor/ppo_kl": -mean(difference),
    ...extremes("critic/advantages/", advantages, ["mean", "max", "min"]),
    "entropy/trajectory": mean(trained.map(({ row, entropy }) => mean(turnMeans(entropy, row.completion.turns)))),
    ...turnMetrics(trained.map(({ row, entropy }) => ({ entropy, turns: row.completion.turns }))),
    "entropy/rollout": mean(all(completions.map(({ entropy }) => entropy))),
    "entropy/sampled_nll": -mean(logp),
    ...Object.fromEntries([10, 50, 80, 90].map((p) => [`entropy/quantile_${p}`, quantile(entropies, p / 100)])),
  };
}

/** Mean over the tokens of each turn. */
function turnMeans(entropy: ArrayLike<number>, turns: Int32Array | undefined): number[] {
  if (!turns) return [mean(Array.from(entropy))];
  const last = turns.at(-1) ?? 0;
  return Array.from({ length: last + 1 }, (_, turn) =>
    mean(Array.from(entropy).filter((_value, t) => turns[t] === turn)),
  );
}

/** `num_turns/` and `entropy/turn_{i}` of multi-turn completions. */
function turnMetrics(rows: readonly { entropy: ArrayLike<number>; turns: Int32Array | undefined }[]): Metrics {
  const turned = rows.flatMap(({ entropy, turns }) => (turns ? [{ entropy: Array.from(entropy), turns }] : []));
  if (turned.length === 0) return {};
  const counts = turned.map(({ turns }) => (turns.at(-1) ?? 0) + 1);
  const byTurn = Array.from({ length: Math.max(...counts) }, (_, turn) =>
    mean(turned.flatMap(({ entropy, turns }) => entropy.filter((_value, t) => turns[t] === turn))),
  );
  return {
    ...extremes("num_turns/", counts, ["mean", "min", "max"]),
    ...Object.fromEntries(byTurn.map((value, turn) => [`entropy/turn_${turn}`, value])),
  };
}

/** Smallest and largest share of a completion at the bounds of a token-level clip. */
function clipExtremes(
  { surrogate }: Objective,
  completions: readonly Completion[],
  logRatio: readonly number[],
  advantages: readonly number[],
): Metrics {
  const { clip, perSequence } = surrogate;
  if (!clip || perSequence) return {};
  const low = logRatio.map((d, i) => Math.exp(d) < 1 - clip.low && advantages[i]! < 0);
  const high = logRatio.map((d, i) => Math.exp(d) > 1 + clip.high && advantages[i]! > 0);
  return {
    "clip_ratio/low_min": Math.min(...rowShares(completions, low)),
    "clip_ratio/high_max": Math.max(...rowShares(completions, high)),
  };
}

/** How far the trainer's first pass is from the sampler. */
function samplerMetrics({ rows, outcome }: StepMeasurements): Metrics {
  const seen = rows.training.flatMap((row, i) =>
    outcome.first[i] && !row.auxiliary ? [{ rolled: row.completion.policyLogp, first: outcome.first[i] }] : [],
  );
  const rolled = all(seen.map((one) => one.rolled));
  const first = all(seen.map((one) => one.first));
  const nats = first.map((x, i) => Math.abs(x - rolled[i]!));
  const probabilities = first.map((x, i) => Math.abs(Math.exp(x) - Math.exp(rolled[i]!)));
  return {
    ...extremes("sampling/sampling_logp_difference/", nats, ["mean", "max"]),
    ...extremes("training/rollout_probs_diff_", probabilities, ["mean", "max", "std"]),
    "training/rollout_failure/evicted_samples": 0,
  };
}

function rowShares(completions: readonly Completion[], flags: readonly boolean[]): number[] {
  let at = 0;
  return completions.map(({ ids }) => {
    const row = flags.slice(at, at + ids.length);
    at += ids.length;
    return share(row);
  });
}
