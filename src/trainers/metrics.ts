import { DETECTORS } from "../rewards/index.ts";
import { findMetric, type MetricDef, type MetricTable, mergeMetrics } from "../utils/metrics.ts";
import { EPISODE_METRICS } from "./episode-metrics.ts";

const whatOf = (name: string): string => DETECTORS.find((detector) => detector.name === name)?.what ?? "";

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
  kl: when("kl", "nats", "<exp(d) - d - 1>, d = reference log-prob - l_old"),
  kl_loss: when("kl in the loss", "1", "beta times the aggregated divergence, as added to the loss"),
  control_loss: when("control", "1", "what the entropy control adds to the loss"),
  entropy_coef: when("entropy bonus", "1", "coefficient of the entropy bonus after this step's adaptation"),
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

const verifiers: MetricTable = {
  "verifier/answers_per_s": clock(
    "answers/s",
    "answers judged in threads / time in which any waited",
    "rewards in threads",
  ),
  "verifier/latency_mean_ms": clock(
    "ms",
    "mean wall time of one answer in a thread since the start",
    "rewards in threads",
  ),
  "verifier/latency_max_ms": clock("ms", "longest one since the start", "rewards in threads"),
  "verifier/wait_mean_ms": clock(
    "ms",
    "mean wait of an answer for a free thread since the start",
    "rewards in threads",
  ),
  "verifier/threads_killed": clock("count", "threads ended by force since the start", "rewards in threads"),
};

const hacks = mergeMetrics(
  each(
    "hack/",
    DETECTORS.map(({ name }) => name),
    (name) =>
      when(
        "detectors",
        "share",
        `completions with this sign / completions of the step that can have it: ${whatOf(name)}`,
      ),
  ),
);

const curriculum: MetricTable = {
  "curriculum/{family}/level": when(
    "curriculum",
    "level",
    "level of the family's tasks in this step, 0 to 5, on average",
  ),
  "curriculum/{family}/pass_rate": when(
    "curriculum",
    "share",
    "right completions of the family / those of the step without timeouts and errors",
  ),
};

const turns = each("num_turns/", stats, (name) => when("multi-turn", "turns", `${name} of the turns of a completion`));

const actor = mergeMetrics(
  {
    "clip_ratio/low_mean": step("share", "<1[r < 1 - clipLow and A < 0]>"),
    "clip_ratio/high_mean": step("share", "<1[r > 1 + clipHigh and A > 0]>"),
    "clip_ratio/region_mean": step("share", "<either>"),
    "clip_ratio/low_min": step("share", "smallest share of a completion clipped below"),
    "clip_ratio/high_max": step("share", "largest share of a completion clipped above"),
    "actor/ppo_kl": step("nats", "<l_old - l>, log-ratio clamped to ±20"),
    "actor/pg_clipfrac_lower": when("dual clip", "share", "<1[dual clip active and A < 0]>"),
  },
  each("critic/advantages/", stats, (name) => step("1", `${name} advantage over sampled tokens, as in the loss`)),
);

const control = mergeMetrics({
  "control/{knob}": when(
    "control",
    "1",
    "a number that the control set for this step, or that a control of your own reports",
  ),
  "control/selected_frac": when("control", "share", "trained tokens that the control selected"),
  cispo_clip_ratio: when("loss cispo", "share", "<1[r above the cap and A > 0]>"),
  "siren/anchor": when("siren", "nats", "entropy of the first batch that the control holds to"),
  "siren/h_agg": when("siren", "nats", "mean over rows of the mean nucleus entropy of the kept tokens"),
  "siren/gap": when("siren", "nats", "h_agg - anchor; above 0 pushes entropy down"),
  "siren/term": when("siren", "1", "c (h_agg - anchor)^2 as added to the loss"),
  "siren/kept_frac": when("siren", "share", "kept tokens / trained tokens"),
  "siren/empty_set_frac": when(
    "siren released",
    "share",
    "<1[top-1 probability >= topP]>: tokens of nucleus entropy 0",
  ),
  "epo/reference": when("epo", "nats", "mean of the entropy history; released: mean over turns"),
  "epo/below_frac": when("epo", "share", "<1[H < lowRatio reference]>"),
  "epo/above_frac": when("epo", "share", "<1[H > highRatio reference]>"),
  "epo/smooth_loss": when("epo", "nats", "hinge penalty; released: mean indicator penalty, which has no gradient"),
  "epo/weight": when("epo", "1", "beta_k; released: w(e)"),
  "epo/term": when("epo", "1", "-lambda (L_H - beta_k L_smooth) as added to the loss"),
  "epo/gate_open": when("epo", "share", "micro-batches in which smoothing was on"),
  "aepo/controller_entropy": when("aepo", "nats", "the entropy that chose this step's temperature"),
  "aepo/target": when("aepo", "nats", "the entropy to hold"),
  "aepo/temperature": when("aepo", "1", "temperature of the auxiliary rollout"),
  "aepo/aux_candidates": when("aepo", "rows", "auxiliary rows that could be used"),
  "aepo/aux_rows": when("aepo", "rows", "auxiliary rows used"),
  "aepo/aux_frac": when("aepo released", "share", "auxiliary rows / rows of the batch"),
  "aepo/alpha": when("aepo scope", "1", "weight of the added term"),
  "lp-reg/proxy_mass": when("lp-reg", "probability", "<Z>: probability that the proxy keeps"),
  "lp-reg/filtered_frac": when("lp-reg", "share", "<1[sampled token outside the proxy]>"),
  "lp-reg/threshold_logp": when("lp-reg", "nats", "largest log-prob among the lowest rho"),
  "lp-reg/candidate_frac": when("lp-reg", "share", "tokens of the lowest rho with A < 0 / trained tokens"),
  "lp-reg/regularised_frac": when("lp-reg", "share", "candidates whose proxy is above the policy / trained tokens"),
  "lp-reg/kl": when("lp-reg", "nats", "mean divergence from the proxy over regularised tokens"),
  "lp-reg/clamped_frac": when("lp-reg released", "share", "regularised tokens whose k3 sits at the clamp"),
  "adaptive-entropy/target": when("adaptive-entropy", "nats", "entropy to keep"),
  "adaptive-entropy/applied": when("adaptive-entropy", "1", "coefficient really applied; 0 while gated off"),
  "target-entropy/target": when("target-entropy", "nats", "entropy to hold"),
  "target-entropy/gap": when("target-entropy", "nats", "target - <H>; above 0 raises the coefficient"),
  "clip-cov/cov_mean": when("clip-cov", "1", "mean token covariance of advantage and log-prob"),
  "clip-cov/clipped_frac": when("clip-cov", "share", "tokens whose loss was set to 0"),
  "kl-cov/cov_mean": when("kl-cov", "1", "mean token covariance of advantage and log-prob"),
  "kl-cov/selected_frac": when("kl-cov", "share", "tokens with the penalty"),
  "kl-cov/term": when("kl-cov", "nats", "<lambda |l - l_old|> over them"),
  "forking-tokens/threshold": when("forking-tokens", "nats", "smallest entropy that was kept"),
  "forking-tokens/kept_frac": when("forking-tokens", "share", "tokens in the policy term / trained tokens"),
  "entropy-advantage/mean": when("entropy-advantage", "1", "<min(alpha H, |A| / kappa)>"),
  "entropy-advantage/capped_frac": when("entropy-advantage", "share", "tokens where |A| / kappa binds"),
});

const sampling = mergeMetrics(
  each("sampling/sampling_logp_difference/", ["mean", "max"], (name) => step("nats", `${name} of |l_old - l_roll|`)),
  each("training/rollout_probs_diff_", ["mean", "max", "std"], (name) =>
    step("probability", `${name} of |exp(l_old) - exp(l_roll)|`),
  ),
  each("sampling/importance_sampling_ratio/", ["min", "mean", "max"], (name) =>
    when("importance", "1", `${name} of the importance weight as used`),
  ),
  { "training/rollout_failure/evicted_samples": step("count", "groups dropped because a rollout failed") },
  each("rollout/stop/", ["eos", "length", "string", "budget", "environment", "error"], (name) =>
    step("share", `completions that ended by ${name}`),
  ),
  {
    "rollout/prefix_reuse_ratio": step("share", "prompt tokens computed once and shared / prompt tokens of all"),
    "rollout/slot_utilization": step("share", "decode steps × live completions / decode steps × batch slots"),
    "rollout/temperature": step("1", "sampling temperature"),
  },
);

const entropy = mergeMetrics(
  {
    "entropy/trajectory": step("nats", "mean over completions of the mean over turns of the mean of H over tokens"),
    "entropy/turn_{i}": when("multi-turn", "nats", "mean of H over the tokens of turn i (from 0) of all completions"),
    "entropy/rollout": step("nats", "<entropy of the distribution sampled from>"),
    "entropy/sampled_nll": step("nats", "<-l>"),
    "entropy/quantile_{p}": step("nats", "quantile of H over sampled tokens, linear interpolation, p in per cent"),
  },
  {
    "signal/frac_useful_groups": step("share", "groups with std(R) > 0"),
    "signal/masked_completions": step(
      "share",
      "completions out of the loss: truncated (by policy), unscorable, or of a group dropped for one that is",
    ),
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
/** A share and the two ends of its interval; `short` is its name in their definitions. */
const withInterval = (name: string, what: string, short: string): [string, MetricDef][] => [
  [name, when("evaluation", "share", what)],
  [`${name}/ci95_low`, when("evaluation", "share", `lower end of the 95 % interval of ${short}`)],
  [`${name}/ci95_high`, when("evaluation", "share", `upper end of the 95 % interval of ${short}`)],
];
const evaluation: MetricTable = Object.fromEntries([
  ...Object.entries(accuracy).flatMap(([name, what]) => withInterval(`val-core/{set}/acc/${name}`, what, name)),
  ...withInterval(
    "val-aux/{set}/{kind}/acc/mean@{n}",
    "mean@{n} of the problems of one kind: task of an environment, generated family",
    "mean@{n} of that kind",
  ),
  ["val-aux/{set}/{var}/{stat}", when("evaluation", "", "another variable of the evaluation: length, format, score")],
]);

/** Every metric of this package by name; names with `{…}` stand for a word of the recipe. */
export const METRICS: MetricTable = mergeMetrics(
  main,
  completions,
  rewards,
  verifiers,
  hacks,
  curriculum,
  turns,
  EPISODE_METRICS,
  actor,
  control,
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
