import type { Json, Task, TaskSet } from "../rollout/index.ts";
import { type AdaptiveTasks, adaptiveOf } from "../rollout/tasks/index.ts";
import type { Rng } from "../utils/rng.ts";

/**
 * Draws tasks without replacement, epoch after epoch, each epoch in its own order: a function of (seed, position), so nothing is stored. A set that
 * adapts decides itself what stands at a position, by its state.
 */
export class TaskOrder {
  private readonly tasks: TaskSet;
  private readonly rng: Rng;
  private readonly adaptive: AdaptiveTasks | null;
  private epoch = -1;
  private order: readonly number[] = [];

  constructor(tasks: TaskSet, rng: Rng) {
    this.tasks = tasks;
    this.rng = rng;
    this.adaptive = adaptiveOf(tasks);
  }

  /**
   * The tasks at positions first .. first + count - 1 of the endless sequence.
   * @param state of a set that adapts
   */
  take(first: number, count: number, state: Json): Task[] {
    const { adaptive } = this;
    return Array.from({ length: count }, (_, i) => (adaptive ? adaptive.task(first + i, state) : this.at(first + i)));
  }

  private at(position: number): Task {
    const { size } = this.tasks;
    const epoch = Math.floor(position / size);
    if (epoch !== this.epoch) {
      this.epoch = epoch;
      this.order = this.rng.fork("epoch", epoch).shuffle(Array.from({ length: size }, (_, i) => i));
    }
    return this.tasks.get(this.order[position % size]!);
  }
}
