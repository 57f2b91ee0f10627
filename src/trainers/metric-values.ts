import { mean, std } from "./statistics.ts";
import type { Metrics } from "./types.ts";

/** One list of all entries. */
export const all = (arrays: readonly ArrayLike<number>[]): number[] => arrays.flatMap((array) => Array.from(array));
/** Share of true flags; 0 for none. */
export const share = (flags: readonly boolean[]): number =>
  flags.length === 0 ? 0 : flags.filter(Boolean).length / flags.length;
// not Math.min(...values): a step may have more tokens than a call may have arguments
const lowest = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
const highest = (values: readonly number[]): number =>
  values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
/** Mean, smallest, largest and deviation under a prefix, as far as they are named; 0 for no values. */
export const extremes = (prefix: string, values: readonly number[], names: readonly string[]): Metrics => {
  const make: Record<string, () => number> = {
    mean: () => mean(values),
    min: () => lowest(values),
    max: () => highest(values),
    std: () => std(values),
  };
  return Object.fromEntries(names.map((name) => [`${prefix}${name}`, values.length === 0 ? 0 : make[name]!()]));
};

/** Means over the entries that have a value; of names that end in /min or /max the smallest or largest. */
export function meanByName(entries: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = [...new Set(entries.flatMap((values) => Object.keys(values)))];
  const combine = (name: string): ((values: readonly number[]) => number) =>
    name.endsWith("/min") ? lowest : name.endsWith("/max") ? highest : mean;
  return Object.fromEntries(
    names.map((name) => [name, combine(name)(entries.flatMap((values) => values[name] ?? []))]),
  );
}
