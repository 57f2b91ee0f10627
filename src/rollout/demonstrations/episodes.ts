import { z } from "zod";
import { ConfigError, DataError } from "../../utils/errors.ts";
import { ENVIRONMENTS, type EnvironmentSource } from "../envs/index.ts";
import { PlayConfig, type PlayWatch, playEpisodes } from "./play-episodes.ts";
import { type RecordedEpisode, readRecordings } from "./recording.ts";
import type { DemonstrationDef, DemonstrationSet, EpisodeDemonstration } from "./types.ts";

const Options = PlayConfig.extend({
  env: z
    .looseObject({ name: z.string().min(1) })
    .nullable()
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
  const source = await openEnvironment(options.env);
  try {
    return await playEpisodes(source, options, watch);
  } finally {
    await source.close();
  }
}

function toDemonstration(
  { instruction, observation, turns }: RecordedEpisode,
  { imitateMistakes, turn }: Options,
): EpisodeDemonstration {
  return {
    messages: [
      { role: "user", content: instruction },
      { role: "user", content: observation, from: "environment" },
    ],
    turns: turns.map(({ action, mistake, observation: reply }) => ({
      text: turn.replace("{action}", () => action),
      isImitated: imitateMistakes || !mistake,
      replies: [{ role: "user", content: reply, from: "environment" }],
    })),
  };
}

async function openEnvironment({ name, ...options }: { readonly name: string }): Promise<EnvironmentSource> {
  const def = ENVIRONMENTS.find((candidate) => candidate.name === name);
  if (!def) {
    const names = ENVIRONMENTS.map((candidate) => candidate.name).join(", ");
    throw new ConfigError(
      `demonstrations: env.name: there is no environment ${JSON.stringify(name)}; there are ${names || "none"}`,
    );
  }
  const parsed = def.options.safeParse(options);
  if (!parsed.success) throw new ConfigError(`demonstrations: env ${name}\n${z.prettifyError(parsed.error)}`);
  return def.open(parsed.data);
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
