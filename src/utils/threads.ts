import { availableParallelism } from "node:os";

/** How many threads each part of a process may keep busy. */
export interface ThreadPlan {
  /** Inside one operator of a policy's sessions. */
  readonly policy: number;
  /** Answers that are judged at once, in threads or in programs that they start. */
  readonly verifiers: number;
}

/** Cores that this process may use: what the affinity and the limits of a container leave of the machine's. */
export function coresAtHand(): number {
  return availableParallelism();
}

/**
 * Decides the threads of a process; every place that needs a number of threads asks here.
 *
 * `wanted` is the user's `--threads`, else all cores at hand. The policy's sessions get all of them, and so do the verifiers, since the two take turns: a step
 * samples, then judges, then updates, and waits for each part to end. That adds up to no more than `wanted` only because nobody spins while the other works:
 * sessions are compiled without spinning, a verifier without an answer sleeps, and a step's last verdict is there before its update begins. An answer that hangs
 * beside the lanes runs at the lowest priority until its deadline. A policy has one set of sessions in one thread of its own, so that updates and decoding never
 * run at once either.
 */
export function decideThreads(wanted?: number): ThreadPlan {
  const threads = Math.max(1, wanted ?? coresAtHand());
  return { policy: threads, verifiers: threads };
}
