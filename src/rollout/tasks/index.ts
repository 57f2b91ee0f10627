import { z } from "zod";
import type { TaskSet } from "../types.ts";
import { countdown } from "./countdown.ts";

const DEFS = [countdown] as const;

/** A task set of a recipe: its name and its own options. */
export const TaskConfig = z.discriminatedUnion("name", [
  countdown.options.extend({ name: z.literal(countdown.name as "countdown") }),
]);
export type TaskConfig = z.infer<typeof TaskConfig>;

/** Opens a task set. @throws DataError when its files cannot be read */
export function openTaskSet(config: TaskConfig): Promise<TaskSet> {
  const { name, ...options } = config;
  const def = DEFS.find((candidate) => candidate.name === name);
  if (!def) throw new Error(`internal: task set ${name} is not in the table`);
  return def.open(options);
}
