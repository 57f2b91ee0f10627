import type { Completion } from "../rollout/index.ts";
import { all, extremes, meanByName, share } from "./metric-values.ts";
import type { Objective } from "./objective.ts";
import { mean, quantile } from "./statistics.ts";
import type { StepMeasurements } from "./step-metrics.ts";
import { tokenAdvantagesOf } from "./step-rows.ts";
import type { Metrics } from "./types.ts";

/** `ratio`, `clip_ratio/`, `actor/`, `critic/advantages/`, `training/` and `entropy/` of the update. */
export function updateMetrics({ rows, outcome, objective }: StepMeasurements): Metrics {
  const trained = rows.training.flatMap((row, i) =>
    outcome.logp[i] ? [{ row, logp: outcome.logp[i], old: outcome.oldLogp[i]!, entropy: outcome.entropy[i]! }] : [],
  );
  if (trained.length === 0) return {};
  const completions = trained.map(({ row }) => row.completion);
  const logp = all(trained.map((one) => one.logp));
  const old = all(trained.map((one) => one.old));
  const entropies = all(trained.map(({ entropy }) => entropy));
  const advantages = trained.flatMap(({ row }) => Array.from(tokenAdvantagesOf(row)));
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
    ...extremes("clip_ratio/low_", rowShares(completions, low), ["min"]),
    ...extremes("clip_ratio/high_", rowShares(completions, high), ["max"]),
  };
}

/** How far the trainer's first pass is from the sampler. */
export function samplerMetrics({ rows, outcome }: StepMeasurements): Metrics {
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
