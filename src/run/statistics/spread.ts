import { mean } from "../../trainers/statistics.ts";
import { studentQuantile } from "./student.ts";

/** One value per seed and problem: `scores[seed][problem]`; every seed has the same problems in the same order. */
export type Scores = readonly (readonly number[])[];

/** How well the mean of scores is known. */
export interface Spread {
  readonly mean: number;
  /** Standard error of the mean for other seeds and other problems; NaN for a single value. */
  readonly standardError: number;
  /** Degrees of freedom of Student's t that belong to it. */
  readonly degrees: number;
}

/**
 * Standard error of a mean over seeds × problems, from the two-way table without replication (random effects of seeds and of problems).
 *
 * With mean squares MS_seed, MS_problem and MS_rest, Var(mean) = (MS_seed + max(0, MS_problem − MS_rest)) / (S·P): the spread of the seeds' means, which holds the
 * noise of sampling, and what problems add to it. See {@link crossedDegrees}. One seed: over problems alone, so that it speaks of that one training run; one
 * problem: over seeds alone.
 * @throws RangeError when seeds have different numbers of problems, or there is none
 */
export function spreadOf(scores: Scores): Spread {
  const [seeds, problems] = [scores.length, scores[0]?.length ?? 0];
  if (problems === 0 || scores.some((row) => row.length !== problems))
    throw new RangeError(`spreadOf(): needs the same problems for each seed, got ${scores.map((row) => row.length)}`);
  if (seeds === 1) return spreadOfList(scores[0]!);
  if (problems === 1) return spreadOfList(scores.map(([value]) => value!));
  const { centre, seed, problem, rest } = meanSquares(scores);
  const added = Math.max(0, problem - rest);
  return {
    mean: centre,
    standardError: Math.sqrt((seed + added) / (seeds * problems)),
    degrees: crossedDegrees({ seeds, problems }, { seed, problem: added > 0 ? problem : 0, rest }),
  };
}

/**
 * Degrees of freedom for a variance made of mean squares of seeds and of problems. Satterthwaite's (1946) are too many where few seeds and many problems weigh alike,
 * Cochran's quantile (weighted by the two parts; Cochran and Cox 1950) is too large there: these are the degrees whose 97.5 % quantile lies half-way. In simulation
 * (bench/statistics.ts) that keeps a test at the 5 % level between 3 and 6 % from two seeds on.
 * @param squares `problem` is 0 where problems add nothing
 */
export function crossedDegrees(
  size: { readonly seeds: number; readonly problems: number },
  squares: { readonly seed: number; readonly problem: number; readonly rest: number },
): number {
  const [ofSeeds, ofProblems] = [size.seeds - 1, size.problems - 1];
  const { seed, problem, rest } = squares;
  if (problem === 0) return ofSeeds;
  const added = Math.max(0, problem - rest);
  const variance = seed + added;
  const uncertainty = seed ** 2 / ofSeeds + problem ** 2 / ofProblems + rest ** 2 / (ofSeeds * ofProblems);
  const fewest = Math.min(ofSeeds, ofProblems);
  const satterthwaite = Math.max(fewest, variance ** 2 / uncertainty);
  const quantile = (degrees: number): number => studentQuantile(0.975, degrees);
  const cochran = (seed * quantile(ofSeeds) + added * quantile(ofProblems)) / variance;
  const wanted = (quantile(satterthwaite) + cochran) / 2;
  let [low, high] = [fewest, Math.max(satterthwaite, ofSeeds, ofProblems)];
  for (let i = 0; i < 40 && high - low > 1e-6 * low; i++) {
    const middle = Math.sqrt(low * high);
    if (quantile(middle) > wanted) low = middle;
    else high = middle;
  }
  return high;
}

function spreadOfList(values: readonly number[]): Spread {
  const [centre, count] = [mean(values), values.length];
  if (count === 1) return { mean: centre, standardError: Number.NaN, degrees: Number.NaN };
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return { mean: centre, standardError: Math.sqrt(squares / (count - 1) / count), degrees: count - 1 };
}

/** Mean squares of a two-way table with one value a cell. */
export function meanSquares(scores: Scores) {
  const [seeds, problems] = [scores.length, scores[0]!.length];
  const rows = scores.map(mean);
  const columns = scores[0]!.map((_, p) => mean(scores.map((row) => row[p]!)));
  const centre = mean(rows);
  const squares = (values: readonly number[]): number => values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  let rest = 0;
  for (const [s, row] of scores.entries())
    for (const [p, value] of row.entries()) rest += (value - rows[s]! - columns[p]! + centre) ** 2;
  return {
    centre,
    seed: (problems * squares(rows)) / (seeds - 1),
    problem: (seeds * squares(columns)) / (problems - 1),
    rest: rest / ((seeds - 1) * (problems - 1)),
  };
}
