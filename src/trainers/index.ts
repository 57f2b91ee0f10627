export { groupAdvantages } from "./advantages.ts";
export { aggregationWeights } from "./aggregate.ts";
export {
  AdvantageConfig,
  AggregateConfig,
  DetectorsConfig,
  FilterConfig,
  ImportanceConfig,
  KlConfig,
  LossConfig,
  ObjectiveConfig,
  OutcomesConfig,
  SftConfig,
  StopConfig,
  UpdateConfig,
} from "./config.ts";
export { type CaseResult, runCase } from "./conformance.ts";
export { type ConformanceCase, readCases } from "./conformance-case.ts";
export { type Difference, largestDifference } from "./conformance-compare.ts";
export { type CreatedTrainer, createTrainer } from "./create.ts";
export { type EvaluateOptions, evaluate } from "./evaluate.ts";
export { GrpoTrainer } from "./grpo.ts";
export type { JobRecipe, TrainingJob } from "./job.ts";
export { METRICS, metricDef } from "./metrics.ts";
export { type Objective, type ObjectiveOptions, openObjective } from "./objective.ts";
export { SftTrainer } from "./sft.ts";
export { bootstrapInterval, majorityCorrect, mean, passAtK, quantile, std } from "./statistics.ts";
export type { EvaluationOutput, KindScores, Metrics, SampleRow, StepOutput, Trainer } from "./types.ts";
