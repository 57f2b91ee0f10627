import { mean, std } from "./statistics.ts";
import type { Metrics } from "./types.ts";

/** One list of all entries. */
export const all = (arrays: readonly ArrayLike<number>[]): number[] => arrays.flatMap((array) => Array.from(array));
/** Share of true flags; 0 for none. */
export const share = (flags: readonly boolean[]): number =>
  flags.length === 0 ? 0 : flags.filter(Boolean).length / flags.length;
/** Mean, smallest, largest and deviation under a prefix, as far as they are named; 0 for no values. */
export const extremes = (prefix: string, values: readonly number[], names: readonly string[]): Metrics => {
  const make: Record<string, () => number> = {
    mean: () => mean(values),
    min: () => Math.min(...values),
    max: () => Math.max(...values),
    std: () => std(values),
  };
  return Object.fromEntries(names.map((name) => [`${prefix}${name}`, values.length === 0 ? 0 : make[name]!()]));
};

/** Means over the entries that have a value. */
export function meanByName(entries: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = [...new Set(entries.flatMap((values) => Object.keys(values)))];
  return Object.fromEntries(names.map((name) => [name, mean(entries.flatMap((values) => values[name] ?? []))]));
}
