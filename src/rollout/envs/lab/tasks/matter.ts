import type { Rng } from "../../../../utils/index.ts";
import { type Builder, type Size, startWorld } from "../build.ts";
import { write } from "../parse.ts";
import { bring, doTo, focusOn, type Next } from "../plan.ts";
import { type Device, FREEZERS, HEATERS, LIQUIDS, ROOMS, SOLIDS, type Substance, VESSELS } from "../words.ts";
import { matterOf, nameOf, type World, YOU } from "../world.ts";
import { anyRoom, fill, type Goal, type LabTask, where } from "./task.ts";

/** What substances are like when nothing heats or cools them. */
const ROOM_TEMPERATURE = 20;

/** A task that changes the state of matter of a substance with a device. */
interface Change {
  readonly name: string;
  readonly substances: readonly Substance[];
  readonly devices: readonly Device[];
  readonly to: "solid" | "liquid" | "gas";
}

const CHANGES: readonly Change[] = [
  { name: "melt", substances: SOLIDS, devices: HEATERS, to: "liquid" },
  { name: "boil", substances: LIQUIDS, devices: HEATERS, to: "gas" },
  { name: "freeze", substances: LIQUIDS, devices: FREEZERS, to: "solid" },
];

/** melt, boil and freeze: focus on a substance, bring its vessel to a device, let the device work. */
export const matterTasks: readonly LabTask[] = CHANGES.map((change) => ({
  name: change.name,
  axes: [change.substances.length, change.devices.length, VESSELS.length, ROOMS.length],
  build: (rng, size, combination) => build(change, rng, size, combination),
}));

function build(change: Change, rng: Rng, size: Size, combination: readonly number[]): { world: World; goal: Goal } {
  const [which, how, vessel, room] = combination as [number, number, number, number];
  const device = change.devices[how]!;
  const builder = startWorld(rng, size, [device.room, ROOMS[room]!]);
  const { world } = builder;
  const deviceId = builder.add(
    change.to === "solid" ? "freezer" : "heater",
    device.name,
    builder.room(device.room),
    device,
  );
  const substance = addSubstance(builder, change.substances[which]!, VESSELS[vessel]!, builder.room(ROOMS[room]!));
  if (size.distractors > 0) addRival(builder, change.substances);
  fill(builder, size.distractors - 1, ["animal", "plant", "object"]);
  const name = nameOf(world, substance);
  const help = size.hints ? ` ${device.holds} the ${device.name}${where(builder, deviceId)}` : "";
  const instruction = `focus on the ${name}${where(builder, substance)}, then ${change.name} it${help}.`;
  return { world, goal: goalOf(change.to, instruction, substance, deviceId) };
}

/** A substance in a vessel of its own. */
export function addSubstance(
  builder: Builder,
  substance: Substance,
  vessel: string,
  room: number,
  rest = ROOM_TEMPERATURE,
): number {
  const holder = builder.place("vessel", vessel, room, { holds: "in" });
  const { name, melts, boils } = substance;
  return builder.add("substance", name, holder, { melts, boils, rest });
}

/** Another substance of the same sort, somewhere. */
export function addRival(builder: Builder, substances: readonly Substance[], rest = ROOM_TEMPERATURE): void {
  const { rng, world } = builder;
  const other = rng.pick(substances.filter(({ name }) => !world.ids.has(name)));
  addSubstance(builder, other, rng.pick(VESSELS.filter((name) => !world.ids.has(name))), anyRoom(builder), rest);
}

function goalOf(to: Change["to"], instruction: string, substance: number, device: number): Goal {
  const vesselOf = (world: World): number => world.parent[substance]!;
  const isThere = (world: World): boolean => world.parent[vesselOf(world)] === device;
  const works = (world: World): boolean => (to === "solid" ? world.open[device] === 0 : world.on[device] === 1);
  return {
    instruction,
    mayFocus: (_, id) => id === substance,
    subgoals: [
      (world) => world.focus === substance,
      (world) => world.parent[vesselOf(world)] === YOU || isThere(world),
      isThere,
      (world) => isThere(world) && works(world),
    ],
    isSolved: (world) => world.focus === substance && matterOf(world, substance) === to,
    next: (world) => focusOn(world, substance) ?? work(world, to, vesselOf(world), substance, device),
  };
}

/** Past the wanted state (boiled where it should melt), the device rests. */
function work(world: World, to: Change["to"], vessel: number, substance: number, device: number): Next {
  const verb = to === "solid" ? "close" : "activate";
  if (to === "liquid" && matterOf(world, substance) === "gas" && world.parent[vessel] === device) {
    return doTo(world, "deactivate", device) ?? write(world, "wait");
  }
  return bring(world, vessel, device) ?? doTo(world, verb, device) ?? write(world, "wait");
}
