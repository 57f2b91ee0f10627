import { z } from "zod";
import { ConfigError } from "../../utils/errors.ts";
import { createRng } from "../../utils/rng.ts";
import { EnvConfig } from "../envs/config.ts";
import type { EnvRegistry } from "../envs/registry.ts";
import type { EpisodeStart } from "../envs/types.ts";
import type { Task, TaskSet } from "../types.ts";

const Options = z.strictObject({
  env: EnvConfig,
  split: z.enum(["train", "dev", "test"]).default("train").describe("initial states; splits share none"),
  tasks: z.array(z.string().min(1)).min(1).nullable().default(null).describe("names of tasks; null = all"),
  limit: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe("use only so many initial states, spread evenly over the tasks"),
});

/** Episodes of an environment: every initial state is a task, what happens in it is played. Needs a registry to open. */
export const environmentTasks = {
  name: "environment",
  options: Options,
  open: openEnvironmentTasks,
} as const;

async function openEnvironmentTasks(options: z.output<typeof Options>, registry: EnvRegistry): Promise<TaskSet> {
  const worlds = await registry.open(options.env);
  const { source } = worlds;
  for (const task of options.tasks ?? [])
    if (!source.tasks.includes(task))
      throw new ConfigError(`tasks: ${source.name} has no task ${task}; it has ${source.tasks.join(", ")}`);
  const starts = choose(await source.starts(options.split, options.tasks ?? undefined), options.limit);
  if (starts.length === 0)
    throw new ConfigError(`tasks: ${source.name} has no initial states in split ${options.split}`);
  return {
    name: source.name,
    split: options.split === "train" ? "train" : "test",
    size: starts.length,
    worlds,
    get(index) {
      const start = starts[index];
      if (!start)
        throw new RangeError(`${source.name} ${options.split}: index ${index} is outside 0..${starts.length - 1}`);
      return toTask(start, source.name, source.returnRange);
    },
  };
}

/** The starts in a fixed random order, or of every task the same number of them, as far as it has so many. */
function choose(starts: readonly EpisodeStart[], limit: number | null): readonly EpisodeStart[] {
  const shuffled = createRng("environment-starts").shuffle([...starts]);
  if (limit === null) return shuffled;
  const seen = new Map<string, number>();
  const ranked = shuffled.map((start) => {
    const rank = seen.get(start.task) ?? 0;
    seen.set(start.task, rank + 1);
    return { start, rank };
  });
  ranked.sort((a, b) => a.rank - b.rank);
  return ranked.slice(0, limit).map(({ start }) => start);
}

function toTask({ task, seed }: EpisodeStart, name: string, returnRange: readonly [number, number]): Task {
  const id = `${name}/${task}/${seed}`;
  return { id, set: name, kind: task, prompt: "", answer: null, data: { task, seed, returnRange } };
}

/** Whether a task is an episode of an environment: what it asks is known when it is played. */
export function isPlayed({ prompt }: Task): boolean {
  return prompt === "";
}

/** Where the episode of a task begins. */
export function startOf({ data }: Task): EpisodeStart {
  return { task: String(data.task), seed: Number(data.seed) };
}
