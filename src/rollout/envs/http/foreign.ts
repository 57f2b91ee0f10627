import { z } from "zod";
import { EnvError } from "../../../utils/errors.ts";
import type { Environment, EnvironmentSource, EnvReset, EnvSplit, EnvStep, EpisodeStart } from "../types.ts";
import { callServer } from "./client.ts";
import type { HttpOptions } from "./options.ts";
import { session, versionOf, worldSet } from "./source.ts";

const INSTRUCTION = "Reach the goal of the environment.";

/** What `reset` and `step` of an OpenEnv server return. */
const OpenEnvReply = z.object({
  observation: z.unknown(),
  reward: z
    .union([z.number(), z.boolean().transform(Number)])
    .nullable()
    .default(null),
  done: z.boolean().default(false),
});

/** An OpenEnv server (github.com/meta-pytorch/OpenEnv) that keeps one world between `POST /reset` and `POST /step`. */
export async function openOpenEnv(options: HttpOptions): Promise<EnvironmentSource> {
  await callServer(options, { path: "/health", reply: z.unknown(), isRepeatable: true });
  const textOf = (observation: unknown): string => observationText(observation, options);
  return foreignSource(options, options.worlds ?? 1, async () => {
    const line = session(options, async () => {}); // the server keeps its world
    const score = scoring(options);
    return {
      async reset({ seed }) {
        const { observation } = await line.call("/reset", { seed }, OpenEnvReply, true);
        score.reset();
        return { instruction: options.instruction ?? INSTRUCTION, observation: textOf(observation) };
      },
      async step(action) {
        if (score.last) return score.after();
        const body = { action: { [options.actionField]: action } };
        const { observation, reward, done } = await line.call("/step", body, OpenEnvReply, false);
        return score.step(textOf(observation), reward ?? 0, done);
      },
      close: line.close,
    };
  });
}

const Failure = z.object({ error: z.string() }).transform(({ error }) => ({ error }));
const Created = z.union([z.int(), z.object({ id: z.int() }).transform(({ id }) => id), Failure]);
const Observed = z.object({
  observation: z.string(),
  task_description: z.string().optional(),
  reward: z.number().default(0),
  done: z.boolean().default(false),
});
const AgentGymReply = z.union([Observed, Failure]);

/** A server of AgentGym (arXiv:2406.04151) whose `POST /reset` takes `data_idx`: SciWorld, BabyAI, TextCraft and others. */
export async function openAgentGym(options: HttpOptions): Promise<EnvironmentSource> {
  await callServer(options, { path: "/", reply: z.unknown(), isRepeatable: true });
  return foreignSource(options, options.worlds ?? 8, async () => {
    const id = good(
      "/create",
      await callServer(options, { path: "/create", body: {}, reply: Created, isRepeatable: false }),
    );
    const quick = { ...options, timeoutMs: Math.min(2000, options.timeoutMs), retries: 0 };
    const line = session(options, () =>
      callServer(quick, { path: "/close", body: { id }, reply: z.unknown(), isRepeatable: true }),
    );
    const score = scoring(options);
    return {
      async reset({ seed }) {
        const reply = good("/reset", await line.call("/reset", { id, data_idx: seed }, AgentGymReply, true));
        score.reset();
        const { task_description: told, observation } = reply;
        return { instruction: told || options.instruction || INSTRUCTION, observation };
      },
      async step(action) {
        if (score.last) return score.after();
        const reply = good("/step", await line.call("/step", { id, action }, AgentGymReply, false));
        return score.step(reply.observation, reply.reward, reply.done);
      },
      close: line.close,
    };
  });

  /** These servers report errors with status 200. */
  function good<T>(path: string, reply: T): Exclude<T, { error: string }> {
    if (typeof reply === "object" && reply !== null && "error" in reply)
      throw new EnvError(`POST ${options.url}${path}: ${String(reply.error)}`);
    return reply as Exclude<T, { error: string }>;
  }
}

/** A source for servers that say nothing of tasks: one task, seeds in a row. */
function foreignSource(options: HttpOptions, maxWorlds: number, open: () => Promise<Environment>): EnvironmentSource {
  const { deterministic, returnRange, tasks: [task = "episode"] = [], starts: counts } = options;
  const all = counts.train + counts.dev + counts.test;
  const requireStart = (name: string, seed = 0): void => {
    if (name !== task)
      throw new EnvError(`http: there is no task ${JSON.stringify(name.slice(0, 80))}; the task is ${task}`);
    if (!Number.isInteger(seed) || seed < 0 || seed >= all)
      throw new EnvError(`http: there is no variation ${seed}; they are 0 to ${all - 1} (option starts)`);
  };
  const first: Record<EnvSplit, number> = { train: 0, dev: counts.train, test: counts.train + counts.dev };
  const worlds = worldSet();
  return {
    ...{ name: "http", version: versionOf(options), deterministic, returnRange, maxWorlds, tasks: [task] },
    async starts(split, names = [task]): Promise<EpisodeStart[]> {
      for (const name of names) requireStart(name);
      if (names.length === 0) return [];
      return Array.from({ length: counts[split] }, (_, index) => ({ task, seed: first[split] + index }));
    },
    async open() {
      const world = await open();
      const reset = async (start: EpisodeStart): Promise<EnvReset> => {
        requireStart(start.task, start.seed);
        return world.reset(start);
      };
      return worlds.add({ ...world, reset });
    },
    close: () => worlds.close(),
  };
}

/** Adds up rewards, and keeps the end: such servers need not bear a step after it. */
function scoring({ successReturn }: HttpOptions): {
  readonly last: EnvStep | null;
  reset(): void;
  step(observation: string, reward: number, done: boolean): EnvStep;
  after(): EnvStep;
} {
  let sum = 0;
  let last: EnvStep | null = null;
  return {
    get last() {
      return last;
    },
    reset() {
      sum = 0;
      last = null;
    },
    step(observation, reward, done) {
      sum += reward;
      const step = { observation, reward, done, success: done && sum >= successReturn - 1e-9, valid: null };
      if (done) last = step;
      return step;
    },
    after: () => ({ ...last!, reward: 0, valid: false }),
  };
}

function observationText(observation: unknown, { observationField, url }: HttpOptions): string {
  if (typeof observation === "string") return observation;
  if (observationField === undefined) return JSON.stringify(observation ?? null);
  const text = (observation as Record<string, unknown> | null)?.[observationField];
  if (typeof text === "string") return text;
  const fields = Object.keys(observation ?? {}).join(", ") || "none";
  throw new EnvError(`${url}: the observation has no text ${observationField}; its fields: ${fields}`);
}
