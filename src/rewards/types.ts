import type { z } from "zod";
import type { Episode, StopReason, Task } from "../rollout/types.ts";

/** What a verifier saw. Only `correct` and `wrong` (and graded scores under them) train; the others are counted and masked by policy. */
export type Outcome = "correct" | "wrong" | "unparseable" | "timeout" | "error";

/** Result of scoring one completion. */
export interface Verdict {
  readonly outcome: Outcome;
  /** In [0, 1]; 0 for every outcome but `correct`, unless the reward is graded. */
  readonly score: number;
  /** In words, for people: what was expected, what was seen. */
  readonly reason: string;
  /** What was read from the answer, as text. */
  readonly parsed?: string;
  /** What it was compared with, as text. */
  readonly gold?: string;
  /** Name of the rule that decided. */
  readonly rule?: string;
  /** What was found on the way, step by step, for people. */
  readonly steps?: readonly { readonly step: string; readonly found: string }[];
}

/** What a reward may look at: one finished completion. */
export interface Scorable {
  readonly task: Task;
  readonly text: string;
  readonly stop: StopReason;
  /** Number of sampled tokens. */
  readonly tokens: number;
  /** What happened, where the completion is an episode. */
  readonly episode?: Episode;
  /** The sampled ids, the end-of-sequence token included; absent where only a text is judged. */
  readonly ids?: readonly number[];
  /** Natural log-prob of each id under the distribution it was drawn from. */
  readonly logp?: Float32Array;
  /** Entropy of that distribution at each id, nats. */
  readonly entropy?: Float32Array;
}

/** What a reward that asks a server has cost so far. */
export interface RewardUsage {
  /** Sent, repeated ones included. */
  readonly requests: number;
  /** Answers whose verdict was known. */
  readonly cached: number;
  /** As the server counts them. */
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** A named function of one finished completion. */
export interface Reward {
  readonly name: string;
  /** The reward ends every answer by itself within limits of its own, so that a rubric waits without a deadline (and without counting queues). */
  readonly isBounded?: boolean;
  score(completion: Scorable): Verdict | Promise<Verdict>;
  /** For rewards that ask a server. */
  usage?(): RewardUsage;
}

/** A kind of reward: its options (one strict schema) and how to make one. */
export interface RewardDef<Options extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly options: Options;
  /**
   * Where answers are judged. `worker` (the default): in a thread of the pool that is killed after the deadline. `main`: in the caller's thread;
   * only for rewards that are cheap and bounded by construction, or that bound work elsewhere (a process, a server) themselves.
   */
  runs?(options: z.output<Options>): "worker" | "main";
  /** Longest time for one answer in a thread, ms; 5000 without it. */
  deadlineMs?(options: z.output<Options>): number;
  create(options: z.output<Options>): Reward;
}
