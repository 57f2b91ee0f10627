import { z } from "zod";
import { createRng, type Rng } from "../../utils/rng.ts";
import type { EnvironmentSource, EpisodeStart } from "../envs/index.ts";
import { playEpisode } from "./play-episode.ts";
import type { RecordedEpisode } from "./recording.ts";

/** Which episodes are played, and how. */
export const PlayConfig = z.strictObject({
  split: z.enum(["train", "dev", "test"]).default("train").describe("where the initial states come from"),
  tasks: z.array(z.string().min(1)).min(1).nullable().default(null).describe("names of tasks; null: all"),
  limit: z.int().min(1).nullable().default(null).describe("initial states per task, drawn at random; null: all"),
  repeat: z.int().min(1).default(1).describe("episodes from each initial state; they differ in their mistakes"),
  noise: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe("chance that an action is a random admissible one, not the gold one"),
  stale: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      "share of the mistakes that were admissible at the start or at an earlier mistake, not now: what the world doesn't understand",
    ),
  maxActions: z.int().min(1).default(50).describe("an episode that is not over by then is cut"),
  keep: z.enum(["success", "all"]).default("success").describe("which episodes stay"),
  seed: z.int().min(0).default(1).describe("what is drawn and where mistakes are made follows from it"),
});
export type PlayConfig = z.infer<typeof PlayConfig>;

/** How playing is shared out and watched. */
export interface PlayWatch {
  /** Worlds that play at the same time; default 1. */
  readonly worlds?: number;
  /** Told about each episode as it ends, whether it stays or not. */
  readonly onEpisode?: (episode: RecordedEpisode) => void;
}

/**
 * Plays episodes in as many worlds as given, one after the other in each. What is played depends on the configuration alone.
 * @returns episodes that stay, in the order of their starts
 * @throws EnvError when a world breaks or knows no gold actions
 */
export async function playEpisodes(
  source: EnvironmentSource,
  config: PlayConfig,
  { worlds = 1, onEpisode }: PlayWatch = {},
): Promise<RecordedEpisode[]> {
  const rng = createRng(config.seed);
  const starts = await chooseStarts(source, config, rng);
  const solver = rememberPaths(source);
  const played: RecordedEpisode[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    const world = await source.open();
    try {
      for (let i = next++; i < starts.length; i = next++) {
        const episode = await playEpisode(solver, world, starts[i]!, config, rng.fork("episode", i));
        played[i] = episode;
        onEpisode?.(episode);
      }
    } finally {
      next = starts.length; // where one world broke, the others stop too
      await world.close();
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(worlds, starts.length) }, work));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return played.filter(({ success, turns }) => turns.length > 0 && (success || config.keep === "all"));
}

/** Gold paths may be slow to find: each is asked for once, however often its start is played. */
function rememberPaths(source: EnvironmentSource): EnvironmentSource {
  if (!source.goldActions) return source;
  const paths = new Map<string, Promise<readonly string[]>>();
  const goldActions = (start: EpisodeStart): Promise<readonly string[]> => {
    const key = `${start.task} ${start.seed}`;
    const path = paths.get(key) ?? source.goldActions!(start);
    paths.set(key, path);
    return path;
  };
  return { ...source, goldActions };
}

async function chooseStarts(source: EnvironmentSource, config: PlayConfig, rng: Rng): Promise<EpisodeStart[]> {
  const chosen: EpisodeStart[] = [];
  for (const task of config.tasks ?? source.tasks) {
    const all = await source.starts(config.split, [task]);
    const some = config.limit === null ? all : rng.fork("starts", task).shuffle(all).slice(0, config.limit);
    for (let round = 0; round < config.repeat; round++) chosen.push(...some);
  }
  return chosen;
}
