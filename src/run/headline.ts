import type { Metrics } from "../trainers/types.ts";

/** Accuracy of one evaluation with its 95 % interval, as shares. */
export interface Headline {
  /** Task set. */
  readonly set: string;
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
}

/** pass@1 of an evaluation: `val-core/{set}/acc/mean@{n}` estimates it without bias from n samples; undefined when there is none. */
export function headlineOf(metrics: Metrics | Readonly<Record<string, number | string>>): Headline | undefined {
  for (const [name, value] of Object.entries(metrics)) {
    const set = /^val-core\/(.+)\/acc\/mean@\d+$/.exec(name)?.[1];
    if (set === undefined || typeof value !== "number") continue;
    const [low, high] = [metrics[`${name}/ci95_low`], metrics[`${name}/ci95_high`]];
    return typeof low === "number" && typeof high === "number" ? { set, value, low, high } : { set, value };
  }
  return undefined;
}
