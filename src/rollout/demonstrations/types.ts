import type { z } from "zod";
import type { Rng } from "../../utils/rng.ts";
import type { DialogueMessage } from "../types.ts";

/** A prompt and a completion to imitate; the trainer adds the end-of-sequence token. */
export interface Demonstration {
  readonly prompt: string;
  readonly completion: string;
}

/** A whole episode to imitate: turns of the policy and what the environment said between them, which does not train. */
export interface EpisodeDemonstration {
  /** The conversation before the first turn. */
  readonly messages: readonly DialogueMessage[];
  readonly turns: readonly DemonstratedTurn[];
  /** The whole transcript trains, as a text that nobody took part in. */
  readonly isText: boolean;
}

/** One turn of an {@link EpisodeDemonstration}. */
export interface DemonstratedTurn {
  /** What the policy is to write, without the end of the turn. */
  readonly text: string;
  /** False: part of the context, but not imitated. */
  readonly isImitated: boolean;
  /** What came back. */
  readonly replies: readonly DialogueMessage[];
}

/** An endless source of demonstrations; `draw` depends on the random stream alone. */
export interface DemonstrationSet {
  readonly name: string;
  /** Whether it draws episodes, for which the learner needs a form of dialogue. */
  readonly hasEpisodes: boolean;
  draw(rng: Rng): Demonstration | EpisodeDemonstration;
}

/** A kind of demonstrations: its options (one strict schema) and how to open it. */
export interface DemonstrationDef<Options extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly options: Options;
  open(options: z.output<Options>): Promise<DemonstrationSet>;
}
