import type { Rng } from "../../../../utils/index.ts";
import { type Size, startWorld } from "../build.ts";
import { write } from "../parse.ts";
import { focusOn, hold, type Next, reach } from "../plan.ts";
import { COLORS, LIQUIDS, ROOMS, VESSELS } from "../words.ts";
import { nameOf, type World, YOU } from "../world.ts";
import { addRival, addSubstance } from "./matter.ts";
import { anyRoom, fill, type Goal, type LabTask, where } from "./task.ts";

/** Degrees that are measured, none of them the threshold. */
const READINGS = [10, 20, 30, 40, 60, 70, 80, 90] as const;
const THRESHOLD = 50;

/** measure: read a substance's temperature, then focus on the box that the answer names. */
export const measureTask: LabTask = {
  name: "measure",
  axes: [LIQUIDS.length, READINGS.length, COLORS.length, ROOMS.length],
  build,
};

function build(rng: Rng, size: Size, combination: readonly number[]): { world: World; goal: Goal } {
  const [which, reading, color, room] = combination as [number, number, number, number];
  const roomName = ROOMS[room]!;
  const toolRoom = rng.pick(ROOMS.filter((other) => other !== roomName));
  const builder = startWorld(rng, size, [roomName, toolRoom]);
  const { world } = builder;
  const degrees = READINGS[reading]!;
  const substance = addSubstance(builder, LIQUIDS[which]!, rng.pick(VESSELS), builder.room(roomName), degrees);
  const tool = builder.place("thermometer", "thermometer", builder.room(toolRoom));
  // with hints, boxes stand in a room on the way
  const boxRoom = size.hints ? builder.room(rng.pick([roomName, toolRoom])) : anyRoom(builder);
  const other = rng.pick(COLORS.filter((_, index) => index !== color));
  const [above, below] = [COLORS[color]!, other].map((name) =>
    builder.add("box", `${name} box`, boxRoom, { holds: "in" }),
  );
  if (size.distractors > 0) addRival(builder, LIQUIDS, rng.pick(READINGS));
  fill(builder, size.distractors - 1, ["animal", "plant", "object"]);
  const name = nameOf(world, substance);
  const instruction =
    `use the thermometer${where(builder, tool)} on the ${name}${where(builder, substance)}, ` +
    `then focus on the ${COLORS[color]} box if it is above ${THRESHOLD} degrees, else on the ${other} box.`;
  return { world, goal: goalOf(instruction, tool, substance, degrees > THRESHOLD ? above! : below!) };
}

function goalOf(instruction: string, tool: number, substance: number, box: number): Goal {
  const isMeasured = (world: World): boolean => world.measured === substance;
  const measure = (world: World): Next =>
    isMeasured(world) ? null : (hold(world, tool) ?? reach(world, substance) ?? write(world, "use", tool, substance));
  return {
    instruction,
    mayFocus: (world, id) => id === box && isMeasured(world),
    subgoals: [(world) => world.parent[tool] === YOU, isMeasured],
    isSolved: (world) => world.focus === box && isMeasured(world),
    next: (world) => measure(world) ?? focusOn(world, box),
  };
}
