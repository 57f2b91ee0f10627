import { type Scores, spreadOf } from "./spread.ts";
import { studentQuantile, studentTail } from "./student.ts";

/** Difference of two methods over the same seeds and problems. */
export interface Comparison {
  /** Mean of second − first. */
  readonly difference: number;
  /** 95 % interval: Student's t. */
  readonly low: number;
  readonly high: number;
  /** Two-sided, of no difference; null where one pair alone says nothing about the spread. */
  readonly p: number | null;
  readonly standardError: number;
  readonly degrees: number;
  readonly seeds: number;
  readonly problems: number;
}

/**
 * Compares two methods cell by cell: what both find easy or hard, and what a seed does to both, cancels out. The test counts seeds and problems as drawn at
 * random (see {@link spreadOf}), so that it speaks of other seeds and other problems.
 * @param range where a value can lie; differences lie within its width
 * @throws RangeError when seeds or problems differ in number
 */
export function compareScores(first: Scores, second: Scores, range: readonly [number, number]): Comparison {
  if (first.length !== second.length)
    throw new RangeError(`compareScores(): ${first.length} against ${second.length} seeds`);
  const differences = second.map((row, s) => {
    if (row.length !== first[s]!.length)
      throw new RangeError(`compareScores(): ${first[s]!.length} against ${row.length} problems`);
    return row.map((value, p) => value - first[s]![p]!);
  });
  const { mean: difference, standardError, degrees } = spreadOf(differences);
  const width = range[1] - range[0];
  const size = { seeds: differences.length, problems: differences[0]!.length };
  if (Number.isNaN(standardError))
    return { difference, low: -width, high: width, p: null, standardError, degrees, ...size };
  if (standardError === 0)
    return {
      difference,
      low: difference,
      high: difference,
      p: difference === 0 ? 1 : 0,
      standardError,
      degrees,
      ...size,
    };
  const half = studentQuantile(0.975, degrees) * standardError;
  return {
    difference,
    low: Math.max(-width, difference - half),
    high: Math.min(width, difference + half),
    p: studentTail(difference / standardError, degrees),
    ...{ standardError, degrees, ...size },
  };
}

/**
 * p-values corrected for being several: with them the chance of any false finding in the family stays at the level asked for. Holm 1979, Scandinavian Journal of
 * Statistics 6. The i-th smallest of m is multiplied by m − i + 1, and none is below a smaller one's.
 * @param ps null for comparisons that have no p; they do not count
 */
export function holm(ps: readonly (number | null)[]): (number | null)[] {
  const order = ps.flatMap((p, i) => (p === null ? [] : [{ p, i }])).sort((a, b) => a.p - b.p);
  const adjusted = ps.map((): number | null => null);
  let floor = 0;
  for (const [rank, { p, i }] of order.entries()) {
    floor = Math.min(1, Math.max(floor, (order.length - rank) * p));
    adjusted[i] = floor;
  }
  return adjusted;
}
