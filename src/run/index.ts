export { compareByKind, type KindChange } from "./by-kind.ts";
export { type Checkpoint, type CheckpointManifest, newestCheckpoint, openCheckpoint } from "./checkpoints.ts";
export { type PairedDifference, pairedDifference, type Scores } from "./compare.ts";
export { consoleProgress, type Screen } from "./console.ts";
export { examineMachine, type Finding } from "./doctor/machine.ts";
export { examineRun } from "./doctor/run.ts";
export { describeEnvironment, type Environment, packageVersion } from "./environment.ts";
export { type EvaluationOptions, type EvaluationPlan, evaluateModel, planEvaluation } from "./evaluation.ts";
export { type Exported, type ExportOptions, exportRun } from "./export.ts";
export {
  type EvaluationRecord,
  latestModel,
  planRun,
  RunFolder,
  type RunPlan,
  readRecipeOf,
  resumeCommand,
} from "./folder.ts";
export { type Forecast, forecast } from "./forecast.ts";
export { type Headline, headlineOf } from "./headline.ts";
export { type Interrupt, listenForInterrupt, neverInterrupted } from "./interrupt.ts";
export { type Progress, type RunJob, type RunResult, runLoop } from "./loop.ts";
export { type MetricsRow, readMetrics } from "./metrics-log.ts";
export { convertModel, inspectModel, listModels, type ModelEntry, type ModelReport } from "./models.ts";
export { type ModelPullRequest, type PulledModel, pullModel } from "./pull-model.ts";
export { type Recipe, RecipeSchema, recipeJsonSchema } from "./recipe.ts";
export { loadRecipe, type RecipeOptions, recipeToYaml, resolveRecipe } from "./recipe-load.ts";
export { type RunData, readRun } from "./report/data.ts";
export { renderReport } from "./report/html.ts";
export { readSamples } from "./samples-log.ts";
export {
  type Comparison,
  type CrossedDraws,
  compareScores,
  crossedDraws,
  crossedInterval,
  detectableDifference,
  type Estimate,
  holm,
  interquartileMean,
  majorityAtK,
  type PlannedEvaluation,
  passAtAllK,
  performanceProfile,
  plannedSpread,
  type Scores as ScoreTable,
  type Spread,
  seedInterval,
  spreadOf,
  studentQuantile,
  studentTail,
  type Vote,
} from "./statistics/index.ts";
export { type OpenTrainer, type TrainJob, type TrainSummary, train } from "./train.ts";
export { type VerifyOptions, type VerifyReport, verifyModel } from "./verify/verify.ts";
