import type { Detector, JudgedCompletion, Trend } from "./types.ts";

/** Figures of one step: mean length in tokens, share of right answers, correlation of reward and length within groups. */
export type StepFigures = readonly [length: number, accuracy: number, correlation: number];

/** What the trend remembers, plain JSON: the first steps of the run and the last ones. */
export interface TrendState {
  readonly first: readonly StepFigures[];
  readonly recent: readonly StepFigures[];
}

/** Steps in each of the two windows. */
const WINDOW = 8;

/** Completions so many times as long as at first, */
const LONGER = 1.5;
/** with a correlation of reward and length above this, farm; */
const PAID = 0.2;
/** without it they do from here on. */
const DRIFT = 3;
/** An accuracy that rose by this much explains longer completions. */
const RISE = 0.03;

/** Nothing seen yet. */
export const NO_TREND: TrendState = { first: [], recent: [] };

/** The state after a step. */
export function observeLengths({ first, recent }: TrendState, figures: StepFigures): TrendState {
  if (first.length < WINDOW) return { first: [...first, figures], recent };
  return { first, recent: [...recent, figures].slice(-WINDOW) };
}

/** Compares the last steps with the first. */
export function trendOf({ first, recent }: TrendState): Trend {
  if (recent.length < WINDOW) return { isFarming: false, usualLength: 0, summary: "" };
  const mean = (list: readonly StepFigures[], i: 0 | 1 | 2): number =>
    list.reduce((sum, figures) => sum + figures[i], 0) / list.length;
  const growth = mean(recent, 0) / Math.max(1, mean(first, 0));
  const rise = mean(recent, 1) - mean(first, 1);
  const paid = mean(recent, 2);
  const isFarming = rise < RISE && (growth >= DRIFT || (growth >= LONGER && paid > PAID));
  const summary =
    `completions are ${growth.toFixed(1)} times as long as in the first ${WINDOW} steps, right answers went from ` +
    `${percent(mean(first, 1))} to ${percent(mean(recent, 1))}, correlation of reward and length ${paid.toFixed(2)}`;
  return { isFarming, usualLength: mean(first, 0), summary };
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** Figures of a step's completions. Those without a reward count for length and accuracy only. */
export function stepFigures(
  rows: readonly (Pick<JudgedCompletion, "tokens" | "outcome"> & {
    readonly reward: number | null;
    readonly group: number;
  })[],
): StepFigures {
  const count = Math.max(1, rows.length);
  const length = rows.reduce((sum, { tokens }) => sum + tokens, 0) / count;
  const accuracy = rows.filter(({ outcome }) => outcome === "correct").length / count;
  return [
    length,
    accuracy,
    correlation(rows.flatMap(({ reward, ...row }) => (reward === null ? [] : [{ ...row, reward }]))),
  ];
}

/** Pearson's correlation of reward and length, both without the means of their groups: hard problems take longer, which is no farming. */
function correlation(
  rows: readonly { readonly tokens: number; readonly reward: number; readonly group: number }[],
): number {
  const groups = new Map<number, { tokens: number; reward: number; count: number }>();
  for (const { group, tokens, reward } of rows) {
    const sum = groups.get(group) ?? { tokens: 0, reward: 0, count: 0 };
    groups.set(group, { tokens: sum.tokens + tokens, reward: sum.reward + reward, count: sum.count + 1 });
  }
  let [both, lengths, rewards] = [0, 0, 0];
  for (const { group, tokens, reward } of rows) {
    const sum = groups.get(group)!;
    const [x, y] = [tokens - sum.tokens / sum.count, reward - sum.reward / sum.count];
    both += x * y;
    lengths += x * x;
    rewards += y * y;
  }
  return lengths < 1e-12 || rewards < 1e-12 ? 0 : both / Math.sqrt(lengths * rewards);
}

/** Completions grow, right answers don't, and length is paid. */
export const lengthFarming: Detector = {
  name: "length-farming",
  what: "far longer than in the first steps of the run while accuracy has not risen, and paid for it (or three times as long)",
  advice:
    "some reward grows with length: see rewards/{name}/signal_share, cap it, or use objective.filter.overlongCache",
  warnAt: 0.25,
  applies: () => true,
  find: ({ tokens }, { isFarming, usualLength, summary }) =>
    isFarming && tokens > LONGER * usualLength ? `${tokens} tokens; ${summary}` : null,
};
