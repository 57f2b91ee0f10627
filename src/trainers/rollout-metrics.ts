import type { PoolStats, RubricResult } from "../rewards/index.ts";
import type { Completion, GenerateStats } from "../rollout/index.ts";
import { episodeMetrics } from "./episode-metrics.ts";
import { contribution, isJudged } from "./group-filter.ts";
import { extremes, share } from "./metric-values.ts";
import { mean, std } from "./statistics.ts";
import type { Metrics } from "./types.ts";

/** `completions/`, `prompt_length/`, `response/`, `rollout/`, `throughput/` of the rollout. Formulas: `metrics.ts`. */
export function rolloutMetrics(completions: readonly Completion[], stats: GenerateStats, temperature: number): Metrics {
  const lengths = completions.map(({ ids }) => ids.length);
  const ended = completions.filter(({ stop }) => stop === "eos").map(({ ids }) => ids.length);
  const sampled = lengths.reduce((sum, length) => sum + length, 0);
  const stops = Object.fromEntries(
    (["eos", "length", "string", "budget", "environment", "error"] as const).map((name) => [
      `rollout/stop/${name}`,
      share(completions.map(({ stop }) => stop === name)),
    ]),
  );
  return {
    ...stops,
    ...episodeMetrics(completions),
    ...renamed(extremes("", lengths, ["mean", "min", "max"]), (name) => `completions/${name}_length`),
    ...renamed(extremes("", ended, ["mean", "min", "max"]), (name) => `completions/${name}_terminated_length`),
    "completions/clipped_ratio": share(completions.map(({ stop }) => stop !== "eos" && stop !== "environment")),
    ...extremes(
      "prompt_length/",
      completions.map(({ promptIds }) => promptIds.length),
      ["mean", "max", "min"],
    ),
    "prompt_length/clip_ratio": 0, // prompts are never cut: one that does not fit is an error
    "response/aborted_ratio": share(lengths.map((length) => length === 0)),
    "rollout/prefix_reuse_ratio": stats.promptTokens === 0 ? 0 : 1 - stats.promptTokensComputed / stats.promptTokens,
    "rollout/slot_utilization": stats.slotSteps === 0 ? 1 : stats.liveSteps / stats.slotSteps,
    "rollout/temperature": temperature,
    "throughput/decode_tok_per_s": stats.decodeSeconds === 0 ? 0 : sampled / stats.decodeSeconds,
    "throughput/prefill_tok_per_s": stats.prefillSeconds === 0 ? 0 : stats.promptTokensComputed / stats.prefillSeconds,
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
  masked,
}: {
  completions: readonly Completion[];
  scored: readonly RubricResult[];
  /** Of each token of each completion. */
  advantages: readonly ArrayLike<number>[];
  /** Out of the loss: cut off, not judged, or of a group that was dropped for that. */
  masked: readonly boolean[];
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
  const moving = advantages.reduce((sum, row) => sum + Array.from(row).filter((value) => value !== 0).length, 0);
  return {
    reward: judged.length === 0 ? 0 : mean(judged),
    reward_std: judged.length < 2 ? 0 : std(judged),
    frac_reward_zero_std: share(flat),
    ...outcomes,
    ...termMetrics(completions, scored),
    "signal/frac_useful_groups": share([...groups.values()].map((rewards) => std(rewards) > 0)),
    "signal/masked_completions": share(masked),
    "signal/advantage_nonzero_tokens": tokens === 0 ? 0 : moving / tokens,
  };
}

/** `verifier/` of the rewards that run in threads, since the start of the process; nothing when none does. */
export function verifierMetrics(stats: PoolStats | null): Metrics {
  if (!stats || stats.answers === 0) return {};
  return {
    "verifier/answers_per_s": stats.answersPerSecond,
    "verifier/latency_mean_ms": stats.meanMs,
    "verifier/latency_max_ms": stats.maxMs,
    "verifier/wait_mean_ms": stats.meanWaitMs,
    "verifier/threads_killed": stats.threadsKilled,
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
    const judged = terms.filter(isJudged).map(({ score }) => score);
    const weighted = centred(scored.map((result, i) => (result.reward === null ? null : contribution(terms[i]!))));
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
