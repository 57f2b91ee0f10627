import type { Rng } from "../../../../utils/index.ts";
import { type Builder, type Size, startWorld } from "../build.ts";
import { write } from "../parse.ts";
import { bring, doTo, focusOn, type Next, reach } from "../plan.ts";
import { COLORS, ROOMS, SEEDS } from "../words.ts";
import { contents, STAGES, stageOf, type World, YOU } from "../world.ts";
import { anyRoom, fill, type Goal, type LabTask, where } from "./task.ts";

/** Rooms where water comes from. */
const WET_ROOMS = ["kitchen", "cellar"] as const;
/** Stages that are wanted: a plant, a flower. */
const WANTED = [2, 3] as const;

/** grow: put a seed in a pot, water it with a can that a sink fills, wait until it is a plant or a flower, focus on it. */
export const growTask: LabTask = {
  name: "grow",
  axes: [SEEDS.length, WANTED.length, COLORS.length, ROOMS.length],
  build,
};

/** Ids of what is used. */
interface Parts {
  readonly seed: number;
  readonly pot: number;
  readonly can: number;
  readonly sink: number;
  readonly stage: number;
}

function build(rng: Rng, size: Size, combination: readonly number[]): { world: World; goal: Goal } {
  const [which, wanted, color, room] = combination as [number, number, number, number];
  const roomName = ROOMS[room]!;
  const wetRoom = rng.pick(WET_ROOMS);
  const builder = startWorld(rng, size, [roomName, wetRoom]);
  const { world } = builder;
  const name = SEEDS[which]!;
  const stage = WANTED[wanted]!;
  const seed = builder.place("seed", name, builder.room(roomName));
  const sink = builder.add("sink", "sink", builder.room(wetRoom), { holds: "in" });
  // in the short form the pot stands near the sink, and the can is full
  const pot = builder.add("pot", `${COLORS[color]} pot`, size.long ? anyRoom(builder) : builder.room(wetRoom), {
    holds: "in",
  });
  const can = builder.place("can", "can", size.long ? anyRoom(builder) : builder.room(wetRoom));
  if (!size.long) world.on[can] = 1;
  if (size.distractors > 0) addRivals(builder, color);
  fill(builder, size.distractors - 2, ["animal", "object"]);
  const instruction =
    `put the ${name} seed${where(builder, seed)} in the ${COLORS[color]} pot${where(builder, pot)} ` +
    `and water it with the can${where(builder, can)}. when it is a ${STAGES[stage]}, focus on it.`;
  return { world, goal: goalOf(instruction, { seed, pot, can, sink, stage }) };
}

/** Another seed and another pot, somewhere. */
function addRivals(builder: Builder, color: number): void {
  const { rng, world } = builder;
  const other = rng.pick(SEEDS.filter((name) => !world.ids.has(`${name} seed`)));
  builder.place("seed", other, anyRoom(builder));
  const name = rng.pick(COLORS.filter((_, index) => index !== color));
  builder.add("pot", `${name} pot`, anyRoom(builder), { holds: "in" });
}

function goalOf(instruction: string, parts: Parts): Goal {
  const { seed, pot, stage } = parts;
  const isPlanted = (world: World): boolean => world.parent[seed] === pot;
  const isGrown = (world: World): boolean => stageOf(world, seed) >= stage;
  return {
    instruction,
    mayFocus: (world, id) => id === seed && isPlanted(world) && isGrown(world),
    subgoals: [
      (world) => world.parent[seed] === YOU || isPlanted(world),
      isPlanted,
      (world) => isPlanted(world) && (world.age[pot]! > 0 || isGrown(world)),
      (world) => isPlanted(world) && isGrown(world),
    ],
    isSolved: (world) => world.focus === seed,
    next: (world) => clear(world, parts) ?? bring(world, seed, pot) ?? grow(world, parts) ?? focusOn(world, seed),
  };
}

/** Another seed in the pot goes out; one that has sprouted stays, and then there is no way. */
function clear(world: World, { seed, pot }: Parts): Next {
  const other = contents(world, pot).find((id) => id !== seed);
  return other === undefined ? null : (reach(world, other) ?? write(world, "take", other));
}

function grow(world: World, parts: Parts): Next {
  const { seed, pot, stage } = parts;
  if (stageOf(world, seed) >= stage) return null;
  if (world.age[pot]! > 0) return reach(world, pot) ?? write(world, "wait");
  return water(world, parts);
}

/** Water from the can, or for the can first. */
function water(world: World, { pot, can, sink }: Parts): Next {
  if (world.on[can] === 1) {
    const take = reach(world, can) ?? (world.parent[can] === YOU ? null : write(world, "take", can));
    return take ?? reach(world, pot) ?? write(world, "pour", can, pot);
  }
  // poured out while it stood in a sink that runs: only what is put in it is filled
  const isIdle = world.parent[can] === sink && world.on[sink] === 1;
  if (isIdle) return reach(world, can) ?? write(world, "take", can);
  return bring(world, can, sink) ?? doTo(world, "activate", sink);
}
