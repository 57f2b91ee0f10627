import { messageOf } from "../../../utils/errors.ts";
import type { Rng } from "../../../utils/rng.ts";
import type { Environment, EnvironmentSource, EnvReset, EnvStep, EpisodeStart } from "../types.ts";

/** What one reset and a list of actions led to. */
export interface Recording {
  readonly start: EpisodeStart;
  readonly reset: EnvReset;
  readonly actions: readonly string[];
  readonly steps: readonly EnvStep[];
}

/** A contract that is broken; the message is the evidence. */
export class Breach extends Error {}

/** Throws a {@link Breach} unless something holds. */
export function demand(holds: boolean, evidence: () => string): asserts holds {
  if (!holds) throw new Breach(evidence());
}

/** What was seen over all checks. */
export interface Sightings {
  episodes: number;
  whole: number;
  steps: number;
  low: number;
  high: number;
  /** First thing that was wrong with a reward, a flag or a return. */
  problem: string | null;
}

/** The source under test, at most two worlds of it, and a record of every reward. */
export class Bench {
  readonly source: EnvironmentSource;
  readonly starts: readonly EpisodeStart[];
  readonly maxSteps: number;
  readonly seen: Sightings = { episodes: 0, whole: 0, steps: 0, low: Infinity, high: -Infinity, problem: null };
  /** Actions that were given as admissible and not understood. */
  readonly refused: string[] = [];
  offered = 0;
  readonly #callMs: number;
  readonly #worlds: Environment[] = [];

  constructor(source: EnvironmentSource, starts: readonly EpisodeStart[], maxSteps: number, callMs: number) {
    this.source = source;
    this.starts = starts;
    this.maxSteps = maxSteps;
    this.#callMs = callMs;
  }

  /** Whether a second world may be open beside the first. */
  get hasTwo(): boolean {
    return (this.source.maxWorlds ?? 2) >= 2;
  }

  /** The first or the second world; opened when it is needed. */
  async world(index: 0 | 1 = 0): Promise<Environment> {
    while (this.#worlds.length <= index) this.#worlds.push(await this.call("open()", this.source.open()));
    return this.#worlds[index]!;
  }

  /** Closes the worlds, which may be broken; the next check gets new ones. */
  async renew(): Promise<void> {
    for (const world of this.#worlds.splice(0)) await this.call("close()", world.close()).catch(() => {});
  }

  /** Waits for a call, but not for ever. */
  async call<T>(what: string, work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Breach(`${what} did not end within ${this.#callMs} ms`)), this.#callMs);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async reset(world: Environment, start: EpisodeStart): Promise<EnvReset> {
    return await this.call(`reset(${shown(start)})`, world.reset(start));
  }

  /** One action; what comes back is looked at. */
  async step(world: Environment, action: string): Promise<EnvStep> {
    let step: EnvStep;
    try {
      step = await this.call(`step(${shown(action)})`, world.step(action));
    } catch (error) {
      if (error instanceof Breach) throw error;
      throw new Breach(`step(${shown(action)}) threw ${named(error)}`);
    }
    this.seen.steps++;
    const bad = stepProblem(step);
    if (bad) this.seen.problem ??= `step(${shown(action)}) returned ${bad}`;
    demand(typeof step?.observation === "string", () => `step(${shown(action)}) returned ${bad}`);
    return step;
  }

  /** Plays given actions from a start, to their end or that of the episode. */
  async play(world: Environment, start: EpisodeStart, actions: readonly string[]): Promise<Recording> {
    const reset = await this.reset(world, start);
    return this.#ended({ start, reset, ...(await this.follow(world, actions)) });
  }

  /** Plays given actions from where the world is. */
  async follow(world: Environment, actions: readonly string[]): Promise<{ actions: string[]; steps: EnvStep[] }> {
    const steps: EnvStep[] = [];
    for (const action of actions) {
      if (steps.at(-1)?.done) break;
      steps.push(await this.step(world, action));
    }
    return { actions: actions.slice(0, steps.length), steps };
  }

  /** Plays at random: admissible actions where the environment knows them, else gold ones and some texts. */
  async wander(world: Environment, start: EpisodeStart, rng: Rng): Promise<Recording> {
    const reset = await this.reset(world, start);
    const gold = world.admissibleActions ? [] : ((await this.source.goldActions?.(start)) ?? []); // may be slow to find
    const known = [...gold, ...TEXTS];
    const actions: string[] = [];
    const steps: EnvStep[] = [];
    while (actions.length < this.maxSteps && !steps.at(-1)?.done) {
      const offers = world.admissibleActions && (await this.call("admissibleActions()", world.admissibleActions()));
      const action = rng.pick(offers && offers.length > 0 ? offers : known);
      const step = await this.step(world, action);
      if (offers && offers.length > 0) this.offered++;
      if (offers && offers.length > 0 && step.valid === false) this.refused.push(action);
      actions.push(action);
      steps.push(step);
    }
    return this.#ended({ start, reset, actions, steps });
  }

  /** Counts an episode, and looks at its return when it is whole. */
  #ended(recording: Recording): Recording {
    const { steps, start } = recording;
    this.seen.episodes++;
    const lost = steps.findIndex(({ success }, turn) => !success && steps[turn - 1]?.success === true);
    if (lost >= 0)
      this.seen.problem ??= `${shown(start)}: success was true after action ${lost} and false after the next`;
    if (!steps.at(-1)?.done) return recording;
    const total = steps.reduce((sum, { reward }) => sum + reward, 0);
    const [low, high] = this.source.returnRange;
    const slack = 1e-6 * Math.max(1, Math.abs(low), Math.abs(high)); // sums of parts such as 1/3
    if (!(total >= low - slack && total <= high + slack))
      this.seen.problem ??= `${shown(start)}: the return ${total} is outside of returnRange [${low}, ${high}]; actions ${shown(recording.actions)}`;
    this.seen.whole++;
    this.seen.low = Math.min(this.seen.low, total);
    this.seen.high = Math.max(this.seen.high, total);
    return recording;
  }
}

/** Texts for environments that name no actions. */
const TEXTS = ["look", "look around", "inventory", "help", "wait", "1", "7", "3 + 4", "north"] as const;

function stepProblem(step: EnvStep): string | null {
  if (typeof step?.observation !== "string")
    return `${shown(step)} instead of {observation, reward, done, success, valid}`;
  if (!Number.isFinite(step.reward)) return `the reward ${step.reward}; it must be a finite number`;
  if (typeof step.done !== "boolean") return `done ${shown(step.done)}; it must be true or false`;
  if (typeof step.success !== "boolean") return `success ${shown(step.success)}; it must be true or false`;
  if (step.valid !== null && typeof step.valid !== "boolean")
    return `valid ${shown(step.valid)}; it must be true, false or null`;
  return null;
}

/** The first thing in which two recordings of the same actions differ; null when they are equal. */
export function difference(a: Recording, b: Recording): string | null {
  const before = resetDifference(a.reset, b.reset);
  return before ? `${shown(a.start)}: ${before}` : stepsDifference(a, b, a.start);
}

/** The first field in which two resets differ. */
export function resetDifference(a: EnvReset, b: EnvReset): string | null {
  for (const field of ["instruction", "observation", "state"] as const)
    if (a[field] !== b[field]) return `${field} of reset is ${shown(a[field])} and then ${shown(b[field])}`;
  return null;
}

/** The first step and field in which two lists of steps differ. */
export function stepsDifference(
  a: Pick<Recording, "actions" | "steps">,
  b: Pick<Recording, "actions" | "steps">,
  start: EpisodeStart,
): string | null {
  for (let turn = 0; turn < Math.max(a.steps.length, b.steps.length); turn++) {
    const [one, other] = [a.steps[turn], b.steps[turn]];
    const where = `${shown(start)}, action ${turn + 1} ${shown(a.actions[turn] ?? b.actions[turn])}`;
    if (!one || !other) return `${where}: the episode had ended in one of two plays`;
    for (const field of ["observation", "reward", "done", "success", "valid", "state"] as const)
      if (!Object.is(one[field], other[field]))
        return `${where}: ${field} is ${shown(one[field])} and then ${shown(other[field])}`;
  }
  return null;
}

/** A value on one line, cut. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 160 ? text : `${text.slice(0, 160)}… (${text.length} characters)`;
}

/** Kind and message of anything thrown. */
export function named(error: unknown): string {
  const kind = error instanceof Error ? error.name : typeof error;
  return `${kind}: ${shown(messageOf(error))}`;
}
