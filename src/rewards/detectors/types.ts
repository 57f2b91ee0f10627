import type { Task } from "../../rollout/types.ts";
import type { Outcome } from "../types.ts";

/** What a detector looks at: one completion that was judged. */
export interface JudgedCompletion {
  readonly task: Task;
  readonly text: string;
  /** Sampled tokens. */
  readonly tokens: number;
  /** Of the first reward with a weight. */
  readonly outcome: Outcome;
}

/** How long the completions of a run have become, and whether that pays. Means over steps; see `length-farming.ts`. */
export interface Trend {
  /** Lengths rise, accuracy does not, and longer completions are paid better or grow without bound. */
  readonly isFarming: boolean;
  /** Mean length of the first steps, tokens; 0 before there are enough. */
  readonly usualLength: number;
  /** The figures, in words. */
  readonly summary: string;
}

/** A sign that the reward is earned by another way than the task's. It looks and warns; it never changes a score. */
export interface Detector {
  /** As in `hack/{name}`. */
  readonly name: string;
  /** What is seen, for people. */
  readonly what: string;
  /** What to look at or change when it is real. */
  readonly advice: string;
  /** Share of the completions that it applies to, above which a run warns. */
  readonly warnAt: number;
  /** Whether the completion can show this sign at all; shares are over those that can. */
  applies(row: JudgedCompletion): boolean;
  /** The words or figures that show it; null when there is no sign. Bounded time on any text up to `MAX_LENGTH`. */
  find(row: JudgedCompletion, trend: Trend): string | null;
}
