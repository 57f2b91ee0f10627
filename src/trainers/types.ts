import type { Verdict } from "../rewards/types.ts";
import type { Episode, Insert, Provenance, StopReason, TurnRecord } from "../rollout/types.ts";
import type { CompletionUse } from "./group-filter.ts";

/** One sampled completion as it is kept in `samples.jsonl.gz`. Arrays of numbers have one entry per token of `ids`. */
export interface SampleRow {
  readonly step: number;
  /** `task.id` */
  readonly task: string;
  readonly group: number;
  readonly member: number;
  /** Prompt text as the model saw it (decoded, special tokens kept) and the decoded completion. */
  readonly prompt: string;
  readonly text: string;
  readonly promptIds: readonly number[];
  readonly ids: readonly number[];
  /** Runs of equal provenance over everything that was read or sampled, in order: [provenance, number of tokens]. */
  readonly provenance: readonly (readonly [Provenance, number])[];
  /** What the policy read between its turns, and before which of `ids` it stood; absent for one turn. */
  readonly inserts?: readonly Pick<Insert, "at" | "segments" | "restart">[];
  /** What happened in an episode, turn by turn. */
  readonly episode?: Omit<Episode, "turns" | "resetMs"> & { readonly turns: readonly Omit<TurnRecord, "ms">[] };
  readonly logp: readonly number[];
  readonly entropy: readonly number[];
  /** One verdict per reward of the recipe, by name. */
  readonly rewards: Readonly<Record<string, Verdict>>;
  /** Weighted sum of the scores; null when a verifier could not judge (the completion is masked). */
  readonly reward: number | null;
  /** Advantage of the completion; 0 for masked ones. */
  readonly advantage: number;
  readonly stop: StopReason;
  /** Why the completion did not train like others; absent for those that did. */
  readonly use?: CompletionUse;
  /** Per token of `ids`: 1 where the entropy control selected it; absent without such a control. */
  readonly selected?: readonly number[];
  /** Advantage of each token of `ids`, where turns have advantages of their own. */
  readonly tokenAdvantages?: readonly number[];
  /** What detectors of reward hacking saw in it, by detector; absent for nothing. */
  readonly flags?: Readonly<Record<string, string>>;
}

/** Values of one step by metric name; every name is declared in `trainers/metrics.ts`. */
export type Metrics = Record<string, number | string>;

/** What one training step leaves behind. */
export interface StepOutput {
  readonly metrics: Metrics;
  /** Empty for supervised steps. */
  readonly samples: readonly SampleRow[];
  /** What a user should look at, each with a completion that shows it. */
  readonly warnings?: readonly string[];
}

/** How one kind of problem did in an evaluation (`kind` of its tasks). */
export interface KindScores {
  readonly kind: string;
  readonly problems: number;
  /** Samples per problem. */
  readonly samples: number;
  /** pass@1 as a share, with its 95 % bootstrap interval over the problems of the kind. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Correct samples of each of its problems, in the order of the evaluation set: for paired comparison. */
  readonly correct: readonly number[];
}

/** What one evaluation leaves behind. */
export interface EvaluationOutput {
  /** Names of `metrics.md`, section Evaluation: `val-core/{set}/acc/mean@{n}`, `…/ci95_low`, … */
  readonly metrics: Metrics;
  /** Correct samples of each problem, in the order of the evaluation set: for paired comparison. */
  readonly correct: readonly number[];
  /** Samples per problem. */
  readonly samples: number;
  /** The same problems by kind, in alphabetical order; absent where there are not at least two kinds. */
  readonly byKind?: readonly KindScores[];
  readonly rows: readonly SampleRow[];
}

/** One training job: pure steps over its own state. It prints nothing and writes nothing but what `save` is asked to. */
export interface Trainer {
  /** Number of steps this job takes in all. */
  readonly steps: number;
  /** Runs step `step` (from 0). Steps must be taken in order. */
  step(step: number): Promise<StepOutput>;
  /** Evaluates the current weights; null when the recipe has no evaluation. `step` = steps taken so far. */
  evaluate(step: number): Promise<EvaluationOutput | null>;
  /** Writes everything that the next step depends on into an existing empty folder. */
  save(folder: string): Promise<void>;
  /** Restores what `save` wrote. @throws DataError when the folder is not whole or belongs to another recipe */
  load(folder: string): Promise<void>;
  /** Ends the worker thread and frees all sessions. */
  close(): Promise<void>;
}
