import { crossedDegrees, type Spread } from "./spread.ts";
import { studentQuantile } from "./student.ts";

/** How sure a finding has to be. */
export interface Demand {
  /** Chance of a false finding where there is no difference. */
  readonly level: number;
  /** Chance to find a difference that is there. */
  readonly power: number;
}

const USUAL: Demand = { level: 0.05, power: 0.8 };

/**
 * The smallest true difference that a two-sided test finds with the chance asked for: (t_{1−level/2} + t_{power}) · standard error (Bloom 1995, Evaluation Review
 * 19). Divide `level` by the number of comparisons for the first step of Holm's correction.
 */
export function detectableDifference(spread: Pick<Spread, "standardError" | "degrees">, demand = USUAL): number {
  const { standardError, degrees } = spread;
  if (Number.isNaN(standardError)) return Number.NaN;
  return (studentQuantile(1 - demand.level / 2, degrees) + studentQuantile(demand.power, degrees)) * standardError;
}

/** What a plan says, and what is assumed of runs that are not there yet. */
export interface PlannedEvaluation {
  readonly seeds: number;
  readonly problems: number;
  /** Completions a problem. */
  readonly samples: number;
  /** Share of right answers; noise of sampling is largest at 0.5. */
  readonly accuracy: number;
  /** Standard deviation over seeds of the difference of two methods, as a share. */
  readonly seedDeviation: number;
  /** Standard deviation over problems of the same. */
  readonly problemDeviation: number;
}

/**
 * Standard error of a paired difference of two methods before any run: noise of sampling 2·p·(1−p)/n a cell, plus the assumed spreads of seeds and problems.
 * The same formula as {@link spreadOf}, with expected mean squares in the place of measured ones.
 */
export function plannedSpread(plan: PlannedEvaluation): Pick<Spread, "standardError" | "degrees"> {
  const { seeds, problems, samples, accuracy, seedDeviation, problemDeviation } = plan;
  const rest = (2 * accuracy * (1 - accuracy)) / samples;
  const added = seeds * problemDeviation ** 2;
  if (seeds === 1) return { standardError: Math.sqrt((rest + added) / problems), degrees: Math.max(1, problems - 1) };
  const seed = problems * seedDeviation ** 2 + rest;
  const problem = added > 0 ? added + rest : 0;
  return {
    standardError: Math.sqrt((seed + added) / (seeds * problems)),
    degrees: problems === 1 ? seeds - 1 : crossedDegrees({ seeds, problems }, { seed, problem, rest }),
  };
}
