import { EnvError, messageOf } from "../../utils/errors.ts";
import type { Counterpart, CounterpartReply, CounterpartStart } from "../counterpart.ts";
import type { DialogueMessage } from "../types.ts";
import type { EnvPool } from "./pool.ts";
import type { Environment, EnvReset, EnvStep, EpisodeStart } from "./types.ts";

/** How an agent meets an environment. */
export interface EnvCounterpartOptions {
  readonly pool: EnvPool;
  readonly start: EpisodeStart;
  /** Adds the admissible actions to every observation, where the environment knows them. */
  readonly showActions: boolean;
  /** Longest observation, characters; the rest is cut off. */
  readonly maxObservation: number;
}

/** Longest action that is passed on; far above what any environment understands. */
const MAX_ACTION = 1000;

/** The other side of an episode: one world of a pool, taken for its length. A world that breaks is replaced, and its episode ends as an error. */
export function envCounterpart({ pool, start, showActions, maxObservation }: EnvCounterpartOptions): Counterpart {
  let world: Environment | null = null;
  let isBusy = false;
  let isFinished = false;
  const call = async <T>(work: (world: Environment) => Promise<T>): Promise<T> => {
    if (!world) throw new EnvError(`${pool.source.name}: no episode is open`);
    isBusy = true;
    const result = await work(world);
    isBusy = false; // not after an error: such a world is not used again
    return result;
  };
  const seen = async (observation: string): Promise<DialogueMessage> => {
    const actions = showActions ? await call(async (open) => (await open.admissibleActions?.()) ?? []) : [];
    const more = actions.length > 0 ? `\nPossible actions: ${actions.join("; ")}` : "";
    return { role: "user", content: cutObservation(observation, maxObservation) + more, from: "environment" };
  };
  return {
    async start(): Promise<CounterpartStart> {
      const own = await pool.acquire();
      if (isFinished) {
        pool.release(own);
        throw new EnvError(`${pool.source.name}: the episode was over before it had a world`);
      }
      world = own;
      const clock = performance.now();
      const { instruction, observation, state } = await call(async (open) =>
        checkReset(await open.reset(start), pool.source.name),
      );
      return {
        messages: [{ role: "user", content: instruction }, await seen(observation)],
        state: state ?? observation,
        ms: performance.now() - clock,
      };
    },
    async reply({ text }): Promise<CounterpartReply> {
      const action = readAction(text);
      const clock = performance.now();
      const step = await call(async (open) => checkStep(await open.step(action), pool.source.name));
      const { observation, reward, done, success, valid, state, info = {} } = step;
      return {
        messages: done ? [] : [await seen(observation)],
        ...{ done, success, reward, valid, info },
        action: action === "" ? null : action,
        observation: cutObservation(observation, maxObservation),
        state: state ?? observation,
        ms: performance.now() - clock,
      };
    },
    async finish(): Promise<void> {
      isFinished = true;
      if (!world) return;
      if (isBusy) pool.discard(world);
      else pool.release(world);
      world = null;
    },
  };
}

/**
 * The action of a turn: what stands in the last `<action>` tag, else behind the last "Action:", else the last line that is not empty. Blanks and
 * control characters become single spaces.
 */
export function readAction(text: string): string {
  const spoken = text.slice(text.lastIndexOf("</think>") + 1 && text.lastIndexOf("</think>") + "</think>".length);
  const tagged = [...spoken.matchAll(/<action>([\s\S]*?)<\/action>/g)].at(-1)?.[1];
  const named = [...spoken.matchAll(/^\s*Action:(.*)$/gim)].at(-1)?.[1];
  const line = spoken.trim().split("\n").at(-1) ?? "";
  return (tagged ?? named ?? line)
    .replace(/[\s\p{Cc}\u2028\u2029]+/gu, " ")
    .trim()
    .slice(0, MAX_ACTION);
}

/** The start of a text that is too long, with a mark. */
export function cutObservation(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)} …`;
}

function checkReset(reset: EnvReset, name: string): EnvReset {
  if (typeof reset?.observation === "string" && typeof reset.instruction === "string") return reset;
  throw new EnvError(`${name}: reset returned ${shown(reset)}, expected {instruction, observation} texts`);
}

function checkStep(step: EnvStep, name: string): EnvStep {
  if (typeof step?.observation !== "string")
    throw new EnvError(`${name}: step returned ${shown(step)}, expected {observation, reward, done, success, valid}`);
  if (!Number.isFinite(step.reward))
    throw new EnvError(`${name}: step returned the reward ${step.reward}, expected a finite number`);
  if (typeof step.done !== "boolean" || typeof step.success !== "boolean")
    throw new EnvError(`${name}: step returned done ${step.done} and success ${step.success}, expected true or false`);
  if (step.valid !== null && typeof step.valid !== "boolean")
    throw new EnvError(`${name}: step returned valid ${String(step.valid)}, expected true, false or null`);
  return step;
}

function shown(value: unknown): string {
  try {
    return JSON.stringify(value)?.slice(0, 200) ?? String(value);
  } catch (error) {
    return `something that is no JSON (${messageOf(error)})`;
  }
}
