import { mean, quantile } from "../../trainers/statistics.ts";
import type { Rng } from "../../utils/rng.ts";
import { type Scores, spreadOf } from "./spread.ts";
import { studentQuantile } from "./student.ts";

/** A value with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Which seeds and which problems each resample holds. */
export interface CrossedDraws {
  readonly seeds: readonly Int32Array[];
  readonly problems: readonly Int32Array[];
}

/** Draws seeds with repetition and, apart from them, problems with repetition (the pigeonhole bootstrap; Owen 2007, Annals of Applied Statistics 1). */
export function crossedDraws(seeds: number, problems: number, rng: Rng, resamples = 2000): CrossedDraws {
  const draw = (size: number): Int32Array => Int32Array.from({ length: size }, () => Math.floor(rng.uniform() * size));
  return {
    seeds: Array.from({ length: resamples }, () => draw(seeds)),
    problems: Array.from({ length: resamples }, () => draw(problems)),
  };
}

/** Options of {@link crossedInterval}. */
export interface CrossedOptions {
  /** What is estimated, from all values of a resample; the mean when absent. */
  readonly statistic?: (values: Float64Array) => number;
  /** Where the value can lie; shares lie in [0, 1]. */
  readonly range?: readonly [number, number];
}

/**
 * 95 % interval of a statistic over seeds × problems by the crossed bootstrap. A handful of seeds spreads less in resamples than it should ((S − 1) / S of
 * its variance, and no tails), so the distances from the value are stretched: by as much as makes the mean's interval as wide as Student's with the error and the degrees of
 * {@link spreadOf}. The bootstrap gives the shape. Nothing leaves the range, and where all values sit at an end of it the interval is that of seeing no exception among the problems
 * (Clopper and Pearson 1934), since no resample can show one.
 * @param draws of {@link crossedDraws}; the same ones for methods that are compared
 */
export function crossedInterval(scores: Scores, draws: CrossedDraws, options: CrossedOptions = {}): Estimate {
  const { statistic, range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] } = options;
  const { mean: centre, standardError, degrees } = spreadOf(scores);
  const value = statistic ? statistic(flat(scores)) : centre;
  if (Number.isNaN(standardError)) return { value, low: range[0], high: range[1] };
  if (standardError === 0) return atEnd(value, scores[0]!.length, range);
  const means = draws.seeds.map((seeds, i) => resampledMean(scores, seeds, draws.problems[i]!));
  const width = quantile(means, 0.975) - quantile(means, 0.025);
  const stretch = width === 0 ? 1 : (2 * studentQuantile(0.975, degrees) * standardError) / width;
  const values = statistic
    ? draws.seeds.map((seeds, i) => statistic(resampled(scores, seeds, draws.problems[i]!)))
    : means;
  const at = (level: number): number => value + stretch * (quantile(values, level) - value);
  return { value, low: Math.max(range[0], at(0.025)), high: Math.min(range[1], at(0.975)) };
}

function atEnd(value: number, problems: number, [low, high]: readonly [number, number]): Estimate {
  const exception = (high - low) * (1 - 0.025 ** (1 / problems));
  return {
    value,
    low: value === high ? high - exception : value,
    high: value === low ? low + exception : value,
  };
}

function resampledMean(scores: Scores, seeds: Int32Array, problems: Int32Array): number {
  let sum = 0;
  for (const s of seeds) {
    const row = scores[s]!;
    for (let i = 0; i < problems.length; i++) sum += row[problems[i]!]!;
  }
  return sum / (seeds.length * problems.length);
}

function resampled(scores: Scores, seeds: Int32Array, problems: Int32Array): Float64Array {
  const values = new Float64Array(seeds.length * problems.length);
  let at = 0;
  for (const s of seeds) for (const p of problems) values[at++] = scores[s]![p]!;
  return values;
}

function flat(scores: Scores): Float64Array {
  return Float64Array.from(scores.flat());
}

/** Mean of the values a seed, with Student's 95 % interval over seeds: for what has one value a run, such as an entropy. */
export function seedInterval(values: readonly number[], range: readonly [number, number]): Estimate {
  const { standardError, degrees } = spreadOf([values]);
  const value = mean(values);
  if (Number.isNaN(standardError)) return { value, low: range[0], high: range[1] };
  const half = studentQuantile(0.975, degrees) * standardError;
  return { value, low: Math.max(range[0], value - half), high: Math.min(range[1], value + half) };
}
