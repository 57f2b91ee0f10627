import { createRng } from "../../../utils/rng.ts";
import {
  type Bench,
  Breach,
  demand,
  difference,
  type Recording,
  resetDifference,
  shown,
  stepsDifference,
} from "./bench.ts";

/** Random plays of all starts under test; they are played again by the checks. */
export async function record(bench: Bench, seed: number): Promise<Recording[]> {
  const world = await bench.world();
  const recordings: Recording[] = [];
  for (const [index, start] of bench.starts.entries())
    recordings.push(await bench.wander(world, start, createRng(seed).fork("wander", index)));
  return recordings;
}

/** Texts of a reset, and that it is the same after an episode, in the middle of one, and in a world that never played. */
export async function checkReset(bench: Bench, recordings: readonly Recording[]): Promise<string> {
  const { source } = bench;
  const world = await bench.world();
  for (const { start, actions } of recordings) {
    const fresh = await bench.reset(await bench.world(bench.hasTwo ? 1 : 0), start);
    for (const field of ["instruction", "observation"] as const)
      demand(
        typeof fresh?.[field] === "string" && fresh[field].trim() !== "",
        () => `${shown(start)}: ${field} of reset is ${shown(fresh?.[field])}; it must be a text`,
      );
    for (const count of [1, Math.ceil(actions.length / 2), actions.length]) {
      await bench.play(world, start, actions.slice(0, count));
      const changed = resetDifference(fresh, await bench.reset(world, start));
      demand(!source.deterministic || !changed, () => `${shown(start)}: ${changed}, after ${count} actions`);
    }
  }
  return `${recordings.length} starts, after 1, half and all actions of an episode`;
}

/** The same actions lead to the same in one world and in another, also while the other world plays something else. */
export async function checkDeterminism(bench: Bench, recordings: readonly Recording[]): Promise<string> {
  const differences: string[] = [];
  for (const [index, recording] of recordings.entries()) {
    const again = await bench.play(await bench.world(), recording.start, recording.actions);
    const found = [difference(recording, again)];
    if (bench.hasTwo) {
      found.push(difference(recording, await bench.play(await bench.world(1), recording.start, recording.actions)));
      found.push(await interleaved(bench, recording, recordings[(index + 1) % recordings.length]!));
    }
    differences.push(...found.filter((one) => one !== null));
  }
  const where = bench.hasTwo ? "in one world, in two, and side by side" : "in one world (a second may not be open)";
  const first = differences[0];
  if (first === undefined) return `${recordings.length} episodes played again ${where}: equal`;
  if (!bench.source.deterministic) return `note: the source says that it is not deterministic, and it is not: ${first}`;
  throw new Breach(first);
}

/** Plays one episode while a second world is in another. */
async function interleaved(bench: Bench, recording: Recording, other: Recording): Promise<string | null> {
  const [one, two] = [await bench.world(0), await bench.world(1)];
  const reset = await bench.reset(one, recording.start);
  await bench.reset(two, other.start);
  const steps = [];
  let isOtherOpen = true;
  for (const [turn, action] of recording.actions.entries()) {
    const theirs = other.actions[turn];
    if (isOtherOpen && theirs !== undefined) isOtherOpen = !(await bench.step(two, theirs)).done;
    steps.push(await bench.step(one, action));
    if (steps.at(-1)!.done) break;
  }
  const mine = { start: recording.start, reset, actions: recording.actions.slice(0, steps.length), steps };
  const found = difference(recording, mine);
  return found && `while another world plays: ${found}`;
}

/** What is offered as admissible is understood, or the source says why not all of it is. */
export async function checkAdmissible(bench: Bench): Promise<string> {
  const world = await bench.world();
  if (!world.admissibleActions) return "skip: the environment does not name them";
  const { admissibleNote } = bench.source;
  const refused = `${bench.refused.length} of ${bench.offered} were not understood: ${bench.refused.slice(0, 5).map(shown)}`;
  demand(bench.refused.length === 0 || admissibleNote !== undefined, () => refused);
  demand(bench.offered > 0, () => "no action was offered in any state");
  await bench.reset(world, bench.starts[0]!);
  const actions = await bench.call("admissibleActions()", world.admissibleActions());
  const unsorted = actions.findIndex((action, index) => index > 0 && actions[index - 1]! >= action);
  demand(
    unsorted < 0,
    () => `they must be sorted, each one once: ${shown(actions[unsorted - 1])} is before ${shown(actions[unsorted])}`,
  );
  return bench.refused.length === 0
    ? `${bench.offered} tried, all understood`
    : `note: ${refused}; the source says: ${admissibleNote}`;
}

/** Gold actions solve their start, and, from a world in any state, that state. */
export async function checkGold(bench: Bench, recordings: readonly Recording[]): Promise<string> {
  const { source } = bench;
  const world = await bench.world();
  if (!source.goldActions && !world.goldActions) return "skip: the environment does not know them";
  let tried = 0;
  let unknown = 0;
  for (const { start, actions } of recordings) {
    if (source.goldActions) {
      const gold = await bench.call(`goldActions(${shown(start)})`, source.goldActions(start));
      if (gold.length > 0) solved((await bench.play(world, start, gold)).steps.at(-1), gold, shown(start));
      if (gold.length > 0) tried++;
      else unknown++; // an empty list says that none is known
    }
    if (!world.goldActions) continue;
    const played = await bench.play(world, start, actions.slice(0, Math.ceil(actions.length / 2)));
    if (played.steps.at(-1)?.done) continue;
    const rest = await bench.call("goldActions()", world.goldActions());
    if (rest === null) continue; // can't be solved any more
    solved((await bench.follow(world, rest)).steps.at(-1), rest, `${shown(start)} after ${shown(played.actions)}`);
    tried++;
  }
  demand(tried > 0, () => `no path is known for any of ${recordings.length} starts`);
  return `${tried} paths, all end with done and success${unknown > 0 ? `; ${unknown} starts have none` : ""}`;
}

function solved(last: { done: boolean; success: boolean } | undefined, gold: readonly string[], where: string): void {
  demand(
    last?.done === true && last.success,
    () => `${where}: ${gold.length} actions ${shown(gold)} end with done ${last?.done} and success ${last?.success}`,
  );
}

/** A snapshot goes through JSON and leads to the same future, twice, and in another world. */
export async function checkSnapshots(bench: Bench, recordings: readonly Recording[]): Promise<string> {
  const world = await bench.world();
  if (!world.snapshot || !world.restore) return "skip: the environment has none";
  for (const { start, actions, steps } of recordings) {
    const middle = Math.floor(actions.length / 2);
    await bench.play(world, start, actions.slice(0, middle));
    const taken = await bench.call("snapshot()", world.snapshot());
    const text = JSON.stringify(taken);
    const rest = { actions: actions.slice(middle), steps: steps.slice(middle) };
    const places = bench.hasTwo ? [world, world, await bench.world(1)] : [world, world];
    if (places.length === 3) await bench.reset(places[2]!, bench.starts.at(-1)!);
    await bench.follow(world, rest.actions);
    for (const [turn, place] of places.entries()) {
      demand(place.restore !== undefined, () => "a world of the source has no restore, though another has");
      await bench.call("restore()", place.restore(JSON.parse(text)));
      const found = stepsDifference(rest, await bench.follow(place, rest.actions), start);
      const where = turn === 2 ? "another world" : turn === 1 ? "the same world a second time" : "the same world";
      demand(!found, () => `restored in ${where} after ${middle} actions: ${found}`);
    }
  }
  return `${recordings.length} states, restored twice in the same world${bench.hasTwo ? " and in another" : ""}`;
}

/** Rewards, flags and returns of everything that was played. */
export async function checkRewards({ seen, source }: Bench): Promise<string> {
  demand(seen.problem === null, () => seen.problem!);
  const returns = seen.whole === 0 ? "no whole episode" : `returns of ${seen.whole} whole episodes`;
  const range = seen.whole === 0 ? "" : ` in [${seen.low}, ${seen.high}] of [${source.returnRange.join(", ")}]`;
  return `${seen.steps} steps with finite rewards, ${returns}${range}`;
}
