import type { Rng } from "../../../../utils/index.ts";
import { type Size, startWorld } from "../build.ts";
import { bring, focusOn } from "../plan.ts";
import { ANIMALS, COLORS, OBJECTS, PLANTS, ROOMS } from "../words.ts";
import { type World, YOU } from "../world.ts";
import { type Filler, fill, type Goal, type LabTask, where } from "./task.ts";

/** What is looked for: words of the instruction, kinds that count, kinds that may stand around besides. */
interface Wanted {
  readonly words: string;
  readonly kinds: readonly Filler[];
  readonly others: readonly Filler[];
}

const LIVING: Wanted = { words: "a living thing", kinds: ["animal", "plant"], others: ["object"] };
const ANIMAL: Wanted = { words: "an animal", kinds: ["animal"], others: ["plant", "object"] };
const PLANT: Wanted = { words: "a plant", kinds: ["plant"], others: ["animal", "object"] };
const OBJECT: Wanted = { words: "a thing that does not live", kinds: ["object"], others: ["animal", "plant"] };

const TARGETS: readonly { kind: Filler; name: string; wanted: Wanted }[] = [
  ...ANIMALS.flatMap((name) => [LIVING, ANIMAL].map((wanted) => ({ kind: "animal" as const, name, wanted }))),
  ...PLANTS.flatMap((name) => [LIVING, PLANT].map((wanted) => ({ kind: "plant" as const, name, wanted }))),
  ...OBJECTS.map((name) => ({ kind: "object" as const, name, wanted: OBJECT })),
];

/** find: focus on a thing of a sort, put it in a box. */
export const findTask: LabTask = {
  name: "find",
  axes: [TARGETS.length, COLORS.length, ROOMS.length],
  build,
};

function build(rng: Rng, size: Size, combination: readonly number[]): { world: World; goal: Goal } {
  const [which, color, room] = combination as [number, number, number];
  const { kind, name, wanted } = TARGETS[which]!;
  const roomName = ROOMS[room]!;
  const boxRoom = rng.pick(ROOMS.filter((other) => other !== roomName));
  const builder = startWorld(rng, size, [roomName, boxRoom]);
  const { world } = builder;
  const box = builder.place("box", `${COLORS[color]} box`, builder.room(boxRoom), { holds: "in" });
  const target = builder.place(kind, name, builder.room(roomName));
  if (size.distractors > 0) {
    const other = rng.pick(COLORS.filter((_, index) => index !== color));
    builder.place("box", `${other} box`, builder.room(boxRoom), { holds: "in" });
  }
  fill(builder, size.distractors, wanted.others);
  const isWanted = (_: World, id: number): boolean =>
    (wanted.kinds as readonly string[]).includes(world.things[id]!.kind);
  const chosen = (now: World): number => (now.focus < 0 ? target : now.focus);
  return {
    world,
    goal: {
      instruction: `focus on ${wanted.words}${where(builder, target)}, then put it in the ${COLORS[color]} box${where(builder, box)}.`,
      mayFocus: isWanted,
      subgoals: [
        (now) => now.focus >= 0,
        (now) => now.focus >= 0 && (now.parent[now.focus] === YOU || now.parent[now.focus] === box),
      ],
      isSolved: (now) => now.focus >= 0 && now.parent[now.focus] === box,
      next: (now) => focusOn(now, chosen(now)) ?? bring(now, chosen(now), box),
    },
  };
}
