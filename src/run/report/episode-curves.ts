import type { Chart, Series } from "./charts.ts";
import { drawable } from "./curves.ts";
import type { RunData } from "./data.ts";

type Logged = Pick<RunData, "name" | "rows" | "evaluations">;

/** A number of episodes that is measured in training and on held-out ones. */
interface Measured extends Omit<Chart, "series"> {
  /** `success` of `env/success` and `eval_env/success`. */
  readonly name: string;
}

const MEASURED: readonly Measured[] = [
  { id: "env-success", name: "success", title: "Success", note: "share of episodes that were solved", percent: true },
  { id: "env-score", name: "score_mean", title: "Return", note: "mean return of an episode, negative ones as 0" },
  {
    ...{ id: "env-valid", name: "valid_action_ratio", title: "Valid actions", percent: true },
    note: "share of actions that the environment understood",
  },
];

const ENDED: Readonly<Record<string, string>> = {
  "env/invalid_format_ratio": "turns without an action",
  "env/truncated_ratio": "episodes ended by a limit",
  "env/error_ratio": "episodes ended by a fault",
};

/** Charts of episodes: how they end, in training and on held-out ones, how long they are, and the entropy of their turns. Empty without episodes. */
export function episodeCharts(runs: readonly Logged[]): Chart[] {
  const single = runs.length === 1 ? runs[0]! : null;
  return drawable([
    ...MEASURED.map(({ name, ...chart }) => ({
      ...chart,
      series: runs.flatMap((run) => measured(run, name, !!single)),
    })),
    {
      ...{ id: "num-turns", title: "Turns", note: "of a training episode", fromZero: true },
      series: runs.flatMap((run) =>
        single
          ? ["mean", "min", "max"].map((kind) => line(run, `num_turns/${kind}`, kind))
          : [line(run, "num_turns/mean", run.name)],
      ),
    },
    ...(single ? [entropyChart(single), endsChart(single)] : []),
  ]);
}

/** Both lines of one run; of several, the held-out one where there is one. */
function measured(run: Logged, name: string, isSingle: boolean): Series[] {
  const training = line(run, `env/${name}`, isSingle ? "training" : run.name);
  const heldOut: Series = {
    label: isSingle ? "held-out" : run.name,
    points: run.evaluations.flatMap(({ step, metrics }) => pointOf(step, metrics[`eval_env/${name}`])),
    dots: true,
  };
  if (isSingle) return [heldOut, training];
  return [heldOut.points.length > 1 ? heldOut : training];
}

/** The first turn, the last that at least half of the steps have, and one between. */
function entropyChart(run: Logged): Chart {
  const last = Math.max(0, lastTurn(run));
  const turns = [...new Set([0, Math.floor(last / 2), last])];
  return {
    id: "entropy-turns",
    title: "Entropy by turn",
    note: "nats a token, mean over the tokens of a turn in all episodes of the step",
    series: turns.map((turn) => line(run, `entropy/turn_${turn}`, `turn ${turn + 1}`)),
    fromZero: true,
  };
}

function lastTurn({ rows }: Logged): number {
  const counts: number[] = [];
  for (const row of rows)
    for (const name of Object.keys(row)) {
      const [, turn] = /^entropy\/turn_(\d+)$/.exec(name) ?? [];
      if (turn !== undefined) counts[Number(turn)] = (counts[Number(turn)] ?? 0) + 1;
    }
  return counts.findLastIndex((count) => count >= Math.max(...counts.filter(Boolean)) / 2);
}

/** A line that stands alone has no legend: the note names what is drawn. */
function endsChart(run: Logged): Chart {
  const series = Object.entries(ENDED)
    .map(([name, label]) => line(run, name, label))
    .filter(({ points }) => points.some(([, share]) => share > 0));
  const note = series.map(({ label }) => label).join("; ");
  return { id: "env-ends", title: "What goes wrong", note: `shares: ${note}`, series, percent: true };
}

function line({ rows }: Logged, name: string, label: string): Series {
  return { label, points: rows.flatMap((row) => pointOf(row.step, row[name])) };
}

function pointOf(step: number, value: unknown): (readonly [number, number])[] {
  return typeof value === "number" ? [[step, value]] : [];
}
