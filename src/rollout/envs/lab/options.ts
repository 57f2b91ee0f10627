import { z } from "zod";
import type { Size } from "./build.ts";
import { LAB_TASKS } from "./tasks/index.ts";

/** Worlds by size; each knob can be set alone. */
const SIZES: Readonly<Record<"tiny" | "small" | "medium" | "large", Size>> = {
  tiny: { rooms: 2, distractors: 1, closed: 0, hints: true, long: false },
  small: { rooms: 3, distractors: 2, closed: 0.2, hints: true, long: false },
  medium: { rooms: 4, distractors: 4, closed: 0.4, hints: false, long: false },
  large: { rooms: 5, distractors: 8, closed: 0.6, hints: false, long: true },
};

const names = LAB_TASKS.map(({ name }) => name) as [string, ...string[]];

/** Options of the lab. */
export const LabOptions = z.strictObject({
  tasks: z.array(z.enum(names)).min(1).default(names).describe("which kinds of task there are"),
  reward: z
    .enum(["sparse", "shaped"])
    .default("sparse")
    .describe("sparse: 1 at success; shaped: equal shares for the subgoals and success, which add up to 1"),
  size: z
    .enum(["tiny", "small", "medium", "large"])
    .default("small")
    .describe("preset of the knobs below; gold paths are of about 7, 8, 9 and 12 actions"),
  rooms: z.int().min(2).max(5).nullable().default(null).describe("how many rooms; null: as size says"),
  distractors: z.int().min(0).max(10).nullable().default(null).describe("things of no use; null: as size says"),
  closed: z
    .number()
    .min(0)
    .max(1)
    .nullable()
    .default(null)
    .describe("chance of a door or lid to be closed at first; null: as size says"),
  hints: z.boolean().nullable().default(null).describe("the instruction says where things are; null: as size says"),
  long: z
    .boolean()
    .nullable()
    .default(null)
    .describe(
      "long forms of tasks: water comes from a sink, parts of a circuit lie in several rooms; null: as size says",
    ),
});
export type LabOptions = z.infer<typeof LabOptions>;

/** The knobs that options mean. */
export function sizeOf({ size, rooms, distractors, closed, hints, long }: LabOptions): Size {
  const preset = SIZES[size];
  return {
    rooms: rooms ?? preset.rooms,
    distractors: distractors ?? preset.distractors,
    closed: closed ?? preset.closed,
    hints: hints ?? preset.hints,
    long: long ?? preset.long,
  };
}
