import type { RubricResult } from "../rewards/index.ts";
import type { Completion, GenerateStats } from "../rollout/index.ts";
import { mean, quantile, std } from "./statistics.ts";
import type { Metrics } from "./types.ts";

/** Everything a step measured, in the order of the completions. */
export interface StepMeasurements {
  readonly completions: readonly Completion[];
  readonly scored: readonly RubricResult[];
  readonly advantages: readonly number[];
  /** [N][tokens] of the last pass over each completion: log-prob, entropy of the current policy */
  readonly logp: readonly ArrayLike<number>[];
  readonly entropy: readonly ArrayLike<number>[];
  readonly clipLow: number;
  readonly clipHigh: number;
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
export function rewardMetrics({ completions, scored, advantages }: StepMeasurements): Metrics {
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

/** `ratio`, `clip_ratio/`, `actor/`, `critic/advantages/`, `sampling/`, `training/` and `entropy/` of the update. */
export function updateMetrics(m: StepMeasurements): Metrics {
  const logp = all(m.logp);
  const old = all(m.completions.map(({ policyLogp }) => policyLogp));
  const entropies = all(m.entropy);
  const advantages = m.completions.flatMap(({ ids }, i) => new Array<number>(ids.length).fill(m.advantages[i]!));
  const difference = logp.map((x, i) => Math.max(-20, Math.min(20, x - old[i]!)));
  const ratio = difference.map(Math.exp);
  const low = ratio.map((r, i) => r < 1 - m.clipLow && advantages[i]! < 0);
  const high = ratio.map((r, i) => r > 1 + m.clipHigh && advantages[i]! > 0);
  const perRow = (flags: readonly boolean[]): number[] => rowShares(m.completions, flags);
  return {
    entropy: mean(entropies),
    ratio: mean(ratio),
    "clip_ratio/low_mean": share(low),
    "clip_ratio/high_mean": share(high),
    "clip_ratio/region_mean": share(low.map((flag, i) => flag || high[i]!)),
    "clip_ratio/low_min": Math.min(...perRow(low)),
    "clip_ratio/high_max": Math.max(...perRow(high)),
    "actor/ppo_kl": -mean(difference),
    ...extremes("critic/advantages/", advantages, ["mean", "max", "min"]),
    "entropy/trajectory": mean(m.entropy.map((row) => mean(Array.from(row)))),
    "entropy/rollout": mean(all(m.completions.map(({ entropy }) => entropy))),
    "entropy/sampled_nll": -mean(logp),
    ...Object.fromEntries([10, 50, 80, 90].map((p) => [`entropy/quantile_${p}`, quantile(entropies, p / 100)])),
  };
}

/** How far the trainer's first pass is from the sampler. */
export function samplerMetrics(completions: readonly Completion[], firstLogp: readonly ArrayLike<number>[]): Metrics {
  const rolled = all(completions.map(({ policyLogp }) => policyLogp));
  const first = all(firstLogp);
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
