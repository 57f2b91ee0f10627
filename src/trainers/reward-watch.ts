import { z } from "zod";
import { DETECTORS, detect, observeLengths, stepFigures, trendOf } from "../rewards/index.ts";
import type { Completion } from "../rollout/index.ts";
import type { DetectorsConfig, StopConfig } from "./config.ts";
import { isJudged, type ScoredCompletion } from "./group-filter.ts";
import { share } from "./metric-values.ts";
import type { Metrics } from "./types.ts";

const Figures = z.array(z.tuple([z.number(), z.number(), z.number()]));

/** What the watch over a run's rewards remembers, plain JSON. */
export const WatchState = z.strictObject({
  /** Shares of the completions on which a verifier failed, of the last steps, the oldest first. */
  failed: z.array(z.number()),
  /** Steps in a row in which no completion could be judged. */
  unjudged: z.int().min(0),
  /** By detector that has warned: the share at the last warning. */
  warned: z.record(z.string(), z.number()),
  /** Lengths and accuracy of the first and the last steps. */
  lengths: z.strictObject({ first: Figures, recent: Figures }),
});
export type WatchState = z.infer<typeof WatchState>;

/** Nothing seen yet. */
export const FRESH_WATCH: WatchState = { failed: [], unjudged: 0, warned: {}, lengths: { first: [], recent: [] } };

/** What the watch says of one step. */
export interface Watched {
  readonly state: WatchState;
  /** `hack/{name}` */
  readonly metrics: Metrics;
  readonly warnings: readonly string[];
  /** Evidence by detector, of the completions in which something was seen. */
  readonly flags: ReadonlyMap<Completion, Readonly<Record<string, string>>>;
}

/** Looks at the completions of a step, each sampled one once. Pure: state and rows decide. */
export function watchRewards(
  before: WatchState,
  rows: readonly ScoredCompletion[],
  { detectors, stopWhen }: { readonly detectors: DetectorsConfig; readonly stopWhen: StopConfig },
): Watched {
  const looked = evenly(rows, detectors.completions);
  const lengths = observeLengths(
    before.lengths,
    stepFigures(
      rows.map(({ completion: { group, ids }, scored: { outcome, reward } }) => {
        return { group, tokens: ids.length, outcome, reward };
      }),
    ),
  ) as WatchState["lengths"];
  const { counts, evidence } = detect(looked.map(judged), trendOf(lengths));
  const found = Object.entries(counts).map(([name, { of, found }]) => ({ name, share: found / of }));
  const loud = found.filter(({ name, share }) => isLoud(name, share, before.warned[name], detectors));
  const failed = share(rows.map(({ scored }) => failedTerm(scored) !== undefined));
  return {
    state: {
      failed: [...before.failed, failed].slice(-stopWhen.failedSteps),
      unjudged: rows.every(({ scored }) => scored.reward === null) ? before.unjudged + 1 : 0,
      warned: { ...before.warned, ...Object.fromEntries(loud.map(({ name, share }) => [name, share])) },
      lengths,
    },
    metrics: Object.fromEntries(found.map(({ name, share }) => [`hack/${name}`, share])),
    warnings: loud.map(({ name, share }) => {
      const i = evidence.findIndex((one) => one[name] !== undefined);
      return warning(name, share, looked[i]!, evidence[i]![name]!);
    }),
    flags: new Map(looked.map(({ completion }, i) => [completion, evidence[i]!])),
  };
}

function judged({ completion: { task, text, ids }, scored: { outcome } }: ScoredCompletion) {
  return { task, text, tokens: ids.length, outcome };
}

/** Above its threshold for the first time, or twice what it was at the last warning. */
function isLoud(name: string, share: number, last: number | undefined, { thresholds }: DetectorsConfig): boolean {
  const own = thresholds[name];
  const limit = own === undefined ? defOf(name).warnAt : own;
  return limit !== null && share > limit && (last === undefined || share >= 2 * last);
}

function warning(name: string, share: number, { completion }: ScoredCompletion, evidence: string): string {
  const { what, advice } = defOf(name);
  const { task, member } = completion;
  return (
    `reward hacking? ${name}: ${percent(share)} of the completions: ${what}. ` +
    `Such as task ${task.id}, completion ${member}: ${evidence}. If it is real: ${advice}`
  );
}

function defOf(name: string) {
  return DETECTORS.find((detector) => detector.name === name)!;
}

/** At most `count` rows at equal distances. */
function evenly<T>(rows: readonly T[], count: number): T[] {
  const taken = Math.min(count, rows.length);
  return Array.from({ length: taken }, (_, i) => rows[Math.floor((i * rows.length) / taken)]!);
}

/** The first weighted reward that failed on a completion: it threw, or it did not end in time. */
function failedTerm({ terms }: ScoredCompletion["scored"]) {
  return Object.entries(terms).find(
    ([, { weight, outcome }]) => weight !== 0 && (outcome === "timeout" || outcome === "error"),
  );
}

/** Steps in a row in which all rewards were one value, and that value; null when they differed or there was none. */
export interface Identical {
  readonly identical: number;
  readonly lastReward: number | null;
}

/** The count after a step. */
export function countIdentical(before: Identical, rows: readonly ScoredCompletion[]): Identical {
  const rewards = rows.flatMap(({ scored }) => (scored.reward === null ? [] : [scored.reward]));
  const value = rewards.every((reward) => reward === rewards[0]) ? (rewards[0] ?? null) : null;
  const same = value !== null && (before.identical === 0 || value === before.lastReward);
  return { identical: value === null ? 0 : same ? before.identical + 1 : 1, lastReward: value };
}

/** Why a run has to stop, in words, and whether the cause may lie outside; null to go on. */
export interface StopReason {
  readonly message: string;
  readonly isOutside: boolean;
}

/**
 * Whether the rewards of the last steps say anything.
 * @param state after the step, as the count of identical rewards
 */
export function stopReason(
  state: WatchState,
  { identical, lastReward }: Identical,
  rows: readonly ScoredCompletion[],
  { failedShare, failedSteps, identicalSteps }: StopConfig,
): StopReason | null {
  const failed = state.failed.reduce((sum, share) => sum + share, 0) / Math.max(1, state.failed.length);
  if (failedShare !== null && state.failed.length === failedSteps && failed > failedShare)
    return { message: failureMessage(failed, failedSteps, failedShare, rows), isOutside: true };
  if (identicalSteps === null) return null;
  if (state.unjudged >= identicalSteps) return { message: unjudgedMessage(state.unjudged, rows), isOutside: false };
  if (identical >= identicalSteps) return { message: identicalMessage(identical, lastReward, rows), isOutside: false };
  return null;
}

function failureMessage(failed: number, steps: number, limit: number, rows: readonly ScoredCompletion[]): string {
  const shown = rows.flatMap(({ completion, scored }) => {
    const term = failedTerm(scored);
    return term ? [{ completion, what: `${term[0]}: ${term[1].outcome}: ${term[1].reason}` }] : [];
  });
  return (
    `the verifier failed on ${percent(failed)} of the completions${steps > 1 ? ` of the last ${steps} steps` : ""} ` +
    `(stopWhen.failedShare allows ${percent(limit)}):${three(shown)}\n` +
    "Repair what the reasons name: a gold answer that can't be read, a program or server that is missing, a deadline that is too short"
  );
}

function unjudgedMessage(steps: number, rows: readonly ScoredCompletion[]): string {
  const shown = rows.flatMap(({ completion, scored }) => {
    const term = Object.entries(scored.terms).find(([, one]) => one.weight !== 0 && !isJudged(one));
    return term ? [{ completion, what: `${term[0]}: ${term[1].outcome}: ${term[1].reason}` }] : [];
  });
  return (
    `no completion of the last ${steps} steps could be judged, so nothing trains (stopWhen.identicalSteps):${three(shown)}\n` +
    "Ask for the answer in the form that the reward reads (tasks.train.instruction), give it more tokens (rollout.maxTokens), " +
    "or count such completions as wrong beside a format reward (objective.filter.outcomes.unparseable: wrong)"
  );
}

function identicalMessage(steps: number, reward: number | null, rows: readonly ScoredCompletion[]): string {
  const shown = rows.map(({ completion, scored }) => {
    const [name, term] = Object.entries(scored.terms).find(([, { weight }]) => weight !== 0) ?? [];
    return { completion, what: term ? `${name}: ${term.outcome}: ${term.reason}` : "" };
  });
  const advice =
    (reward ?? 0) > 0
      ? "These tasks are learned, or the reward gives everybody the same: take harder tasks, or look at the reward's reasons"
      : "The tasks are too hard for this model, or the reward reads its answers wrongly: take easier tasks or a curriculum, or look at the reward's reasons";
  return `all rewards of the last ${steps} steps were ${reward}, so nothing trains (stopWhen.identicalSteps):${three(shown)}\n${advice}`;
}

/** Up to three completions on lines of their own, those of different reasons first. */
function three(rows: readonly { readonly completion: Completion; readonly what: string }[]): string {
  const first = rows.filter(({ what }, i) => rows.findIndex((other) => other.what === what) === i);
  const picked = [...new Set([...first, ...rows])].slice(0, 3);
  return picked
    .map(({ completion: { task, member, text }, what }) => {
      return `\n  task ${task.id}, completion ${member} ${JSON.stringify(text.slice(-60))}: ${what.slice(0, 200)}`;
    })
    .join("");
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(1))} %`;
}
