import { headlineOf } from "../headline.ts";
import type { MetricsRow } from "../metrics-log.ts";
import type { Chart, Series } from "./charts.ts";
import type { RunData } from "./data.ts";

/** Charts of one run, or of several with one colour a run. Those without values draw nothing. */
export function chartsOf(runs: readonly RunData[]): Chart[] {
  const single = runs.length === 1;
  const chart = (id: string, title: string, names: Record<string, string>, options: Partial<Chart> = {}): Chart => {
    const shown = single ? Object.entries(names) : Object.entries(names).slice(0, 1);
    const series = runs.flatMap((run) =>
      shown.map(([name, label]): Series => ({ label: single ? label : run.name, points: pointsOf(run.rows, name) })),
    );
    return { id, title, note: "", series, ...options };
  };
  return [
    accuracyChart(runs),
    chart("reward", "Reward", { reward: "reward" }, { note: "mean over the step's completions" }),
    chart("loss", "Loss", { loss: "loss" }, { note: "what is minimised, mean over the step's updates" }),
    chart(
      "entropy",
      "Entropy",
      { entropy: "entropy" },
      { note: "nats a token, over the whole vocabulary", fromZero: true },
    ),
    chart(
      "length",
      "Completion length",
      { "completions/mean_length": "all", "completions/mean_terminated_length": "ended by itself" },
      { note: "sampled tokens a completion, mean", fromZero: true },
    ),
    chart(
      "grad",
      "Gradient norm",
      { grad_norm: "gradient norm" },
      { note: "all weights, before clipping", fromZero: true },
    ),
    chart(
      "lr",
      "Learning rate",
      { learning_rate: "learning rate" },
      { note: "in the last update of a step", fromZero: true },
    ),
    chart(
      "stop",
      "Why completions ended",
      {
        "rollout/stop/eos": "end of sequence",
        "rollout/stop/length": "token limit",
        "rollout/stop/string": "stop text",
      },
      { percent: true, note: "share of completions" },
    ),
    chart(
      "outcome",
      "Verdicts",
      {
        "reward_outcome/correct": "correct",
        "reward_outcome/wrong": "wrong",
        "reward_outcome/unparseable": "unparseable",
        "reward_outcome/timeout": "timeout",
        "reward_outcome/error": "error",
      },
      { percent: true, note: "share of training completions by the verifier's outcome" },
    ),
    chart(
      "signal",
      "Groups with a signal",
      { "signal/frac_useful_groups": "groups with a signal" },
      { percent: true, note: "share of groups whose completions did not all get the same reward" },
    ),
    chart(
      "clip",
      "Clipped tokens",
      { "clip_ratio/region_mean": "clipped" },
      { percent: true, note: "share of tokens whose ratio left the clip range" },
    ),
    chart(
      "identity",
      "Sampler and trainer agree",
      { "invariant/step0_logp_maxdiff": "largest difference" },
      { note: "largest log-prob difference of a sampled token before the update, nats; limit 2e−4", fromZero: true },
    ),
    chart(
      "speed",
      "Speed",
      { "training_tok/s": "training", "throughput/decode_tok_per_s": "sampling" },
      { note: "sampled tokens a second, of the whole step and while decoding", fromZero: true },
    ),
    chart(
      "memory",
      "Memory",
      { "memory/rss_gb": "now", "memory/rss_peak_gb": "peak" },
      { note: "resident memory of the process, GiB", fromZero: true },
    ),
  ]
    .map((entry) => ({
      ...entry,
      series: entry.series.filter(({ points }) => points.length > 1 && !isFlatZero(points)),
    }))
    .filter((entry) => entry.series.length > 0);
}

/** A line that is 0 throughout says nothing. */
function isFlatZero(points: Series["points"]): boolean {
  return points.every(([, y]) => y === 0);
}

function accuracyChart(runs: readonly RunData[]): Chart {
  const series = runs.flatMap((run) => {
    const found = run.evaluations.flatMap(({ step, metrics }) => {
      const headline = headlineOf(metrics);
      return headline ? [{ step, ...headline }] : [];
    });
    const main: Series = {
      label: runs.length === 1 ? "pass@1" : run.name,
      points: found.map(({ step, value }) => [step, value] as const),
      band: found.map(({ step, value, low, high }) => [step, low ?? value, high ?? value] as const),
      dots: true,
    };
    return runs.length === 1 ? [main, ...otherAccuracies(run)] : [main];
  });
  const set = headlineOf(runs[0]?.evaluations[0]?.metrics ?? {})?.set;
  return {
    id: "accuracy",
    title: "Held-out accuracy",
    note: `${set ?? "evaluation"}, unseen problems; bands are 95 % intervals`,
    percent: true,
    series,
  };
}

/** pass@k for k > 1 and maj@n, where they were measured. */
function otherAccuracies({ evaluations }: RunData): Series[] {
  const names = new Set(evaluations.flatMap(({ metrics }) => Object.keys(metrics)));
  return [...names]
    .map((name) => /^val-core\/.+\/acc\/(pass@(?!1$)\d+|(maj@\d+)\/mean)$/.exec(name))
    .filter((match) => match !== null)
    .map(([name, label, majority]) => ({
      label: majority ?? label!,
      dots: true,
      points: evaluations.flatMap(({ step, metrics }) =>
        typeof metrics[name] === "number" ? [[step, metrics[name]] as const] : [],
      ),
    }));
}

function pointsOf(rows: readonly MetricsRow[], name: string): [number, number][] {
  return rows.flatMap((row) => (typeof row[name] === "number" ? [[row.step, row[name]] as [number, number]] : []));
}
