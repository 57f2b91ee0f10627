/**
 * The package's front door: train and evaluate by recipe. Each layer has an entry of its own, such as `rlvr/graph` or `rlvr/rewards`.
 */
export * from "./run/index.ts";
export { createTrainer } from "./trainers/create.ts";
export type { EvaluationOutput, KindScores, Metrics, SampleRow, StepOutput, Trainer } from "./trainers/types.ts";
export * from "./utils/errors.ts";
