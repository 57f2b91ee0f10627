import { areLinked, isElectrical, link, tearLinks, unlink } from "./circuits.ts";
import { describeInventory, describeOpened, describeRoom } from "./text.ts";
import { contents, isInside, matterOf, nameOf, otherSide, stageOf, substanceIn, type World, YOU } from "./world.ts";

/** What the agent can do; the objects are ids of things (rooms and doors among them). */
export type Verb =
  | "look"
  | "inventory"
  | "wait"
  | "go"
  | "open"
  | "close"
  | "take"
  | "drop"
  | "put"
  | "pour"
  | "use"
  | "activate"
  | "deactivate"
  | "connect"
  | "disconnect"
  | "focus";

/** One kind of action. */
interface Action {
  readonly objects: 0 | 1 | 2;
  /** Ticks that it takes. */
  readonly ticks: number;
  /** How it is written; objects are names. */
  readonly phrase: (a: string, b: string, preposition: string) => string;
  /** Why it can't be done with things that are within reach, as a sentence; null when it can. */
  readonly refusal: (world: World, a: number, b: number) => string | null;
  /** Does it and says so. */
  readonly apply: (world: World, a: number, b: number) => string;
}

/** Ticks that pass in one `wait`. */
export const WAIT_TICKS = 5;
/** Ticks that a watered pot stays wet. */
const WET_TICKS = 20;

const one = { objects: 1, ticks: 1 } as const;
const two = { objects: 2, ticks: 1 } as const;
const the = (world: World, id: number): string => `the ${nameOf(world, id)}`;
const PORTABLE = new Set(
  "vessel thermometer animal plant object seed can battery bulb wire switch".split(" "),
) as ReadonlySet<string>;
const SWITCHED = new Set("heater sink switch".split(" ")) as ReadonlySet<string>;

/** All actions, by verb. */
export const ACTIONS: Readonly<Record<Verb, Action>> = {
  look: {
    ...{ objects: 0, ticks: 0, phrase: () => "look" },
    refusal: () => null,
    apply: describeRoom,
  },
  inventory: {
    ...{ objects: 0, ticks: 0, phrase: () => "inventory" },
    refusal: () => null,
    apply: describeInventory,
  },
  wait: {
    ...{ objects: 0, ticks: WAIT_TICKS, phrase: () => "wait" },
    refusal: () => null,
    apply: () => "time passes.",
  },
  go: { ...one, phrase: (a) => `go ${a}`, refusal: refuseGo, apply: go },
  open: {
    ...{ ...one, phrase: (a) => `open ${a}` },
    refusal: (world, a) => refuseLid(world, a, 1),
    apply: (world, a) => {
      world.open[a] = 1;
      return `you open ${the(world, a)}.${world.things[a]!.kind === "door" ? "" : describeOpened(world, a)}`;
    },
  },
  close: {
    ...{ ...one, phrase: (a) => `close ${a}` },
    refusal: (world, a) => refuseLid(world, a, 0),
    apply: (world, a) => {
      world.open[a] = 0;
      return `you close ${the(world, a)}.`;
    },
  },
  take: {
    ...{ ...one, phrase: (a) => `take ${a}` },
    refusal: refuseTake,
    apply: (world, a) => {
      unlink(world, a);
      world.parent[a] = YOU;
      return `you take ${the(world, a)}.`;
    },
  },
  drop: {
    ...{ ...one, phrase: (a) => `drop ${a}` },
    refusal: refuseHeld,
    apply: (world, a) => {
      unlink(world, a);
      world.parent[a] = world.parent[YOU]!;
      return `you drop ${the(world, a)}.`;
    },
  },
  put: {
    ...{ ...two, phrase: (a, b, preposition) => `put ${a} ${preposition} ${b}` },
    refusal: refusePut,
    apply: (world, a, b) => {
      unlink(world, a);
      world.parent[a] = b;
      const filled = world.things[b]!.kind === "sink" && world.on[b] === 1 ? fillCans(world, b) : "";
      return `you put ${the(world, a)} ${world.things[b]!.holds} ${the(world, b)}.${filled}`;
    },
  },
  pour: {
    ...{ ...two, phrase: (a, b) => `pour ${a} in ${b}` },
    refusal: refusePour,
    apply: pour,
  },
  use: {
    ...{ ...two, phrase: (a, b) => `use ${a} on ${b}` },
    refusal: refuseUse,
    apply: use,
  },
  activate: {
    ...{ ...one, phrase: (a) => `activate ${a}` },
    refusal: (world, a) => refuseSwitch(world, a, 1),
    apply: activate,
  },
  deactivate: {
    ...{ ...one, phrase: (a) => `deactivate ${a}` },
    refusal: (world, a) => refuseSwitch(world, a, 0),
    apply: (world, a) => {
      world.on[a] = 0;
      return `${the(world, a)} is off.`;
    },
  },
  connect: {
    ...{ ...two, phrase: (a, b) => `connect ${a} to ${b}` },
    refusal: refuseConnect,
    apply: (world, a, b) => {
      link(world, a, b);
      return `you connect ${the(world, a)} to ${the(world, b)}.`;
    },
  },
  disconnect: {
    ...{ ...one, phrase: (a) => `disconnect ${a}` },
    refusal: (world, a) => (world.endA[a]! < 0 && world.endB[a]! < 0 ? `${the(world, a)} is not connected.` : null),
    apply: (world, a) => {
      unlink(world, a);
      return `you disconnect ${the(world, a)}.`;
    },
  },
  focus: {
    ...{ ...one, phrase: (a) => `focus on ${a}` },
    refusal: (world, a) => (world.things[a]!.kind === "door" || world.focus === a ? "that does not help." : null),
    apply: (world, a) => {
      world.focus = a;
      return `you focus on ${the(world, a)}.`;
    },
  },
};

/** Every verb, in a fixed order. */
export const VERBS = Object.keys(ACTIONS) as readonly Verb[];

function refuseGo(world: World, door: number): string | null {
  if (world.things[door]!.kind !== "door") return "you can not go there.";
  return world.open[door] === 0 ? `${the(world, door)} is closed.` : null;
}

function go(world: World, door: number): string {
  world.parent[YOU] = otherSide(world, door);
  tearLinks(world);
  return describeRoom(world);
}

function refuseLid(world: World, id: number, wanted: number): string | null {
  if (!world.things[id]!.lid) return `${the(world, id)} can not be opened or closed.`;
  return world.open[id] === wanted ? `${the(world, id)} is ${wanted ? "open" : "closed"}.` : null;
}

function refuseTake(world: World, id: number): string | null {
  if (!PORTABLE.has(world.things[id]!.kind)) return `you can not take ${the(world, id)}.`;
  if (world.parent[id] === YOU) return `you have ${the(world, id)}.`;
  const isRooted = world.things[id]!.kind === "seed" && stageOf(world, id) > 0;
  return isRooted ? `you can not take ${the(world, id)}.` : null;
}

function refuseHeld(world: World, id: number): string | null {
  return world.parent[id] === YOU ? null : `you do not have ${the(world, id)}.`;
}

function refusePut(world: World, id: number, holder: number): string | null {
  const missing = refuseHeld(world, id);
  if (missing !== null) return missing;
  const { kind } = world.things[id]!;
  const to = world.things[holder]!;
  if (world.open[holder] === 0) return `${the(world, holder)} is closed.`;
  const fits =
    to.kind === "furniture" || to.kind === "box"
      ? to.holds !== null
      : to.kind === "heater" || to.kind === "freezer"
        ? kind === "vessel"
        : to.kind === "sink"
          ? kind === "vessel" || kind === "can"
          : to.kind === "pot" && kind === "seed" && contents(world, holder).length === 0;
  return fits && !isInside(world, holder, id) ? null : `you can not put ${the(world, id)} there.`;
}

/** A full can waters a pot; a liquid changes its vessel. */
function refusePour(world: World, from: number, to: number): string | null {
  const source = world.things[from]!.kind;
  const target = world.things[to]!.kind;
  if (source === "can" && target === "pot") return world.on[from] === 1 ? null : `${the(world, from)} is empty.`;
  if (source !== "vessel" || target !== "vessel" || from === to) return "you can not pour that.";
  const substance = substanceIn(world, from);
  if (substance < 0) return `${the(world, from)} is empty.`;
  if (matterOf(world, substance) !== "liquid") return `${the(world, substance)} is not liquid.`;
  return substanceIn(world, to) < 0 ? null : `${the(world, to)} is full.`;
}

function pour(world: World, from: number, to: number): string {
  if (world.things[from]!.kind === "can") {
    world.on[from] = 0;
    world.age[to] = WET_TICKS;
    return `you pour water in ${the(world, to)}.`;
  }
  const substance = substanceIn(world, from);
  world.parent[substance] = to;
  return `you pour ${the(world, substance)} in ${the(world, to)}.`;
}

function refuseUse(world: World, tool: number, target: number): string | null {
  const { kind } = world.things[tool]!;
  if (kind === "can") return refusePour(world, tool, target);
  if (kind !== "thermometer") return "that does not help.";
  if (world.parent[tool] !== YOU) return `you do not have ${the(world, tool)}.`;
  return world.things[target]!.kind === "substance" ? null : "that does not help.";
}

function use(world: World, tool: number, target: number): string {
  if (world.things[tool]!.kind === "can") return pour(world, tool, target);
  world.measured = target;
  return `${the(world, tool)} reads ${world.temp[target]} degrees.`;
}

function refuseSwitch(world: World, id: number, wanted: number): string | null {
  if (!SWITCHED.has(world.things[id]!.kind)) return `${the(world, id)} has no switch.`;
  return world.on[id] === wanted ? `${the(world, id)} is ${wanted ? "on" : "off"}.` : null;
}

function activate(world: World, id: number): string {
  world.on[id] = 1;
  return `${the(world, id)} is on.${world.things[id]!.kind === "sink" ? fillCans(world, id) : ""}`;
}

/** A sink that runs fills the cans in it. */
function fillCans(world: World, sink: number): string {
  let filled = "";
  for (const id of contents(world, sink)) {
    if (world.things[id]!.kind !== "can" || world.on[id] === 1) continue;
    world.on[id] = 1;
    filled += ` ${the(world, id)} is full.`;
  }
  return filled;
}

/** A loop is made of parts with two ends each; battery and bulb only meet through wires or switches. */
function refuseConnect(world: World, a: number, b: number): string | null {
  if (a === b || !isElectrical(world, a) || !isElectrical(world, b)) return "you can not connect that.";
  if (areLinked(world, a, b)) return "they are connected.";
  const isJoint = (id: number): boolean => world.things[id]!.kind === "wire" || world.things[id]!.kind === "switch";
  if (!isJoint(a) && !isJoint(b)) return "you need a wire.";
  const isTaken = (id: number): boolean => world.endA[id]! >= 0 && world.endB[id]! >= 0;
  return isTaken(a) || isTaken(b) ? "there is no free end." : null;
}
