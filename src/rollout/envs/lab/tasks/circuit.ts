import type { Rng } from "../../../../utils/index.ts";
import { type Builder, type Size, startWorld } from "../build.ts";
import { areLinked } from "../circuits.ts";
import { write } from "../parse.ts";
import { hold, type Next } from "../plan.ts";
import { COLORS, ROOMS } from "../words.ts";
import { isReachable, type World, YOU } from "../world.ts";
import { anyRoom, fill, type Goal, type LabTask, where } from "./task.ts";

/** circuit: connect a battery, a bulb and what goes between them to a loop, so that the bulb of a color lights up. */
export const circuitTask: LabTask = {
  name: "circuit",
  // the second joint is a wire of another color than the first, or a switch
  axes: [COLORS.length, COLORS.length, COLORS.length, ROOMS.length],
  build,
};

/** Ids of the loop's parts, in their order around it. */
type Loop = readonly [battery: number, wire: number, bulb: number, joint: number];

function build(rng: Rng, size: Size, combination: readonly number[]): { world: World; goal: Goal } {
  const [color, first, step, room] = combination as [number, number, number, number];
  const roomName = ROOMS[room]!;
  const otherRoom = rng.pick(ROOMS.filter((other) => other !== roomName));
  const builder = startWorld(rng, size, [roomName, otherRoom]);
  const { world } = builder;
  const bulb = builder.place("bulb", `${COLORS[color]} bulb`, builder.room(roomName));
  // in the short form all other parts lie in one room
  const somewhere = (): number => (size.long ? anyRoom(builder) : builder.room(otherRoom));
  const battery = builder.place("battery", "battery", somewhere());
  const wire = builder.place("wire", `${COLORS[first]} wire`, somewhere());
  const joint =
    step === 0
      ? builder.place("switch", "switch", somewhere())
      : builder.place("wire", `${COLORS[(first + step) % COLORS.length]} wire`, somewhere());
  if (size.distractors > 0) addRival(builder, color);
  fill(builder, size.distractors - 1, ["animal", "plant", "object"]);
  const loop: Loop = [battery, wire, bulb, joint];
  return { world, goal: goalOf(instructionOf(builder, loop), loop) };
}

function instructionOf(builder: Builder, [battery, wire, bulb, joint]: Loop): string {
  const said = (id: number): string => `the ${builder.world.things[id]!.name}${where(builder, id)}`;
  return `light ${said(bulb)} with ${said(battery)}, ${said(wire)} and ${said(joint)}.`;
}

/** A bulb of another color, somewhere. */
function addRival(builder: Builder, color: number): void {
  const other = builder.rng.pick(COLORS.filter((_, index) => index !== color));
  builder.place("bulb", `${other} bulb`, anyRoom(builder));
}

function goalOf(instruction: string, loop: Loop): Goal {
  const pairs = loop.map((id, index) => [id, loop[(index + 1) % loop.length]!] as const);
  const linked = (world: World): number => pairs.filter(([a, b]) => areLinked(world, a, b)).length;
  const bulb = loop[2];
  return {
    instruction,
    mayFocus: (_, id) => loop.includes(id),
    subgoals: [
      (world) => world.parent[bulb] === YOU || linked(world) > 0,
      (world) => linked(world) >= 2,
      (world) => linked(world) >= 3,
      (world) => linked(world) === pairs.length,
    ],
    isSolved: (world) => world.on[bulb] === 1,
    next: (world) => gather(world, loop) ?? connect(world, pairs, loop) ?? switchOn(world, loop),
  };
}

/** All parts come into the agent's hands, those that are near first, until all are within reach. */
function gather(world: World, loop: Loop): Next {
  const isNear = (id: number): boolean => isReachable(world, id);
  if (loop.every(isNear)) return null;
  const ordered = [...loop.filter(isNear), ...loop.filter((id) => !isNear(id))];
  return hold(world, ordered.find((id) => world.parent[id] !== YOU)!);
}

/** Connects neighbours; a part that is connected to a wrong one comes off first. */
function connect(world: World, pairs: readonly (readonly [number, number])[], loop: Loop): Next {
  for (const id of loop) {
    const index = loop.indexOf(id);
    const wanted = [loop[(index + 1) % loop.length], loop[(index + loop.length - 1) % loop.length]];
    const isWrong = (end: number): boolean => end >= 0 && !wanted.includes(end);
    if (isWrong(world.endA[id]!) || isWrong(world.endB[id]!)) return write(world, "disconnect", id);
  }
  const open = pairs.find(([a, b]) => !areLinked(world, a, b));
  return open === undefined ? null : write(world, "connect", ...open);
}

function switchOn(world: World, loop: Loop): Next {
  const off = loop.find((id) => world.things[id]!.kind === "switch" && world.on[id] === 0);
  return off === undefined ? null : write(world, "activate", off);
}
