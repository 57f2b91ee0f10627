import type { DialogueMessage, Json } from "./types.ts";

/** The other side of a dialogue: an environment, or the tools of a task. One per completion. */
export interface Counterpart {
  /** The conversation before the policy's first turn. @throws EnvError when there is none: the episode ends with its record */
  start(): Promise<CounterpartStart>;
  /**
   * What one turn of the policy did.
   * @param turn.text decoded, without special tokens
   * @param turn.isCut a limit ended it, not the policy
   * @throws EnvError when the other side broke
   */
  reply(turn: { readonly text: string; readonly isCut: boolean }): Promise<CounterpartReply>;
  /** Called once, after the last turn or a fault; gives back what was taken. */
  finish(): Promise<void>;
}

/** How a dialogue begins. */
export interface CounterpartStart {
  readonly messages: readonly DialogueMessage[];
  /** Key of the state before the first turn. */
  readonly state?: string;
  /** Wall time, ms. */
  readonly ms: number;
}

/** What came back to one turn. */
export interface CounterpartReply {
  readonly messages: readonly DialogueMessage[];
  /** No further turn. */
  readonly done: boolean;
  /** The turn was an answer, and a limit cut it off. */
  readonly isCutOff?: boolean;
  readonly success: boolean;
  /** What was done, as it was read; null when nothing could be read. */
  readonly action: string | null;
  readonly observation: string;
  readonly reward: number;
  /** Whether the action was understood; null when that can't be told. */
  readonly valid: boolean | null;
  readonly info: Readonly<Record<string, Json>>;
  /** Key of the state after the turn. */
  readonly state?: string;
  /** Wall time, ms. */
  readonly ms: number;
}
