import type { ScheduleConfig } from "./config.ts";

/**
 * Learning rate of a step.
 * @param step from 0
 * @param steps of the whole run
 */
export function learningRate(schedule: ScheduleConfig, lr: number, step: number, steps: number): number {
  if (step < schedule.warmup) return (lr * (step + 1)) / schedule.warmup;
  const start =
    schedule.name === "trapezoid" ? Math.max(schedule.warmup, schedule.constantUntil * steps) : schedule.warmup;
  if (schedule.name === "constant" || step < start) return lr;
  const done = Math.min(1, (step - start) / Math.max(1, steps - 1 - start));
  const { finalFraction } = schedule;
  const shape = schedule.name === "cosine" ? (1 + Math.cos(Math.PI * done)) / 2 : 1 - done;
  return lr * (finalFraction + (1 - finalFraction) * shape);
}
