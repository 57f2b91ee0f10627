import { EnvError } from "../../utils/errors.ts";
import type { Rng } from "../../utils/rng.ts";
import type { Environment, EnvironmentSource, EnvStep, EpisodeStart } from "../envs/index.ts";
import type { RecordedEpisode, RecordedTurn } from "./recording.ts";

/** How gold episodes are played. */
export interface PlayOptions {
  /** Chance that an action is a random admissible one instead of the gold one. */
  readonly noise: number;
  /** Share of the mistakes that were admissible at the start or at an earlier mistake and are not now: the world does not understand them. */
  readonly stale: number;
  /** An episode that is not over after so many actions ends there. */
  readonly maxActions: number;
}

/**
 * Plays the gold actions of a start, some of them replaced by random admissible actions. After such a mistake a world that can solve from any state
 * is asked again for what is best now; the gold path of any other goes on where it was, and may fail: the recording says whether it did.
 * The episode ends with success, at the world's own end, when there is no path any more, or after `maxActions`.
 * @throws EnvError when the source knows no gold actions, or with noise no admissible ones
 */
export async function playEpisode(
  source: EnvironmentSource,
  world: Environment,
  start: EpisodeStart,
  options: PlayOptions,
  rng: Rng,
): Promise<RecordedEpisode> {
  const { instruction, observation } = await world.reset(start);
  let path = await firstPath(source, world, start);
  const turns: RecordedTurn[] = [];
  const earlier = new Set(options.stale > 0 ? await world.admissibleActions?.() : []);
  let success = false;
  while (path.length > 0 && turns.length < options.maxActions) {
    const isMistake = options.noise > 0 && rng.uniform() < options.noise;
    const action: string = isMistake ? await mistake(source, world, { earlier, stale: options.stale }, rng) : path[0]!;
    const step = await world.step(action);
    turns.push(recordTurn(action, isMistake, step));
    success = step.success;
    if (step.done || success) break;
    path = isMistake ? await pathAfterMistake(world, path) : path.slice(1);
  }
  const { name: env, version } = source;
  return { env, version, task: start.task, seed: start.seed, instruction, observation, turns, success };
}

async function firstPath(
  source: EnvironmentSource,
  world: Environment,
  start: EpisodeStart,
): Promise<readonly string[]> {
  if (source.goldActions) return source.goldActions(start);
  const path = await world.goldActions?.();
  if (path === undefined)
    throw new EnvError(`${source.name}: knows no gold actions, so that no episodes can be played`);
  return path ?? [];
}

async function pathAfterMistake(world: Environment, path: readonly string[]): Promise<readonly string[]> {
  if (!world.goldActions) return path;
  return (await world.goldActions()) ?? [];
}

/** A random action, now admissible or earlier; what is admissible now is noted. */
async function mistake(
  source: EnvironmentSource,
  world: Environment,
  { earlier, stale }: { earlier: Set<string>; stale: number },
  rng: Rng,
): Promise<string> {
  const actions = (await world.admissibleActions?.()) ?? [];
  if (actions.length === 0)
    throw new EnvError(`${source.name}: lists no admissible actions, which noise is drawn from; set noise: 0`);
  const old = [...earlier].filter((action) => !actions.includes(action));
  for (const action of actions) earlier.add(action);
  return old.length > 0 && rng.uniform() < stale ? rng.pick(old) : rng.pick(actions);
}

function recordTurn(action: string, isMistake: boolean, { observation, reward, valid }: EnvStep): RecordedTurn {
  return { action, mistake: isMistake, observation, reward, valid };
}
