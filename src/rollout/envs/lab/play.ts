import { createRng, EnvError } from "../../../utils/index.ts";
import type { EnvReset, EnvStep, EpisodeStart } from "../types.ts";
import { ACTIONS, type Verb } from "./actions.ts";
import type { Size } from "./build.ts";
import { settleCircuits } from "./circuits.ts";
import { tick } from "./clock.ts";
import { parse } from "./parse.ts";
import type { Goal, LabTask } from "./tasks/index.ts";
import { describeRoom } from "./text.ts";
import { combinationOf, variationCount } from "./variations.ts";
import { isReachable, nameOf, type World } from "./world.ts";

/** An episode of the lab in play. */
export interface Play {
  readonly start: EpisodeStart;
  readonly world: World;
  readonly goal: Goal;
  readonly reward: "sparse" | "shaped";
}

/** What is answered to words that are no action. */
export const UNKNOWN_ACTION = "No known action matches that input.";

/** @throws EnvError when the variation does not exist */
export function startPlay(task: LabTask, seed: number, size: Size, reward: Play["reward"]): Play {
  const count = variationCount(task);
  if (!Number.isInteger(seed) || seed < 0 || seed >= count) {
    throw new EnvError(`lab: task ${task.name} has variations 0 to ${count - 1}, got ${seed}`);
  }
  const rng = createRng("lab").fork(task.name, seed);
  return { start: { task: task.name, seed }, ...task.build(rng, size, combinationOf(task, seed)), reward };
}

/** What the agent sees first. */
export function firstSight(play: Play): EnvReset {
  return { instruction: play.goal.instruction, observation: describeRoom(play.world), state: stateKey(play) };
}

/** Acts; whatever text comes, it is answered. */
export function act(play: Play, text: string): EnvStep {
  const { world } = play;
  if (world.end !== "") return answer(play, "the task is over.", 0, false);
  const command = parse(world, text);
  if (command === null) return answer(play, UNKNOWN_ACTION, 0, false);
  const { verb, a, b } = command;
  const refusal = ACTIONS[verb].refusal(world, a, b);
  if (refusal !== null) return answer(play, refusal, 0, false);
  if (verb === "focus" && !play.goal.mayFocus(world, a)) {
    world.focus = a;
    world.end = "failure";
    return answer(play, `the ${nameOf(world, a)} is the wrong choice. you failed.`, 0, true);
  }
  const earned = world.earned;
  let observation = ACTIONS[verb].apply(world, a, b) + settleCircuits(world);
  noteProgress(play);
  observation += pass(play, verb);
  if ((world.end as World["end"]) === "success") observation += " well done.";
  return answer(play, observation, rewardSince(play, earned), true);
}

/** Lets the time of an action pass; it stops when the task is solved. */
function pass(play: Play, verb: Verb): string {
  const { world } = play;
  const before = verb === "wait" ? warmest(world) : -1;
  const degrees = before < 0 ? 0 : world.temp[before]!;
  let noticed = "";
  for (let ticks = ACTIONS[verb].ticks; ticks > 0 && world.end === ""; ticks--) {
    noticed += tick(world);
    noteProgress(play);
  }
  if (noticed !== "" || before < 0 || world.temp[before] === degrees) return noticed;
  return ` the ${nameOf(world, before)} gets ${world.temp[before]! > degrees ? "warmer" : "colder"}.`;
}

/** The substance in focus, if the agent sees it: its temperature is noticed while waiting. */
function warmest(world: World): number {
  return world.focus >= 0 && world.things[world.focus]!.kind === "substance" && isReachable(world, world.focus)
    ? world.focus
    : -1;
}

function noteProgress({ goal, world }: Play): void {
  goal.subgoals.forEach((isReached, index) => {
    if ((world.earned & (1 << index)) === 0 && isReached(world)) world.earned |= 1 << index;
  });
  if (goal.isSolved(world)) world.end = "success";
}

/** Sparse: 1 at success. Shaped: equal shares for the subgoals and success, which brings all that is left to 1. */
function rewardSince({ goal, world, reward }: Play, before: number): number {
  if (reward === "sparse") return world.end === "success" ? 1 : 0;
  const shares = goal.subgoals.length + 1;
  const now = world.end === "success" ? shares : bits(world.earned);
  return (now - bits(before)) / shares;
}

function bits(mask: number): number {
  let count = 0;
  for (let rest = mask; rest > 0; rest &= rest - 1) count++;
  return count;
}

function answer(play: Play, observation: string, reward: number, valid: boolean): EnvStep {
  const { end } = play.world;
  return { observation, reward, done: end !== "", success: end === "success", valid, state: stateKey(play) };
}

/** Equal for equal worlds: all columns, with the two ends of a part in rising order. */
export function stateKey({ start, world }: Play): string {
  const { parent, open, on, temp, age, endA, endB, focus, measured, earned, end } = world;
  let key = `${start.task}/${start.seed}/${focus}/${measured}/${earned}/${end}`;
  for (let id = 0; id < parent.length; id++) {
    const [low, high] = endA[id]! < endB[id]! ? [endA[id]!, endB[id]!] : [endB[id]!, endA[id]!];
    key += `;${parent[id]},${open[id]},${on[id]},${temp[id]},${age[id]}`;
    if (high >= 0) key += `,${low},${high}`;
  }
  return key;
}

/** Actions that solve the task from here; null when there is no way. @param limit more actions than any way has */
export function goldFrom(play: Play, limit = 100): string[] | null {
  const { world } = play;
  const copy: Play = { ...play, world: copyWorld(world) };
  const actions: string[] = [];
  while (copy.world.end === "" && actions.length < limit) {
    const action = play.goal.next(copy.world);
    if (action === null || act(copy, action).valid !== true) return null;
    actions.push(action);
  }
  return (copy.world.end as World["end"]) === "success" ? actions : null;
}

function copyWorld(world: World): World {
  const { parent, open, on, temp, age, endA, endB } = world;
  return {
    ...world,
    ...{ parent: [...parent], open: [...open], on: [...on], temp: [...temp], age: [...age] },
    ...{ endA: [...endA], endB: [...endB] },
  };
}
