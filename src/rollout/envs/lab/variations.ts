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

/** The split of a variation: a hash of task and combination decides, so that sizes and options don't move it. */
export function splitOf({ name }: LabTask, seed: number): EnvSplit {
  const share = createRng("lab-split").fork(name, seed).uniform();
  return share < TEST_SHARE ? "test" : share < TEST_SHARE + DEV_SHARE ? "dev" : "train";
}
