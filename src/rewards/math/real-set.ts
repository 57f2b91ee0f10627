import { type BigFloat, signOf, subtractFloats } from "./big-float.ts";

/** An interval; null = unbounded on that side. A point has two equal closed ends. */
export interface Interval {
  readonly low: BigFloat | null;
  readonly high: BigFloat | null;
  readonly lowClosed: boolean;
  readonly highClosed: boolean;
}

/** A union of intervals that do not touch, in ascending order. */
export type RealSet = readonly Interval[];

/** All real numbers. */
export const ALL: RealSet = [{ low: null, high: null, lowClosed: false, highClosed: false }];

/** −1, 0 or 1 as a is below, at or above b; ends that cannot be told apart are equal. */
function compareEnds(a: BigFloat, b: BigFloat): -1 | 0 | 1 {
  return signOf(subtractFloats(a, b));
}

/** One interval as a set; empty when its ends are in the wrong order. */
export function intervalSet(interval: Interval): RealSet {
  const { low, high, lowClosed, highClosed } = interval;
  if (low === null || high === null)
    return [{ ...interval, lowClosed: low !== null && lowClosed, highClosed: high !== null && highClosed }];
  const order = compareEnds(low, high);
  return order < 0 || (order === 0 && lowClosed && highClosed) ? [interval] : [];
}

/** Where a starts against where b starts. */
function compareLows(a: Interval, b: Interval): number {
  if (a.low === null || b.low === null) return (a.low === null ? 0 : 1) - (b.low === null ? 0 : 1);
  return compareEnds(a.low, b.low) || Number(b.lowClosed) - Number(a.lowClosed);
}

function compareHighs(a: Interval, b: Interval): number {
  if (a.high === null || b.high === null) return (a.high === null ? 1 : 0) - (b.high === null ? 1 : 0);
  return compareEnds(a.high, b.high) || Number(a.highClosed) - Number(b.highClosed);
}

export function union(a: RealSet, b: RealSet): RealSet {
  const pieces = [...a, ...b].sort(compareLows);
  const merged: Interval[] = [];
  for (const piece of pieces) {
    const last = merged.at(-1);
    if (!last || !touches(last, piece)) merged.push(piece);
    else if (compareHighs(last, piece) < 0)
      merged[merged.length - 1] = { ...last, high: piece.high, highClosed: piece.highClosed };
  }
  return merged;
}

/** Whether `next`, which does not start before `last`, leaves no gap behind it. */
function touches(last: Interval, next: Interval): boolean {
  if (last.high === null || next.low === null) return true;
  const order = compareEnds(next.low, last.high);
  return order < 0 || (order === 0 && (next.lowClosed || last.highClosed));
}

export function intersection(a: RealSet, b: RealSet): RealSet {
  const pieces: Interval[] = [];
  for (const x of a) {
    for (const y of b) {
      const start = compareLows(x, y) >= 0 ? x : y;
      const end = compareHighs(x, y) <= 0 ? x : y;
      pieces.push(
        ...intervalSet({ low: start.low, lowClosed: start.lowClosed, high: end.high, highClosed: end.highClosed }),
      );
    }
  }
  return union(pieces, []);
}

/** All real numbers that are not in it. */
export function complement(set: RealSet): RealSet {
  let rest: RealSet = ALL;
  for (const { low, high, lowClosed, highClosed } of set) {
    const below: RealSet = low === null ? [] : [{ low: null, lowClosed: false, high: low, highClosed: !lowClosed }];
    const above: RealSet = high === null ? [] : [{ low: high, lowClosed: !highClosed, high: null, highClosed: false }];
    rest = intersection(rest, [...below, ...above]);
  }
  return rest;
}

export function sameSet(a: RealSet, b: RealSet): boolean {
  return (
    a.length === b.length && a.every((piece, i) => compareLows(piece, b[i]!) === 0 && compareHighs(piece, b[i]!) === 0)
  );
}
