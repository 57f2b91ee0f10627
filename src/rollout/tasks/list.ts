import type { Task, TaskSet } from "../types.ts";

/** A task set over an array of problems. */
export function listTaskSet<T>(
  name: string,
  split: TaskSet["split"],
  problems: readonly T[],
  toTask: (problem: T, index: number) => Task,
): TaskSet {
  return {
    name,
    split,
    size: problems.length,
    get(index) {
      const problem = problems[index];
      if (problem === undefined)
        throw new RangeError(`${name} ${split}: index ${index} is outside 0..${problems.length - 1}`);
      return toTask(problem, index);
    },
  };
}
