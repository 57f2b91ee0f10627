import { messageOf, RewardError } from "../utils/errors.ts";
import type { PoolStats, VerifierPool, VerifierSource } from "./pool/index.ts";
import { checkedVerdict, failed, late } from "./pool/verdict-check.ts";
import type { Outcome, Reward, RewardUsage, Scorable, Verdict } from "./types.ts";

/** One verdict of a rubric, with its weight and the wall time of the call. */
export interface ScoredTerm extends Verdict {
  readonly weight: number;
  /** Of the verifier alone, without waiting for a free thread. */
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
  /** Throughput and latency of the rewards that run in threads; null when none does. */
  stats(): PoolStats | null;
  /** What rewards that ask a server have cost, by name; empty when none does. */
  usage(): Readonly<Record<string, RewardUsage>>;
  /** Ends the threads. A rubric that is not closed keeps no process alive. */
  close(): Promise<void>;
}

/** One term: a reward that runs here, or a verifier that runs in a thread of the pool. */
export type RubricTerm =
  | { readonly weight: number; readonly reward: Reward }
  | { readonly weight: number; readonly name: string; readonly source: VerifierSource; readonly deadlineMs: number };

/** Longest wait for an asynchronous reward that runs here and does not bound its own time. */
const DEADLINE_MS = 30_000;

/** Where a rubric's verifiers run and how long it waits. */
export interface RubricOptions {
  /** Needed when a term has a `source`. It is closed with the rubric. */
  readonly pool?: VerifierPool;
  /** Longest wait for an asynchronous reward that runs in this thread, ms. */
  readonly deadlineMs?: number;
}

/**
 * Scores with every reward and keeps every term. A reward that throws, or returns anything but a score in [0, 1], is an `error`, one that
 * does not answer in time a `timeout`: never a silent 0. Weight 0 = metric only.
 */
export function rubric(terms: readonly RubricTerm[], { pool, deadlineMs = DEADLINE_MS }: RubricOptions = {}): Rubric {
  const names = terms.map(nameOf);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new RewardError(`rubric: two rewards are named ${twice}`);
  const judge = (term: RubricTerm, completion: Scorable): Promise<Verdict & { ms: number }> => {
    if ("reward" in term) return judgeHere(term.reward, completion, deadlineMs);
    if (!pool) throw new Error(`internal: reward ${term.name} needs a pool`);
    return pool.score(term.source, completion, term.deadlineMs);
  };
  return {
    async score(completion) {
      const fault = faultOf(completion);
      const verdicts = await Promise.all(terms.map((term) => (fault ? { ...fault, ms: 0 } : judge(term, completion))));
      return combine(
        Object.fromEntries(verdicts.map((verdict, i) => [names[i]!, { ...verdict, weight: terms[i]!.weight }])),
      );
    },
    stats: () => pool?.stats() ?? null,
    usage: () =>
      Object.fromEntries(
        terms.flatMap((term) => ("reward" in term && term.reward.usage ? [[nameOf(term), term.reward.usage()]] : [])),
      ),
    close: async () => pool?.close(),
  };
}

/** An episode whose other side broke or took too long has no answer to judge. */
function faultOf({ episode }: Scorable): Verdict | null {
  if (episode?.end === "error") return failed(episode.error ?? "the episode broke");
  if (episode?.end === "deadline")
    return { outcome: "timeout", score: 0, reason: episode.error ?? "the episode took too long" };
  return null;
}

function nameOf(term: RubricTerm): string {
  return "reward" in term ? term.reward.name : term.name;
}

function combine(terms: Readonly<Record<string, ScoredTerm>>): RubricResult {
  const weighted = Object.values(terms).filter(({ weight }) => weight !== 0);
  const judged = weighted.every(({ outcome }) => outcome === "correct" || outcome === "wrong");
  const main = weighted[0] ?? Object.values(terms)[0];
  return {
    reward: judged ? weighted.reduce((sum, { weight, score }) => sum + weight * score, 0) : null,
    outcome: main?.outcome ?? "error",
    ...(main?.parsed === undefined ? {} : { parsed: main.parsed }),
    terms,
  };
}

async function judgeHere(reward: Reward, completion: Scorable, deadlineMs: number): Promise<Verdict & { ms: number }> {
  const start = performance.now();
  const verdict = await attempt(reward, completion, deadlineMs);
  return { ...verdict, ms: performance.now() - start };
}

async function attempt(reward: Reward, completion: Scorable, deadlineMs: number): Promise<Verdict> {
  try {
    const pending = reward.score(completion);
    if (!(pending instanceof Promise) || reward.isBounded) return checkedVerdict(reward.name, await pending);
    const verdict = await within(pending, deadlineMs);
    return verdict === null ? late(deadlineMs) : checkedVerdict(reward.name, verdict);
  } catch (error) {
    return failed(`reward ${reward.name} threw: ${messageOf(error)}`);
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
