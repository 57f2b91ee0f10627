import type { z } from "zod";
import type { EnvPool } from "./envs/pool.ts";

/** Any value that JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** One turn of a conversation. */
export interface Message {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
}

/** One problem. The text is encoded once, by the policy's tokenizer: token ids are the only truth afterwards. */
export interface Task {
  /** Unique within its set and split; says how to make the same problem again. */
  readonly id: string;
  /** Name of the task set, as in the recipe. */
  readonly set: string;
  /** What sort of problem of the set it is: the environment's task, the generated family. Absent: all are alike. */
  readonly kind?: string;
  /** Text for base models (encoded as it is), or a conversation for models with a chat template. */
  readonly prompt: string | readonly Message[];
  /** The question alone, without system message and instruction, where the set knows it. */
  readonly question?: string;
  /** The gold answer as the verifier reads it; null when the task is judged by its `data` alone. */
  readonly answer: string | null;
  /** Text that ends a turn inside a completion, one token of the model: what follows is the next turn. Absent: one turn. */
  readonly turnMark?: string;
  /** What the verifier needs besides: numbers, target, … */
  readonly data: { readonly [key: string]: Json };
}

/** A finite, indexable collection of problems of one split. `get` is a pure function of the index. */
export interface TaskSet {
  readonly name: string;
  readonly split: "train" | "test";
  readonly size: number;
  /** What a user should know about how it was opened: columns that were guessed, rows that were left out. One sentence each. */
  readonly notes?: readonly string[];
  /** Where its tasks are played, for sets of episodes; absent: a task is answered with one text. */
  readonly worlds?: EnvPool;
  /** @throws RangeError outside [0, size) */
  get(index: number): Task;
}

/** A kind of task set: its options (one strict schema) and how to open a split. */
export interface TaskSetDef<Options extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly options: Options;
  /** @throws DataError naming file, line and field when rows are malformed */
  open(options: z.output<Options>): Promise<TaskSet>;
}

/** Where a token came from. Only `sampled` tokens train; `history` are sampled ones that a new context shows again. */
export type Provenance = "template" | "system" | "user" | "sampled" | "environment" | "tool" | "history";

/** Tokens that the policy did not write. */
export interface Segment {
  readonly provenance: Exclude<Provenance, "sampled">;
  readonly ids: readonly number[];
}

/** Tokens that stand inside a completion without being sampled. */
export interface Insert {
  /** Index in `ids` of the sampled token that follows; `ids.length` after the last one. */
  readonly at: number;
  readonly segments: readonly Segment[];
  /** What comes before is out of sight: the segments are a whole new context. */
  readonly restart?: true;
  /** Of a new context: what came back to the turn before it, alone. */
  readonly bridge?: readonly Segment[];
}

/** A message with where its words come from. */
export interface DialogueMessage extends Message {
  /** Absent: as the role says (system, user, tool). */
  readonly from?: "environment" | "tool";
}

/** How a conversation becomes tokens: what the policy reads between the turns that it writes. */
export interface Dialogue {
  /** Everything before the first sampled token. */
  open(messages: readonly DialogueMessage[]): readonly Segment[];
  /**
   * Everything between two turns: what closes the turn that was sampled, the messages, the header of the next turn.
   * @param last the last sampled id; what of the turn's end it already wrote is not written again
   */
  bridge(last: number, messages: readonly DialogueMessage[]): readonly Segment[];
  /** Ids that end a turn. */
  readonly turnEndIds: readonly number[];
  /** Texts that end a turn where no such id is sampled. */
  readonly turnEndTexts: readonly string[];
}

/** One turn of an episode: what the policy wrote and what came of it. */
export interface TurnRecord {
  /** Its sampled tokens: [start, end) in `ids`. */
  readonly start: number;
  readonly end: number;
  /** What was done, as the other side read it; null when nothing could be read. */
  readonly action: string | null;
  /** What came back, as text. */
  readonly observation: string;
  readonly reward: number;
  /** Whether the other side understood the action; null when it can't tell. */
  readonly valid: boolean | null;
  readonly info: { readonly [key: string]: Json };
  /** Wall time of the other side, ms. */
  readonly ms: number;
}

/** Why an episode ended: the environment's own end, a limit of ours, or a fault. */
export type EpisodeEnd = "environment" | "turns" | "tokens" | "context" | "deadline" | "error";

/** What happened in a multi-turn completion. */
export interface Episode {
  readonly turns: readonly TurnRecord[];
  readonly end: EpisodeEnd;
  readonly success: boolean;
  /** Sum of the turns' rewards. */
  readonly return: number;
  /** What broke, in words; null unless `end` is `error` or `deadline`. */
  readonly error: string | null;
  /** Wall time of the start of the episode in the environment, ms. */
  readonly resetMs: number;
}

/**
 * Why a completion ended. One turn: the model's end-of-sequence token, the token limit, a stop string. An episode: the other side ended it, a limit of
 * ours on turns, context or time (`budget`; `length` is that on sampled tokens), a fault.
 */
export type StopReason = "eos" | "length" | "string" | "environment" | "budget" | "error";

/** One sampled answer to a task. */
export interface Completion {
  readonly task: Task;
  /** Index of the prompt within the step and of the completion within its group. */
  readonly group: number;
  readonly member: number;
  readonly promptIds: readonly number[];
  /** Sampled ids, the end-of-sequence token included when there is one. */
  readonly ids: readonly number[];
  /** Natural log-probability of each sampled id under the distribution it was drawn from, length of `ids`. */
  readonly logp: Float32Array;
  /** The same under the temperature alone, without top-k, top-p or min-p: what an update computes again. Equal to `logp` without filters. */
  readonly policyLogp: Float32Array;
  /** Entropy of that distribution in nats, length of `ids`. */
  readonly entropy: Float32Array;
  /** Index of the turn of each sampled id, from 0; absent for one turn. */
  readonly turns?: Int32Array;
  /** Key of the environment's state before each turn; absent: the same state before every turn. */
  readonly states?: readonly string[];
  /** Where the tokens of `promptIds` come from; absent: all from the user. */
  readonly promptSegments?: readonly Segment[];
  /** Tokens between turns, in rising order of `at`; absent for one turn. */
  readonly inserts?: readonly Insert[];
  readonly episode?: Episode;
  /** Decoded `ids` without special tokens. A view: never encoded again. */
  readonly text: string;
  /** Text of the last turn, which answers the task, where there are tools to call before; absent: `text` is the answer. */
  readonly answer?: string;
  readonly stop: StopReason;
}
