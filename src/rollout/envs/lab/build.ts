import type { Rng } from "../../../utils/index.ts";
import { FURNITURE, ROOMS } from "./words.ts";
import { type Kind, STAGES, type Thing, type World, YOU } from "./world.ts";

/** Knobs of how large and how closed a world is. */
export interface Size {
  readonly rooms: number;
  readonly distractors: number;
  /** Chance of a door or a lid to be closed at first. */
  readonly closed: number;
  /** Whether the instruction says where things are. */
  readonly hints: boolean;
  /** The long form of tasks that have one: water from the sink, parts in every room. */
  readonly long: boolean;
}

/** Puts a world together. */
export interface Builder {
  readonly rng: Rng;
  readonly size: Size;
  readonly world: World;
  /** Id of a room by its name. @throws Error when the world lacks it: rooms that a task needs are named to {@link startWorld} */
  room(name: string): number;
  /** A thing directly in a holder. */
  add(
    kind: Kind,
    name: string,
    parent: number,
    more?: Partial<Pick<Thing, "holds" | "lid" | "melts" | "boils" | "rest">>,
  ): number;
  /** A thing in a room: on the floor, or in or on the furniture there. */
  place(kind: Kind, name: string, room: number, more?: Parameters<Builder["add"]>[3]): number;
}

/** A world of rooms, doors, furniture and the agent, in a tree of doors. @param needed names of rooms that must be there */
export function startWorld(rng: Rng, size: Size, needed: readonly string[]): Builder {
  const ids = new Map<string, number>();
  const things: Thing[] = [];
  const world: World = {
    ...{ things, ids, parent: [], open: [], on: [], temp: [], age: [], endA: [], endB: [] },
    ...{ focus: -1, measured: -1, earned: 0, end: "" },
  };
  const add = (
    kind: Kind,
    name: string,
    parent: number,
    more: Parameters<Builder["add"]>[3] = {},
    between: Thing["between"] = null,
  ): number => {
    const id = things.length;
    things.push({ id, kind, name, holds: null, lid: false, melts: 0, boils: 0, rest: 0, ...more, between });
    for (const said of kind === "seed" ? STAGES.map((stage) => `${name} ${stage}`) : [name]) {
      if (ids.has(said)) throw new Error(`internal: two things are called ${said}`);
      if (kind !== "door" && kind !== "you") ids.set(said, id);
    }
    world.parent.push(parent);
    world.open.push((more.lid ?? false) && rng.uniform() < size.closed ? 0 : 1);
    for (const column of [world.on, world.age]) column.push(0);
    world.temp.push(more.rest ?? 0);
    for (const column of [world.endA, world.endB]) column.push(-1);
    return id;
  };
  add("you", "you", -1);
  const wanted = [...new Set(needed)];
  const others = rng.shuffle(ROOMS.filter((name) => !wanted.includes(name)));
  const rooms = rng.shuffle([...wanted, ...others].slice(0, Math.max(size.rooms, wanted.length)));
  const roomIds = rooms.map((name) => add("room", name, -1, { holds: "in" }));
  roomIds.slice(1).forEach((room, index) => {
    add("door", `door ${index}`, -1, { lid: true }, [rng.pick(roomIds.slice(0, index + 1)), room]);
  });
  const kinds = rng.shuffle(FURNITURE);
  const spots = new Map(roomIds.map((room) => [room, [room]]));
  roomIds.forEach((room, index) => {
    const kind = kinds[index]!;
    if (rng.uniform() < 0.5) spots.get(room)!.push(add("furniture", kind.name, room, kind));
  });
  world.parent[YOU] = rng.pick(roomIds);
  return {
    ...{ rng, size, world },
    room: (name) => {
      const id = ids.get(name);
      if (id === undefined) throw new Error(`internal: there is no ${name}`);
      return id;
    },
    add: (kind, name, parent, more) => add(kind, name, parent, more),
    place: (kind, name, room, more) => add(kind, name, rng.pick(spots.get(room)!), more),
  };
}
