export { type Comparison, compareScores, holm } from "./comparison.ts";
export {
  type CrossedDraws,
  type CrossedOptions,
  crossedDraws,
  crossedInterval,
  type Estimate,
  seedInterval,
} from "./crossed.ts";
export { type Demand, detectableDifference, type PlannedEvaluation, plannedSpread } from "./detectable.ts";
export { majorityAtK, passAtAllK, type Vote } from "./samples.ts";
export { type Scores, type Spread, spreadOf } from "./spread.ts";
export { studentQuantile, studentTail } from "./student.ts";
export { interquartileMean, performanceProfile } from "./tasks.ts";
