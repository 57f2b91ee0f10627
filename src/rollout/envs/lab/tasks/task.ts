import type { Rng } from "../../../../utils/index.ts";
import type { Builder, Size } from "../build.ts";
import type { Next } from "../plan.ts";
import { ANIMALS, OBJECTS, PLANTS } from "../words.ts";
import { roomOf, type World } from "../world.ts";

/** What is to be done in a world. Functions of the world alone, so that a snapshot of the world is one of the episode. */
export interface Goal {
  readonly instruction: string;
  /** Whether focusing on a thing now is no mistake; a mistake ends the episode. */
  mayFocus(world: World, id: number): boolean;
  /** What is on the way, in the usual order; each counts once. */
  readonly subgoals: readonly ((world: World) => boolean)[];
  isSolved(world: World): boolean;
  /** The next action of a short way to the solution from any state; null when there is none left. */
  next(world: World): Next;
}

/** A kind of task. Its variations are all combinations of its axes; what the axes leave open is drawn from the seed. */
export interface LabTask {
  readonly name: string;
  /** How many values each axis has. */
  readonly axes: readonly number[];
  /** @param combination one index for each axis */
  build(rng: Rng, size: Size, combination: readonly number[]): { world: World; goal: Goal };
}

/** ` in the hall`, when the size gives hints. */
export function where({ size, world }: Builder, id: number): string {
  return size.hints ? ` in the ${world.things[roomOf(world, id)]!.name}` : "";
}

/** Kinds of things that only fill a world. */
export type Filler = "animal" | "plant" | "object";

const POOLS: Readonly<Record<Filler, readonly string[]>> = { animal: ANIMALS, plant: PLANTS, object: OBJECTS };

/** Puts up to `count` things that are of no use anywhere. */
export function fill(builder: Builder, count: number, kinds: readonly Filler[]): void {
  const { rng, world } = builder;
  const all = kinds.flatMap((kind) => POOLS[kind].map((name) => ({ kind, name })));
  const free = rng.shuffle(all).filter(({ name }) => !world.ids.has(name));
  for (const { kind, name } of free.slice(0, count)) builder.place(kind, name, anyRoom(builder));
}

/** Id of a room, any. */
export function anyRoom({ rng, world }: Builder): number {
  return rng.pick(world.things.filter(({ kind }) => kind === "room")).id;
}
