import { messageOf, RewardError } from "../utils/errors.ts";
import type { Outcome, Reward, Scorable, Verdict } from "./types.ts";

/** One verdict of a rubric, with its weight and the wall time of the call. */
export interface ScoredTerm extends Verdict {
  readonly weight: number;
  readonly ms: number;
}

/** What a rubric says of one completion. */
export interface RubricResult {
  /** Weighted sum of the scores; null when a weighted reward could not judge: such a completion does not train. */
  readonly reward: number | null;
  /** Of the first reward of the rubric that has a weight: it decides what counts as right. */
  readonly outcome: Outcome;
  /** What that reward read from the answer. */
  readonly parsed?: string;
  /** By name of the reward. */
  readonly terms: Readonly<Record<string, ScoredTerm>>;
}

/** A weighted list of rewards. */
export interface Rubric {
  score(completion: Scorable): Promise<RubricResult>;
}

/** Longest wait for an asynchronous reward. */
const DEADLINE_MS = 30_000;

/**
 * Scores with every reward and keeps every term. A reward that throws, or returns anything but a score in [0, 1], is an `error`, one that
 * does not answer in time a `timeout`: never a silent 0. Weight 0 = metric only.
 */
export function rubric(
  rewards: readonly { readonly reward: Reward; readonly weight: number }[],
  deadlineMs = DEADLINE_MS,
): Rubric {
  const names = rewards.map(({ reward }) => reward.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new RewardError(`rubric: two rewards are named ${twice}`);
  return {
    async score(completion) {
      const terms: Record<string, ScoredTerm> = {};
      for (const { reward, weight } of rewards) {
        const start = performance.now();
        const verdict = await judge(reward, completion, deadlineMs);
        terms[reward.name] = { ...verdict, weight, ms: performance.now() - start };
      }
      const weighted = Object.values(terms).filter(({ weight }) => weight !== 0);
      const judged = weighted.every(({ outcome }) => outcome === "correct" || outcome === "wrong");
      const main = weighted[0] ?? Object.values(terms)[0];
      return {
        reward: judged ? weighted.reduce((sum, { weight, score }) => sum + weight * score, 0) : null,
        outcome: main?.outcome ?? "error",
        ...(main?.parsed === undefined ? {} : { parsed: main.parsed }),
        terms,
      };
    },
  };
}

async function judge(reward: Reward, completion: Scorable, deadlineMs: number): Promise<Verdict> {
  try {
    const pending = reward.score(completion);
    const verdict = pending instanceof Promise ? await within(pending, deadlineMs) : pending;
    if (verdict === null) return { outcome: "timeout", score: 0, reason: `no verdict within ${deadlineMs} ms` };
    if (!(verdict.score >= 0 && verdict.score <= 1)) {
      return { outcome: "error", score: 0, reason: `reward ${reward.name} returned the score ${verdict.score}` };
    }
    return verdict;
  } catch (error) {
    return { outcome: "error", score: 0, reason: `reward ${reward.name} threw: ${messageOf(error)}` };
  }
}

/** The value, or null after the deadline. */
async function within<T>(pending: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([pending, late]);
  } finally {
    clearTimeout(timer);
  }
}
