import { z } from "zod";
import { EnvError } from "../../utils/errors.ts";
import { canonicalJson, sha256 } from "../../utils/hash.ts";
import { createRng } from "../../utils/rng.ts";
import {
  type CountdownPair,
  isHeldOut,
  type Operation,
  operationsOn,
  solvablePairs,
  visitTries,
} from "../tasks/countdown-steps.ts";
import type { Json } from "../types.ts";
import type {
  Environment,
  EnvironmentDef,
  EnvironmentSource,
  EnvReset,
  EnvSplit,
  EnvStep,
  EpisodeStart,
} from "./types.ts";

const TASK = "countdown";
/** Share of all pairs in the dev split. */
const DEV_SHARE = 0.05;
/** Changes with every change of the rules or texts. */
const RULES = 1;
/** Gives up. */
const GIVE_UP = "no";

const Options = z.strictObject({
  numbers: z.int().min(2).max(4).default(3).describe("how many numbers"),
  maxNumber: z.int().min(2).max(20).default(9).describe("numbers are from 1 to this"),
  maxTarget: z.int().min(1).max(999).default(99).describe("targets and all values on the way are at most this"),
  holdOut: z
    .number()
    .gt(0)
    .max(0.9)
    .default(0.15)
    .describe(
      "share of all (numbers, target) pairs in the test split; those of the task set countdown for the same share",
    ),
});
type Options = z.output<typeof Options>;

/**
 * Countdown in turns: every turn states one operation on two of the numbers left (`8*4=32`), or gives up (`no`). The world lists the numbers left and the
 * target (`2,32>16`), with ` no` before them when the operation is wrong and `?` when it is none. All its texts can be written in seedling's 28 symbols.
 */
export const countdownTurns: EnvironmentDef<typeof Options> = {
  name: "countdown-turns",
  description: "countdown with one operation a turn and feedback, embedded, for fast tests",
  options: Options,
  open: (options) => Promise.resolve(openCountdown(options)),
};

/** A problem in play. */
interface Play {
  readonly seed: number;
  readonly target: number;
  /** Numbers left, in rising order. */
  numbers: readonly number[];
  end: "" | "success" | "failure";
}

const Snapshot = z.strictObject({
  seed: z.int().min(0),
  numbers: z.array(z.int().min(0)).min(1),
  end: z.enum(["", "success", "failure"]),
});

function openCountdown(options: Options): EnvironmentSource {
  const { numbers, maxNumber, maxTarget } = options;
  const pairs = solvablePairs(numbers, maxNumber, maxTarget);
  const begin = ({ task, seed }: EpisodeStart): Play => {
    checkTask(task);
    const pair = pairs[seed];
    if (pair === undefined)
      throw new EnvError(`countdown-turns: task ${TASK} has variations 0 to ${pairs.length - 1}, got ${seed}`);
    return { seed, target: pair.target, numbers: pair.numbers, end: "" };
  };
  return {
    name: "countdown-turns",
    version: `${RULES}-${sha256(canonicalJson({ numbers, maxNumber, maxTarget })).slice(0, 12)}`,
    deterministic: true,
    returnRange: [0, 1],
    tasks: [TASK],
    starts: async (split, tasks = [TASK]) => {
      for (const task of tasks) checkTask(task);
      return tasks.length === 0 ? [] : startsOf(pairs, split, options.holdOut);
    },
    goldActions: async (start) => solve(begin(start), maxTarget) ?? [],
    open: async () => openWorld(begin, maxTarget),
    close: async () => {},
  };
}

function checkTask(task: string): void {
  if (task !== TASK)
    throw new EnvError(`countdown-turns: there is no task ${JSON.stringify(task.slice(0, 80))}; it has ${TASK} alone`);
}

/** In a fixed random order, so that the first of them are a fair sample. */
function startsOf(pairs: readonly CountdownPair[], split: EnvSplit, holdOut: number): EpisodeStart[] {
  const starts = pairs.flatMap((pair, seed) => (splitOf(pair, holdOut) === split ? [{ task: TASK, seed }] : []));
  return createRng("countdown-turns").fork(split).shuffle(starts);
}

function splitOf(pair: CountdownPair, holdOut: number): EnvSplit {
  if (isHeldOut(pair, holdOut)) return "test";
  return isHeldOut(pair, holdOut + DEV_SHARE) ? "dev" : "train";
}

function openWorld(begin: (start: EpisodeStart) => Play, limit: number): Environment {
  let play: Play | null = null;
  const playing = (call: string): Play => {
    if (play === null) throw new EnvError(`countdown-turns: ${call}() needs an episode; call reset() first`);
    return play;
  };
  return {
    reset: async (start) => {
      play = begin(start);
      return firstSight(play);
    },
    step: async (action) => act(playing("step"), action, limit),
    admissibleActions: async () => admissible(playing("admissibleActions"), limit),
    goldActions: async () => solve(playing("goldActions"), limit),
    snapshot: async () => {
      const { seed, numbers, end } = playing("snapshot");
      return { seed, numbers: [...numbers], end };
    },
    restore: async (snapshot) => {
      play = restored(snapshot, begin);
    },
    close: async () => {
      play = null;
    },
  };
}

/** The problem is its own instruction: words are not in seedling's vocabulary. */
function firstSight(play: Play): EnvReset {
  return { instruction: sight(play), observation: sight(play), state: stateOf(play) };
}

/** `2,32>16` */
function sight({ numbers, target }: Play): string {
  return `${numbers.join(",")}>${target}`;
}

function stateOf(play: Play): string {
  return `${play.seed}/${sight(play)}/${play.end}`;
}

function act(play: Play, text: string, limit: number): EnvStep {
  if (play.end !== "") return answer(play, "?", 0, false);
  const said = trim(text);
  if (said === GIVE_UP) {
    play.end = "failure";
    return answer(play, " no", 0, true);
  }
  const operation = read(said);
  if (operation === null) return answer(play, `?${sight(play)}`, 0, false);
  const rest = without(play.numbers, operation);
  const isRight =
    rest !== null && operationsOn(operation.left, operation.right, limit).some((one) => isSame(one, operation));
  if (!isRight) return answer(play, ` no${sight(play)}`, 0, false);
  play.numbers = [...rest, operation.value].sort((a, b) => a - b);
  if (play.numbers.length > 1) return answer(play, sight(play), 0, true);
  const isSolved = operation.value === play.target;
  play.end = isSolved ? "success" : "failure";
  return answer(play, `${sight(play)}${isSolved ? " yes" : " no"}`, isSolved ? 1 : 0, true);
}

function answer(play: Play, observation: string, reward: number, valid: boolean): EnvStep {
  return { observation, reward, done: play.end !== "", success: play.end === "success", valid, state: stateOf(play) };
}

/** Signs that end a turn, and the word with which seedling ends a right try, are no part of an action. */
function trim(text: string): string {
  return text.length > 40 ? text : text.trim().replace(/[,;]$/, "").replace(/ yes$/, "");
}

function read(text: string): Operation | null {
  const match = /^(\d{1,4})([-+*/])(\d{1,4})=(\d{1,4})$/.exec(text);
  if (match === null) return null;
  const [, left, sign, right, value] = match as unknown as [string, string, Operation["sign"], string, string];
  return { left: Number(left), sign, right: Number(right), value: Number(value) };
}

function isSame(one: Operation, other: Operation): boolean {
  return one.left === other.left && one.sign === other.sign && one.right === other.right && one.value === other.value;
}

/** What is left without the two numbers of an operation; null when they are not there. */
function without(numbers: readonly number[], { left, right }: Operation): readonly number[] | null {
  const rest = [...numbers];
  for (const used of [left, right]) {
    const at = rest.indexOf(used);
    if (at < 0) return null;
    rest.splice(at, 1);
  }
  return rest;
}

const written = ({ left, sign, right, value }: Operation): string => `${left}${sign}${right}=${value}`;

function admissible({ numbers, end }: Play, limit: number): string[] {
  if (end !== "") return [];
  const all = new Set([GIVE_UP]);
  numbers.forEach((a, i) => {
    for (const b of numbers.slice(i + 1)) for (const one of operationsOn(a, b, limit)) all.add(written(one));
  });
  return [...all].sort();
}

/** The first way from here; null when there is none. */
function solve({ numbers, target, end }: Play, limit: number): string[] | null {
  if (end !== "") return end === "success" ? [] : null;
  let way: string[] | null = null;
  visitTries(numbers, limit, (operations) => {
    if (way === null && operations.at(-1)?.value === target) way = operations.map(written);
  });
  return way;
}

function restored(snapshot: Json, begin: (start: EpisodeStart) => Play): Play {
  const parsed = Snapshot.safeParse(snapshot);
  if (!parsed.success)
    throw new EnvError(`countdown-turns: restore() got no snapshot of it: ${z.prettifyError(parsed.error)}`);
  const { seed, numbers, end } = parsed.data;
  return { ...begin({ task: TASK, seed }), numbers, end };
}
