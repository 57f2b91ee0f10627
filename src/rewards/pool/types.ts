import type { Json } from "../../rollout/types.ts";
import type { Scorable, Verdict } from "../types.ts";

/** Which verifier judges: a built-in one by its recipe entry, or the default export of a user's TypeScript or JavaScript file. */
export type VerifierSource =
  | { readonly kind: "builtin"; readonly config: { readonly name: string; readonly [option: string]: unknown } }
  | {
      readonly kind: "module";
      readonly path: string;
      /** How the recipe calls it; the path when absent. */
      readonly name?: string;
      readonly options?: { readonly [name: string]: Json };
    };

/** A verdict and what it took. */
export interface TimedVerdict extends Verdict {
  /** Wall time of the verifier's call, without waiting. */
  readonly ms: number;
  /** Time the answer waited for a free lane and a started thread. */
  readonly waitMs: number;
}

/** Sizes and limits of a pool. */
export interface PoolOptions {
  /** Answers that are judged at the same time; default: what `decideThreads` gives verifiers. */
  readonly lanes?: number;
  /** Answers that may hang beside them until their deadlines; each costs a thread. */
  readonly hanging?: number;
  /** Heap of a thread in MiB. */
  readonly memoryMb?: number;
  /** Memory outside of the heap (buffers) by which the process may grow while one answer is judged, in MiB. */
  readonly growthMb?: number;
  /** Longest time that a thread may need to start, and a verifier to load, in ms. */
  readonly startMs?: number;
}

/** What a pool has done so far. */
export interface PoolStats {
  /** Answers with a verdict of any outcome. */
  readonly answers: number;
  readonly timeouts: number;
  readonly errors: number;
  /** Threads started, and those ended by force. */
  readonly threadsStarted: number;
  readonly threadsKilled: number;
  /** Answers per second of the time in which the pool had work. */
  readonly answersPerSecond: number;
  /** Wall time of one call: mean and largest, ms. */
  readonly meanMs: number;
  readonly maxMs: number;
  /** Mean time an answer waited, ms. */
  readonly meanWaitMs: number;
}

/** Verifiers in threads that can be killed. */
export interface VerifierPool {
  /**
   * Judges one answer. Never rejects: what throws, ends its thread or needs too much memory is an `error`, what exceeds the deadline a `timeout`.
   * @param deadlineMs counted from the start of the verifier's call
   */
  score(source: VerifierSource, completion: Scorable, deadlineMs: number): Promise<TimedVerdict>;
  /** Loads a verifier in a thread, with the time that a thread has to start. Never rejects. @returns what is wrong with it, or null */
  load(source: VerifierSource): Promise<string | null>;
  stats(): PoolStats;
  /** Ends all threads; answers that are not judged yet become errors. */
  close(): Promise<void>;
}
