import { z } from "zod";
import { EnvError } from "../../../utils/index.ts";
import type { Json } from "../../types.ts";
import type { Play } from "./play.ts";
import { COLUMNS, type World } from "./world.ts";

const Snapshot = z.strictObject({
  task: z.string(),
  seed: z.int().min(0),
  columns: z.array(z.array(z.int())).length(COLUMNS.length),
  focus: z.int(),
  measured: z.int(),
  earned: z.int().min(0),
  end: z.enum(["", "success", "failure"]),
});

/** Everything that actions and time changed; the rest follows from task and seed. */
export function takeSnapshot({ start, world }: Play): Json {
  const { focus, measured, earned, end } = world;
  const columns = COLUMNS.map((name) => [...world[name]]);
  return { task: start.task, seed: start.seed, columns, focus, measured, earned, end };
}

/**
 * The episode of a snapshot.
 * @param open starts the snapshot's task and variation anew
 * @throws EnvError when it is no snapshot of the lab, or one of other options
 */
export function playOf(snapshot: Json, open: (task: string, seed: number) => Play): Play {
  const parsed = Snapshot.safeParse(snapshot);
  if (!parsed.success)
    throw new EnvError(`lab: restore() got no snapshot of the lab: ${z.prettifyError(parsed.error)}`);
  const { task, seed, columns, focus, measured, earned, end } = parsed.data;
  const play = open(task, seed);
  const { world } = play;
  const size = world.things.length;
  if (columns.some((column) => column.length !== size)) {
    throw new EnvError(
      `lab: restore() got a snapshot of ${columns[0]!.length} things, but ${task}/${seed} has ${size} here; restore it with the options it was taken with`,
    );
  }
  COLUMNS.forEach((name, index) => {
    world[name].splice(0, size, ...columns[index]!);
  });
  Object.assign(world, { focus, measured, earned, end } satisfies Partial<World>);
  return play;
}
