import type { z } from "zod";
import type { Json } from "../types.ts";

/** One initial state of an environment. The same (task, seed) is the same state, so that the members of a group start alike. */
export interface EpisodeStart {
  /** A name of {@link EnvironmentSource.tasks}. */
  readonly task: string;
  /** Variation of the task. */
  readonly seed: number;
}

/** What an agent sees first. */
export interface EnvReset {
  /** What is to be done, in words. */
  readonly instruction: string;
  readonly observation: string;
  /** Names the state for methods that compare turns which start from equal states (GiGPO); absent: the observation does. */
  readonly state?: string;
  readonly info?: Readonly<Record<string, Json>>;
}

/** What one action did. */
export interface EnvStep {
  readonly observation: string;
  /** Of this step alone; finite. The rewards of an episode add up to its return. */
  readonly reward: number;
  /** The environment ended the episode; limits of turns or tokens are the rollout's and are not told here. */
  readonly done: boolean;
  /** The task is solved. Stays true once it was. */
  readonly success: boolean;
  /** Whether the environment understood the action; null when it can't tell. */
  readonly valid: boolean | null;
  readonly state?: string;
  /** Numbers and texts for metrics and people: `score`, `moves`, … */
  readonly info?: Readonly<Record<string, Json>>;
}

/** One world that one agent acts in. Calls follow one another; a world is reused by `reset`. */
export interface Environment {
  /** False once the world is known to be broken, such as when its process has died. Absent: not known before a call fails. */
  readonly isAlive?: boolean;
  /**
   * Starts an episode, whatever happened before.
   * @throws EnvError when the task or the variation does not exist, or the world is broken
   */
  reset(start: EpisodeStart): Promise<EnvReset>;
  /**
   * Acts. Whatever text comes, the world answers; a text that it does not understand changes nothing and has `valid: false`.
   * @throws EnvError when the world is broken (died, hangs, answers nonsense): it is closed and replaced then
   */
  step(action: string): Promise<EnvStep>;
  /** Actions that would be understood now, sorted. May be slow: called only where a recipe shows them. */
  admissibleActions?(): Promise<readonly string[]>;
  /** Actions that solve the task from the state that there is now; null when it can't be solved any more. Absent: paths are known from the start only. */
  goldActions?(): Promise<readonly string[] | null>;
  /** The state as a value; `restore` of it, in this or another world of the source, goes on as from here. */
  snapshot?(): Promise<Json>;
  restore?(snapshot: Json): Promise<void>;
  /** Frees everything, also in the middle of a call. */
  close(): Promise<void>;
}

/** Which episodes a recipe trains or tests on. */
export type EnvSplit = "train" | "dev" | "test";

/** An opened kind of environment: what there is to play, and worlds to play in. */
export interface EnvironmentSource {
  /** Name of the kind, as in the recipe. */
  readonly name: string;
  /** Changes when the same actions may lead elsewhere: version of a simulator, hash of options. */
  readonly version: string;
  /** Whether the same (task, seed, actions) give the same observations and rewards. */
  readonly deterministic: boolean;
  /** Returns of whole episodes lie in [low, high]. */
  readonly returnRange: readonly [low: number, high: number];
  /** Why `admissibleActions` may hold some that are not understood, where another program makes the list; absent: all of them are. */
  readonly admissibleNote?: string;
  /** Worlds that may be open at once; absent: any number. */
  readonly maxWorlds?: number;
  /** Names of all tasks. */
  readonly tasks: readonly string[];
  /** Initial states of a split, in a fixed order; splits share none. @param tasks all when absent @throws EnvError for a task that does not exist */
  starts(split: EnvSplit, tasks?: readonly string[]): Promise<readonly EpisodeStart[]>;
  /** Actions that solve a start, where the environment knows them. */
  goldActions?(start: EpisodeStart): Promise<readonly string[]>;
  /** A new world. @throws EnvError when it can't be started, naming what is missing and what brings it */
  open(): Promise<Environment>;
  /** Closes every world that is still open. */
  close(): Promise<void>;
}

/** A kind of environment: its options (one strict schema) and how to open it. */
export interface EnvironmentDef<Options extends z.ZodType = z.ZodType> {
  readonly name: string;
  /** One sentence for `rlvr env list`. */
  readonly description: string;
  readonly options: Options;
  /** @throws ConfigError when something that it needs is missing: a JAR, Java, a server; with the command that brings it */
  open(options: z.output<Options>): Promise<EnvironmentSource>;
}
