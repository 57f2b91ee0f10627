import type { z } from "zod";
import { ConfigError, EnvError } from "../../../utils/errors.ts";
import { canonicalJson, sha256 } from "../../../utils/hash.ts";
import type { Json } from "../../types.ts";
import type { Environment, EnvironmentSource, EpisodeStart } from "../types.ts";
import { callServer, type HttpClientOptions } from "./client.ts";
import type { HttpOptions } from "./options.ts";
import { ActionsReply, EmptyReply, InfoReply, OpenReply, ResetReply, SnapshotReply, StepReply } from "./protocol.ts";

/** Longest wait for the goodbye to a world; the server forgets it anyway after a while, ms. */
const CLOSE_MS = 2000;

/** A server that speaks the protocol of docs/environments.md. @throws EnvError when it does not answer as agreed */
export async function openRlvr(options: HttpOptions): Promise<EnvironmentSource> {
  const info = await callServer(options, { path: "/info", reply: InfoReply, isRepeatable: true });
  const tasks = options.tasks ?? info.tasks;
  const requireTask = (task: string): void => {
    if (tasks.includes(task)) return;
    throw new EnvError(
      `http: ${options.url} has no task ${JSON.stringify(task.slice(0, 80))}; it has ${listed(tasks)}`,
    );
  };
  const unknown = tasks.find((task) => !info.tasks.includes(task));
  if (unknown !== undefined)
    throw new ConfigError(`http: ${options.url} has no task ${JSON.stringify(unknown)}; it has ${listed(info.tasks)}`);
  const worlds = worldSet();
  const { deterministic, returnRange, admissibleNote } = info;
  const limit = options.worlds ?? info.maxWorlds;
  return {
    ...{ name: "http", deterministic, returnRange, tasks },
    version: `${info.name} ${info.version}`,
    ...(limit === undefined ? {} : { maxWorlds: limit }),
    ...(admissibleNote === undefined ? {} : { admissibleNote }),
    async starts(split, chosen = tasks) {
      chosen.forEach(requireTask);
      return info.splits[split].filter(({ task }) => chosen.includes(task));
    },
    ...(info.features.goldActions
      ? { goldActions: async (start: EpisodeStart) => (await goldOf(options, { ...start })) ?? [] }
      : {}),
    open: async () => worlds.add(await openWorld(options, info, requireTask)),
    close: () => worlds.close(),
  };
}

async function openWorld(
  options: HttpOptions,
  { features }: InfoReply,
  requireTask: (task: string) => void,
): Promise<Environment> {
  const { id } = await callServer(options, { path: "/open", body: {}, reply: OpenReply, isRepeatable: false });
  const line = session(options, () =>
    callServer(
      { ...options, timeoutMs: Math.min(CLOSE_MS, options.timeoutMs), retries: 0 },
      { path: "/close", body: { id }, reply: EmptyReply, isRepeatable: true },
    ),
  );
  return {
    async reset({ task, seed }) {
      requireTask(task);
      return (await line.call("/reset", { id, task, seed }, ResetReply, true)) as Awaited<
        ReturnType<Environment["reset"]>
      >;
    },
    step: async (action) =>
      (await line.call("/step", { id, action }, StepReply, false)) as Awaited<ReturnType<Environment["step"]>>,
    ...(features.admissibleActions
      ? { admissibleActions: async () => (await line.call("/admissible", { id }, ActionsReply, true)).actions ?? [] }
      : {}),
    ...(features.snapshots
      ? {
          snapshot: async () => (await line.call("/snapshot", { id }, SnapshotReply, true)).snapshot as Json,
          restore: async (snapshot: Json) => void (await line.call("/restore", { id, snapshot }, EmptyReply, true)),
        }
      : {}),
    close: line.close,
  };
}

async function goldOf(options: HttpOptions, start: EpisodeStart): Promise<readonly string[] | null> {
  return (await callServer(options, { path: "/gold", body: start, reply: ActionsReply, isRepeatable: true })).actions;
}

/** The calls of one world: they end with it. */
export function session(
  options: HttpClientOptions,
  sayGoodbye: () => Promise<unknown>,
): {
  call<R>(path: string, body: unknown, reply: z.ZodType<R>, isRepeatable: boolean): Promise<R>;
  close(): Promise<void>;
} {
  const end = new AbortController();
  return {
    call(path, body, reply, isRepeatable) {
      if (end.signal.aborted) return Promise.reject(new EnvError(`POST ${options.url}${path}: the world is closed`));
      return callServer(options, { path, body, reply, isRepeatable, signal: end.signal });
    },
    async close() {
      if (end.signal.aborted) return;
      end.abort();
      await sayGoodbye().catch(() => {}); // a server that is gone has closed it
    },
  };
}

/** The open worlds of a source. */
export function worldSet(): { add(world: Environment): Environment; close(): Promise<void> } {
  const open = new Set<Environment>();
  return {
    add(world) {
      const close = async (): Promise<void> => {
        open.delete(counted);
        await world.close();
      };
      const counted: Environment = { ...world, close };
      open.add(counted);
      return counted;
    },
    async close() {
      await Promise.all([...open].map((world) => world.close()));
    },
  };
}

/** Version of a server that tells none: what is known of it. */
export function versionOf(options: HttpOptions): string {
  const { timeoutMs, retries, worlds, ...rest } = options;
  return `${options.protocol}-${sha256(canonicalJson(rest)).slice(0, 12)}`;
}

function listed(tasks: readonly string[]): string {
  return tasks.slice(0, 20).join(", ") + (tasks.length > 20 ? ` and ${tasks.length - 20} more` : "");
}
