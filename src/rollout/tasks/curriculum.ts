import { z } from "zod";
import type { Json, Task, TaskSet } from "../types.ts";

/** How difficulty follows the pass rate. */
export const CurriculumConfig = z
  .strictObject({
    start: z.number().min(0).max(1).default(0).describe("difficulty at the start"),
    min: z.number().min(0).max(1).default(0).describe("difficulty never goes below this"),
    max: z.number().min(0).max(1).default(1).describe("difficulty never goes above this"),
    low: z.number().min(0).max(1).default(0.3).describe("a pass rate below this makes the tasks easier"),
    high: z.number().min(0).max(1).default(0.7).describe("a pass rate above this makes the tasks harder"),
    step: z.number().gt(0).max(1).default(0.05).describe("change of the difficulty, one at a time"),
    window: z
      .int()
      .min(1)
      .default(5)
      .describe("training steps whose mean pass rate decides; counted anew after a change"),
  })
  .refine(({ low, high }) => low < high, { path: ["low"], error: "must be below high" })
  .refine(({ min, start, max }) => min <= start && start <= max, {
    path: ["start"],
    error: "must lie from min to max",
  });
export type CurriculumConfig = z.infer<typeof CurriculumConfig>;

/** All that a curriculum remembers, its options too: plain JSON, for a checkpoint. */
export interface CurriculumState {
  readonly config: CurriculumConfig;
  readonly difficulty: number;
  /** Pass rates since the last change, at most `window` of them, the oldest first. */
  readonly recent: readonly number[];
}

/** The state before the first step. */
export function startCurriculum(config: CurriculumConfig): CurriculumState {
  return { config, difficulty: config.start, recent: [] };
}

/**
 * The state after a step. When the mean of the last `window` pass rates lies outside [low, high], difficulty moves by one step and the
 * window begins anew: rates measured at the old difficulty say nothing of the new one.
 * @param passRate share of the step's judged completions that were right, in [0, 1]
 */
export function observe(state: CurriculumState, passRate: number): CurriculumState {
  if (!(passRate >= 0 && passRate <= 1)) throw new RangeError(`observe(): a pass rate is from 0 to 1, got ${passRate}`);
  const { low, high, step, window, min, max } = state.config;
  const recent = [...state.recent, passRate].slice(-window);
  const mean = recent.reduce((sum, rate) => sum + rate, 0) / recent.length;
  const direction = recent.length < window ? 0 : mean > high ? 1 : mean < low ? -1 : 0;
  const moved = Math.min(max, Math.max(min, rounded(state.difficulty + direction * step)));
  return moved === state.difficulty ? { ...state, recent } : { ...state, difficulty: moved, recent: [] };
}

/** How hard the next step's tasks are to be, from 0 to 1. */
export function difficulty(state: CurriculumState): number {
  return state.difficulty;
}

/** Steps of 0.05 add up to 1, not to 1.0000000000000002. */
function rounded(value: number): number {
  return Math.round(value * 1e9) / 1e9;
}

/** Whether one completion of a task was right. */
export interface TaskResult {
  readonly task: Task;
  readonly passed: boolean;
}

/**
 * Tasks that follow the learner. Pure: what is random follows from the set's seed and the position, what was learned is in the state, which is
 * plain JSON for a checkpoint.
 */
export interface AdaptiveTasks {
  /** Before the first step. */
  start(): Json;
  /** The state as it was saved. @throws DataError when it belongs to other families or options */
  restore(state: Json): Json;
  /** The task at a position, from 0, of the endless sequence. */
  task(position: number, state: Json): Task;
  /** The state after a step. */
  next(state: Json, results: readonly TaskResult[]): Json;
  /** `curriculum/…` of a step that began with this state. */
  metrics(state: Json, results: readonly TaskResult[]): Record<string, number>;
}

/** A task set that can adapt; `get` lists all its problems, of every difficulty. */
export interface AdaptiveTaskSet extends TaskSet {
  readonly adaptive: AdaptiveTasks;
}

/** The adapting part of a task set; null for sets that stay as they are. */
export function adaptiveOf(tasks: TaskSet): AdaptiveTasks | null {
  return "adaptive" in tasks ? (tasks as AdaptiveTaskSet).adaptive : null;
}
