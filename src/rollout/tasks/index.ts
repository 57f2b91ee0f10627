import { z } from "zod";
import { ConfigError } from "../../utils/errors.ts";
import type { EnvRegistry } from "../envs/registry.ts";
import type { TaskSet } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";
import { countdown } from "./countdown.ts";
import { environmentTasks } from "./environment.ts";
import { file } from "./file.ts";
import { generated } from "./generated/index.ts";
import { gsm8k } from "./gsm8k.ts";

export { type AdaptiveTasks, adaptiveOf, type TaskResult } from "./curriculum.ts";
export { isPlayed } from "./environment.ts";
export { taskOfRow } from "./generated/index.ts";
export { checkDisjoint, overlapNotes } from "./overlap.ts";

const DEFS = [countdown, arithmetic, gsm8k, file, generated] as const;

/** A task set of a recipe: its name and its own options. */
export const TaskConfig = z.discriminatedUnion("name", [
  countdown.options.extend({ name: z.literal(countdown.name as "countdown") }),
  arithmetic.options.extend({ name: z.literal(arithmetic.name as "arithmetic") }),
  gsm8k.options.extend({ name: z.literal(gsm8k.name as "gsm8k") }),
  file.options.extend({ name: z.literal(file.name as "file") }),
  generated.options.extend({ name: z.literal(generated.name as "generated") }),
  environmentTasks.options.extend({ name: z.literal(environmentTasks.name) }),
]);
export type TaskConfig = z.infer<typeof TaskConfig>;

/**
 * Opens a task set.
 * @param registry owns the environments that it opens; needed for sets of episodes
 * @throws DataError when its files cannot be read
 */
export function openTaskSet(config: TaskConfig, registry?: EnvRegistry): Promise<TaskSet> {
  if (config.name === "environment") {
    if (!registry)
      throw new ConfigError("tasks of an environment can't be used here: they are played, not answered with a text");
    return environmentTasks.open(config, registry);
  }
  const { name, ...options } = config;
  const def = DEFS.find((candidate) => candidate.name === name);
  if (!def) throw new Error(`internal: task set ${name} is not in the table`);
  return def.open(options as never);
}
