import type { z } from "zod";
import type { Rng } from "../../utils/rng.ts";

/** A prompt and a completion to imitate; the trainer adds the end-of-sequence token. */
export interface Demonstration {
  readonly prompt: string;
  readonly completion: string;
}

/** An endless source of demonstrations; `draw` depends on the random stream alone. */
export interface DemonstrationSet {
  readonly name: string;
  draw(rng: Rng): Demonstration;
}

/** A kind of demonstrations: its options (one strict schema) and how to open it. */
export interface DemonstrationDef<Options extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly options: Options;
  open(options: z.output<Options>): Promise<DemonstrationSet>;
}
