/** What something is; decides what can be done with it. */
export type Kind =
  | "you"
  | "room"
  | "door"
  | "furniture"
  | "box"
  | "vessel"
  | "substance"
  | "heater"
  | "freezer"
  | "sink"
  | "thermometer"
  | "animal"
  | "plant"
  | "object"
  | "seed"
  | "pot"
  | "can"
  | "battery"
  | "bulb"
  | "wire"
  | "switch";

/** What never changes about a thing. */
export interface Thing {
  readonly id: number;
  readonly kind: Kind;
  /** Unique in its world. Of a seed: the plant that it becomes. */
  readonly name: string;
  /** How it holds other things, if it does. */
  readonly holds: "in" | "on" | null;
  /** Can be opened and closed. */
  readonly lid: boolean;
  /** Degrees at which a substance melts and boils, and which it has when nothing heats or cools it; 0 for other things. */
  readonly melts: number;
  readonly boils: number;
  readonly rest: number;
  /** The two rooms of a door. */
  readonly between: readonly [number, number] | null;
}

/** Columns of numbers by thing: everything that an action or time changes. Nothing is cloned in a step. */
export interface Columns {
  /** Where it is: a room, a holder, {@link YOU}, or -1 (doors, rooms). */
  readonly parent: number[];
  /** 1 open, 0 closed; always 1 without a lid. */
  readonly open: number[];
  /** 1 switched on (devices), burning (bulbs) or full (watering can). */
  readonly on: number[];
  /** Degrees Celsius of substances. */
  readonly temp: number[];
  /** Ticks that a seed has grown, or that a pot stays wet. */
  readonly age: number[];
  /** The two ends of electrical parts: id of what is connected, or -1. */
  readonly endA: number[];
  readonly endB: number[];
}

/** A world in play. */
export interface World extends Columns {
  readonly things: readonly Thing[];
  /** Every name that a thing answers to. */
  readonly ids: ReadonlyMap<string, number>;
  /** What the agent focuses on; -1 nothing yet. */
  focus: number;
  /** The substance on which the thermometer was used last; -1 none yet. */
  measured: number;
  /** Bit i: subgoal i was reached. */
  earned: number;
  /** How the episode ended. */
  end: "" | "success" | "failure";
}

/** The agent: what it carries has it as parent, and its own parent is the room where it is. */
export const YOU = 0;

/** Names of the columns, in the order in which snapshots and state keys hold them. */
export const COLUMNS = ["parent", "open", "on", "temp", "age", "endA", "endB"] as const satisfies (keyof Columns)[];

/** The room where a thing is; -1 for a thing that is nowhere. */
export function roomOf(world: World, id: number): number {
  let at = id;
  while (at >= 0 && world.things[at]!.kind !== "room") at = world.parent[at]!;
  return at;
}

/** Whether the agent can see and touch a thing: carried or in its room, with nothing closed around it. */
export function isReachable(world: World, id: number): boolean {
  const { things, parent, open } = world;
  const here = parent[YOU]!;
  const between = things[id]!.between;
  if (between !== null) return between[0] === here || between[1] === here;
  if (id === YOU || things[id]!.kind === "room") return false;
  for (let at = parent[id]!; at >= 0; at = parent[at]!) {
    if (at === YOU || at === here) return true;
    if (open[at] === 0) return false;
  }
  return false;
}

/** Whether `id` is in or on `holder`, at any depth. */
export function isInside(world: World, id: number, holder: number): boolean {
  for (let at = world.parent[id]!; at >= 0; at = world.parent[at]!) if (at === holder) return true;
  return false;
}

/** What lies directly in or on a holder, in order of ids. */
export function contents(world: World, holder: number): number[] {
  const inside: number[] = [];
  for (let id = 0; id < world.parent.length; id++) {
    if (world.parent[id] === holder && id !== YOU) inside.push(id);
  }
  return inside;
}

/** The substance in a vessel, or -1. */
export function substanceIn(world: World, vessel: number): number {
  for (let id = 0; id < world.parent.length; id++) {
    if (world.parent[id] === vessel && world.things[id]!.kind === "substance") return id;
  }
  return -1;
}

/** State of matter of a substance by its temperature. */
export function matterOf(world: World, id: number): "solid" | "liquid" | "gas" {
  const { melts, boils } = world.things[id]!;
  const degrees = world.temp[id]!;
  return degrees < melts ? "solid" : degrees < boils ? "liquid" : "gas";
}

/** Ticks that a seed in wet soil needs for each stage. */
const STAGE_TICKS = 4;
/** What a seed is called as it grows; every name stays understood. */
export const STAGES = ["seed", "sprout", "plant", "flower"] as const;

/** 0 seed, 1 sprout, 2 plant, 3 flower. */
export function stageOf(world: World, id: number): number {
  return Math.min(STAGES.length - 1, Math.floor(world.age[id]! / STAGE_TICKS));
}

/** What a thing is called now. Doors are called after the room to which they lead from here. */
export function nameOf(world: World, id: number): string {
  const { kind, name, between } = world.things[id]!;
  if (kind === "seed") return `${name} ${STAGES[stageOf(world, id)]}`;
  if (between === null) return name;
  return `${world.things[otherSide(world, id)]!.name} door`;
}

/** The room behind a door, from where the agent is. */
export function otherSide(world: World, door: number): number {
  const [a, b] = world.things[door]!.between!;
  return a === world.parent[YOU] ? b : a;
}

/** The door between two rooms, or -1. */
export function doorBetween(world: World, a: number, b: number): number {
  for (const { id, between } of world.things) {
    if (between !== null && ((between[0] === a && between[1] === b) || (between[0] === b && between[1] === a)))
      return id;
  }
  return -1;
}
