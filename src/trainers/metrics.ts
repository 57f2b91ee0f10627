import { findMetric, type MetricDef, type MetricTable, mergeMetrics } from "../utils/metrics.ts";

/*
 * Notation: m = 1 on sampled tokens; l = current log-prob, l_old = the trainer's before the update, l_roll = the sampler's;
 * r = exp(l - l_old); A = advantage; H = entropy of the current policy; <x> = sum(m x) / sum(m) over all tokens of the step.
 */

const step = (unit: string, what: string): MetricDef => ({ unit, what, when: "step" });
const when = (condition: string, unit: string, what: string): MetricDef => ({ unit, what, when: condition });
const clock = (unit: string, what: string, condition = "step"): MetricDef => ({
  unit,
  what,
  when: condition,
  clock: true,
});
/** The same definition for several names under one prefix. */
const each = (prefix: string, names: readonly string[], def: (name: string) => MetricDef): MetricTable =>
  Object.fromEntries(names.map((name) => [`${prefix}${name}`, def(name)]));
const stats = ["mean", "max", "min"];

const main: MetricTable = {
  loss: step("1", "what is minimised: policy term + KL + control, mean over the step's updates"),
  policy_loss: step("1", "policy-gradient term alone"),
  reward: step("reward", "mean of R, the weighted sum of the reward terms"),
  reward_std: step("reward", "standard deviation of R over the whole batch (n - 1)"),
  frac_reward_zero_std: step("share", "completions whose group has std(R) = 0"),
  entropy: step("nats", "<H>, full-vocabulary entropy at the training temperature"),
  kl: when("kl", "nats", "<exp(d) - d - 1>, d = reference log-prob - l"),
  ratio: step("1", "<r>"),
  grad_norm: step("1", "global L2 norm of the gradient before clipping, mean over updates"),
  learning_rate: step("1", "used in the last update of the step"),
  epoch: step("passes", "tasks drawn / tasks in the training set"),
  num_tokens: step("tokens", "prompt + sampled tokens since the start"),
  step_time: clock("s", "wall time of the step"),
  "training_tok/s": clock("tokens/s", "sampled tokens of the step / wall time since the last step ended"),
};

const completions = mergeMetrics(
  each("completions/", ["mean_length", "min_length", "max_length"], () =>
    step("tokens", "sampled tokens a completion"),
  ),
  each("completions/", ["mean_terminated_length", "min_terminated_length", "max_terminated_length"], () =>
    step("tokens", "the same over completions that ended with end-of-sequence; 0 if there is none"),
  ),
  { "completions/clipped_ratio": step("share", "completions that did not end with end-of-sequence") },
  each("prompt_length/", [...stats], (name) => step("tokens", `${name} length of the prompts`)),
  {
    "prompt_length/clip_ratio": step("share", "prompts at the length limit"),
    "response/aborted_ratio": step("share", "completions without a sampled token"),
  },
);

const rewards = mergeMetrics(
  {
    "rewards/{name}/mean": step("reward", "mean of the unweighted term over completions it applied to"),
    "rewards/{name}/std": step("reward", "standard deviation of the unweighted term (n - 1)"),
    "rewards/{name}/signal_share": step("share", "Cov(w (r - group mean), R - group mean) / Var(R - group mean)"),
    "rewards/{name}/latency_mean_ms": clock("ms", "mean wall time of one scoring call"),
    "rewards/{name}/latency_max_ms": clock("ms", "longest wall time of one scoring call"),
  },
  each("reward_outcome/", ["correct", "wrong", "unparseable", "timeout", "error"], (name) =>
    step("share", `completions that the verifier found ${name}`),
  ),
);

const actor = mergeMetrics(
  {
    "clip_ratio/low_mean": step("share", "<1[r < 1 - clipLow and A < 0]>"),
    "clip_ratio/high_mean": step("share", "<1[r > 1 + clipHigh and A > 0]>"),
    "clip_ratio/region_mean": step("share", "<either>"),
    "clip_ratio/low_min": step("share", "smallest share of a completion clipped below"),
    "clip_ratio/high_max": step("share", "largest share of a completion clipped above"),
    "actor/ppo_kl": step("nats", "<l_old - l>, log-ratio clamped to ±20"),
  },
  each("critic/advantages/", stats, (name) => step("1", `${name} advantage over sampled tokens, as in the loss`)),
);

const sampling = mergeMetrics(
  each("sampling/sampling_logp_difference/", ["mean", "max"], (name) => step("nats", `${name} of |l_old - l_roll|`)),
  each("training/rollout_probs_diff_", ["mean", "max", "std"], (name) =>
    step("probability", `${name} of |exp(l_old) - exp(l_roll)|`),
  ),
  { "training/rollout_failure/evicted_samples": step("count", "groups dropped because a rollout failed") },
  each("rollout/stop/", ["eos", "length", "string"], (name) => step("share", `completions that ended by ${name}`)),
  {
    "rollout/prefix_reuse_ratio": step("share", "prompt tokens computed once and shared / prompt tokens of all"),
    "rollout/slot_utilization": step("share", "decode steps × live completions / decode steps × batch slots"),
    "rollout/temperature": step("1", "sampling temperature"),
  },
);

const entropy = mergeMetrics(
  {
    "entropy/trajectory": step("nats", "mean over completions of the mean of H over tokens"),
    "entropy/rollout": step("nats", "<entropy of the distribution sampled from>"),
    "entropy/sampled_nll": step("nats", "<-l>"),
    "entropy/quantile_{p}": step("nats", "quantile of H over sampled tokens, linear interpolation, p in per cent"),
  },
  {
    "signal/frac_useful_groups": step("share", "groups with std(R) > 0"),
    "signal/masked_completions": step("share", "completions out of the loss: truncated (by policy) or unscorable"),
    "signal/advantage_nonzero_tokens": step("share", "<1[A != 0]>"),
  },
);

const invariants: MetricTable = {
  "invariant/step0_logp_maxdiff": step("nats", "largest |l - l_roll| in the first update, before any weight changed"),
  "invariant/step0_ppo_kl": step("nats", "<l_roll - l> in the same pass"),
  "invariant/step0_clip_ratio": step("share", "clip_ratio/region_mean in the same pass; must be 0"),
  "invariant/mask_token_diff": step("tokens", "trained tokens - sampled tokens; must be 0"),
  "invariant/weights_match": step("0 or 1", "hash of the weights that sampled = hash of the weights that train"),
  "invariant/nonfinite": step("count", "non-finite values in loss, gradient or log-probs; must be 0"),
  "invariant/reward_identical_steps": step("steps", "steps in a row in which every R was the same value"),
  "resume/state_hash": step("hex", "hash of weights, optimizer, random streams and cursor after the step"),
};

const machine = mergeMetrics(
  each("timing_s/", ["gen", "reward", "old_log_prob", "ref", "adv", "update_actor"], (name) =>
    clock("s", `wall time of phase ${name}`),
  ),
  {
    "timing_s/testing": clock("s", "wall time of the evaluation", "evaluation"),
    "timing_s/save_checkpoint": clock("s", "wall time of writing the training state", "checkpoint"),
    "timing_per_token_ms/gen": clock("ms", "1000 timing_s/gen / sampled tokens"),
    "timing_per_token_ms/update_actor": clock("ms", "1000 timing_s/update_actor / (prompt + sampled tokens)"),
    "perf/total_num_tokens": step("tokens", "prompt + sampled tokens of this step"),
    "perf/throughput": clock("tokens/s", "perf/total_num_tokens / step_time"),
    "perf/cpu_memory_used_gb": clock("GiB", "memory in use on the whole machine"),
    "throughput/decode_tok_per_s": clock("tokens/s", "sampled tokens / time in decode runs"),
    "throughput/prefill_tok_per_s": clock("tokens/s", "prompt tokens computed / time in prefill runs"),
    "throughput/update_tok_per_s": clock("tokens/s", "tokens through forward + backward / timing_s/update_actor"),
    "memory/rss_gb": clock("GiB", "resident memory of the process"),
    "memory/rss_peak_gb": clock("GiB", "highest resident memory so far"),
    "memory/array_buffers_gb": clock("GiB", "bytes held by ArrayBuffers"),
    "memory/predicted_peak_gb": when("once", "GiB", "forecast of the dry run"),
  },
);

const accuracy = {
  "mean@{n}": "avg@n: mean correctness over n samples, averaged over problems",
  "maj@{n}/mean": "correctness of the most frequent answer",
  "pass@{k}": "mean over problems of 1 - C(n - c, k) / C(n, k), c correct of n",
};
const evaluation: MetricTable = Object.fromEntries([
  ...Object.entries(accuracy).flatMap(([name, what]) => {
    const base = `val-core/{set}/acc/${name}`;
    return [
      [base, when("evaluation", "share", what)],
      [`${base}/ci95_low`, when("evaluation", "share", `lower end of the 95 % interval of ${name}`)],
      [`${base}/ci95_high`, when("evaluation", "share", `upper end of the 95 % interval of ${name}`)],
    ];
  }),
  ["val-aux/{set}/{var}/{stat}", when("evaluation", "", "another variable of the evaluation: length, format, score")],
]);

/** Every metric of this package by name; names with `{…}` stand for a word of the recipe. */
export const METRICS: MetricTable = mergeMetrics(
  main,
  completions,
  rewards,
  actor,
  sampling,
  entropy,
  invariants,
  machine,
  evaluation,
);

/** Definition of a logged name; `eval_` before any name is that metric on the evaluation set. */
export function metricDef(name: string): MetricDef | undefined {
  return findMetric(METRICS, name) ?? (name.startsWith("eval_") ? findMetric(METRICS, name.slice(5)) : undefined);
}
