import { z } from "zod";
import { ConfigError, DataError } from "../../utils/errors.ts";
import { EnvConfig, openSource } from "../envs/config.ts";
import { cutObservation } from "../envs/counterpart.ts";
import type { DialogueMessage } from "../types.ts";
import { PlayConfig, type PlayWatch, playEpisodes } from "./play-episodes.ts";
import { type RecordedEpisode, readRecordings } from "./recording.ts";
import type { DemonstrationDef, DemonstrationSet, EpisodeDemonstration } from "./types.ts";

const Options = PlayConfig.extend({
  env: EnvConfig.nullable()
    .default(null)
    .describe("environment in which the episodes are played when a run starts: a name and its options"),
  file: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "recordings instead (scripts/record-episodes.mjs), whole as they are but for `tasks`: playing was done there",
    ),
  turn: z
    .string()
    .includes("{action}", { error: "must contain {action}" })
    .default(" {action}")
    .describe("how the policy writes an action; the environment reads it without outer spaces"),
  maxObservation: z
    .int()
    .min(10)
    .default(4000)
    .describe("longest observation, characters; the rest is cut off as in rollout.episode"),
  learn: z
    .enum(["actions", "everything"])
    .default("actions")
    .describe(
      "everything: the whole transcript as a text, what the environment says too, so that a model that starts from nothing learns its words first",
    ),
  imitateMistakes: z
    .boolean()
    .default(true)
    .describe("mistakes train too, which makes a weak policy; false: they are only read, and what mends them trains"),
});
type Options = z.infer<typeof Options>;

/**
 * Whole episodes of an environment: its gold actions, some of them replaced by random ones. Only the actions train, not what the environment
 * says. Tasks are drawn uniformly, then one of their episodes.
 */
export const episodes: DemonstrationDef<typeof Options> = {
  name: "episodes",
  options: Options,
  open: async (options) => openEpisodes(await recordingsOf(options), options),
};

async function recordingsOf(options: Options): Promise<readonly RecordedEpisode[]> {
  const { env, file, tasks } = options;
  if (file === null) return playConfigured(options);
  if (env !== null) throw new ConfigError("demonstrations: episodes come from env or from file, got both");
  const recorded = await readRecordings(file);
  return tasks === null ? recorded : recorded.filter(({ task }) => tasks.includes(task));
}

/**
 * Opens the environment that the options name and plays in it.
 * @throws ConfigError when there is no such environment; EnvError when it breaks
 */
export async function playConfigured(options: Options, watch: PlayWatch = {}): Promise<RecordedEpisode[]> {
  if (options.env === null) throw new ConfigError("demonstrations: episodes come from env or from file, got neither");
  const source = await openSource(options.env);
  try {
    return await playEpisodes(source, options, watch);
  } finally {
    await source.close();
  }
}

function toDemonstration(
  { instruction, observation, turns }: RecordedEpisode,
  { learn, imitateMistakes, turn, maxObservation }: Options,
): EpisodeDemonstration {
  const seen = (text: string): DialogueMessage => ({
    ...{ role: "user", content: cutObservation(text, maxObservation), from: "environment" },
  });
  return {
    isText: learn === "everything",
    messages: [{ role: "user", content: instruction }, seen(observation)],
    turns: turns.map(({ action, mistake, observation: reply }) => ({
      text: turn.replace("{action}", () => action),
      isImitated: imitateMistakes || !mistake,
      replies: [seen(reply)],
    })),
  };
}

function openEpisodes(recorded: readonly RecordedEpisode[], options: Options): DemonstrationSet {
  const byTask = new Map<string, EpisodeDemonstration[]>();
  for (const episode of recorded) {
    const demonstration = toDemonstration(episode, options);
    if (!demonstration.turns.some(({ isImitated }) => isImitated)) continue;
    const others = byTask.get(episode.task);
    if (others) others.push(demonstration);
    else byTask.set(episode.task, [demonstration]);
  }
  if (byTask.size === 0)
    throw new DataError(
      "demonstrations: no episode is left to imitate; with keep: success only those that solve the task stay",
    );
  const tasks = [...byTask.values()];
  return { name: "episodes", hasEpisodes: true, draw: (rng) => rng.pick(rng.pick(tasks)) };
}
