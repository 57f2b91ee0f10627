export { RolloutConfig, SamplingConfig } from "./config.ts";
export type { GenerateOptions, GenerateRequest, GenerateStats, Sampler } from "./generate.ts";
export { checkContext, generate, promptIds } from "./generate.ts";
export type {
  Completion,
  Json,
  Message,
  Provenance,
  StopReason,
  Task,
  TaskSet,
  TaskSetDef,
} from "./types.ts";
