import type { z } from "zod";
import type { StopReason, Task } from "../rollout/types.ts";

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
}

/** What a reward may look at: one finished completion. */
export interface Scorable {
  readonly task: Task;
  readonly text: string;
  readonly stop: StopReason;
  /** Number of sampled tokens. */
  readonly tokens: number;
}

/** A named function of one finished completion. */
export interface Reward {
  readonly name: string;
  score(completion: Scorable): Verdict | Promise<Verdict>;
}

/** A kind of reward: its options (one strict schema) and how to make one. */
export interface RewardDef<Options extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly options: Options;
  create(options: z.output<Options>): Reward;
}
