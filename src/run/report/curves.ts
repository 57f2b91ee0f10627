import { headlineOf } from "../headline.ts";
import type { MetricsRow } from "../metrics-log.ts";
import type { Chart, Series } from "./charts.ts";
import { controlSpecs } from "./control-curves.ts";
import type { RunData } from "./data.ts";
import { rewardSpecs } from "./reward-curves.ts";

/** A chart of logged metrics: names and how they are called in the legend. */
export interface Spec extends Omit<Chart, "series"> {
  readonly names: Readonly<Record<string, string>>;
}

const SPECS: readonly Spec[] = [
  { id: "reward", title: "Reward", note: "mean over the step's completions", names: { reward: "reward" } },
  { id: "loss", title: "Loss", note: "what is minimised, mean over the step's updates", names: { loss: "loss" } },
  {
    id: "entropy",
    title: "Entropy",
    note: "nats a token, over the whole vocabulary",
    names: { entropy: "entropy" },
    fromZero: true,
  },
  {
    id: "length",
    title: "Completion length",
    note: "sampled tokens a completion, mean",
    names: { "completions/mean_length": "all", "completions/mean_terminated_length": "ended by itself" },
    fromZero: true,
  },
  {
    id: "grad",
    title: "Gradient norm",
    note: "all weights, before clipping",
    names: { grad_norm: "gradient norm" },
    fromZero: true,
  },
  {
    id: "lr",
    title: "Learning rate",
    note: "in the last update of a step",
    names: { learning_rate: "learning rate" },
    fromZero: true,
  },
  {
    id: "stop",
    title: "Why completions ended",
    note: "share of completions",
    names: {
      "rollout/stop/eos": "end of sequence",
      "rollout/stop/length": "token limit",
      "rollout/stop/string": "stop text",
      "rollout/stop/environment": "the environment",
      "rollout/stop/budget": "limit of turns or context",
      "rollout/stop/error": "a fault",
    },
    percent: true,
  },
  {
    id: "outcome",
    title: "Verdicts",
    note: "share of training completions by the verifier's outcome",
    names: {
      "reward_outcome/correct": "correct",
      "reward_outcome/wrong": "wrong",
      "reward_outcome/unparseable": "unparseable",
      "reward_outcome/timeout": "timeout",
      "reward_outcome/error": "error",
    },
    percent: true,
  },
  {
    id: "signal",
    title: "Groups with a signal",
    note: "share of groups whose completions did not all get the same reward",
    names: { "signal/frac_useful_groups": "groups with a signal" },
    percent: true,
  },
  {
    id: "clip",
    title: "Clipped tokens",
    note: "share of tokens whose ratio left the clip range",
    names: { "clip_ratio/region_mean": "clipped" },
    percent: true,
  },
  {
    id: "identity",
    title: "Sampler and trainer agree",
    note: "largest log-prob difference of a sampled token before the update, nats; limit 2e−4",
    names: { "invariant/step0_logp_maxdiff": "largest difference" },
    fromZero: true,
  },
  {
    id: "speed",
    title: "Speed",
    note: "sampled tokens a second, of the whole step and while decoding",
    names: { "training_tok/s": "step", "throughput/decode_tok_per_s": "decoding" },
    fromZero: true,
  },
  {
    id: "memory",
    title: "Memory",
    note: "resident memory of the process, GiB",
    names: { "memory/rss_gb": "now", "memory/rss_peak_gb": "peak" },
    fromZero: true,
  },
];

/** Charts of one run, or of several with one colour a run. Those without values draw nothing. */
export function chartsOf(runs: readonly RunData[]): Chart[] {
  const logged = new Set(runs.flatMap(({ rows }) => rows.flatMap((row) => Object.keys(row))));
  const others = [...rewardSpecs(logged), ...controlSpecs(logged)];
  return drawable([accuracyChart(runs), ...[...SPECS, ...others].map((spec) => chartOf(spec, runs))]);
}

/** Charts without the lines that say nothing, and without those that have no line then. */
export function drawable(charts: readonly Chart[]): Chart[] {
  return charts
    .map((chart) => ({
      ...chart,
      series: chart.series.filter(({ points }) => points.length > 1 && !isFlatZero(points)),
    }))
    .filter((chart) => chart.series.length > 0);
}

/** All names of one run, or the first name of each of several runs. */
function chartOf({ names, ...chart }: Spec, runs: readonly RunData[]): Chart {
  const single = runs.length === 1;
  const shown = single ? Object.entries(names) : Object.entries(names).slice(0, 1);
  const series = runs.flatMap((run) =>
    shown.map(([name, label]): Series => ({ label: single ? label : run.name, points: pointsOf(run.rows, name) })),
  );
  return { ...chart, series };
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
