import { createRng } from "../../../utils/index.ts";
import type { EnvSplit } from "../types.ts";
import type { LabTask } from "./tasks/index.ts";

/** Shares of all variations that are held out. */
const TEST_SHARE = 0.2;
const DEV_SHARE = 0.1;

/** How many variations a task has; seeds are from 0 to below it. */
export function variationCount({ axes }: LabTask): number {
  return axes.reduce((product, size) => product * size, 1);
}

/** The index on each axis of a variation. */
export function combinationOf({ axes }: LabTask, seed: number): number[] {
  let rest = seed;
  return axes.map((size) => {
    const index = rest % size;
    rest = Math.floor(rest / size);
    return index;
  });
}

const known = new Map<string, readonly EnvSplit[]>();

/** The split of every variation of a task: a hash of task and combination decides, so that sizes and options don't move it. */
export function splitsOf(task: LabTask): readonly EnvSplit[] {
  let splits = known.get(task.name);
  if (splits === undefined) {
    const rng = createRng("lab-split");
    splits = Array.from({ length: variationCount(task) }, (_, seed) => splitAt(rng.fork(task.name, seed).uniform()));
    known.set(task.name, splits);
  }
  return splits;
}

function splitAt(share: number): EnvSplit {
  return share < TEST_SHARE ? "test" : share < TEST_SHARE + DEV_SHARE ? "dev" : "train";
}
