export { z } from "zod";
export { RolloutConfig, SamplingConfig } from "./config.ts";
export type { Counterpart, CounterpartReply, CounterpartStart } from "./counterpart.ts";
export { DialogueConfig, openDialogue, truncateToTokens } from "./dialogue/index.ts";
export { EnvRegistry } from "./envs/registry.ts";
export type { GenerateOptions, GenerateRequest, GenerateStats, Sampler } from "./generate.ts";
export { checkContext, generate, promptIds } from "./generate.ts";
export type { Ledger, LedgerParts, LedgerRun } from "./ledger.ts";
export { ledgerOf, requireSampled, sampledMask } from "./ledger.ts";
export type { SampleOptions } from "./sample.ts";
export { dialogueOf, sampleCompletions } from "./sample.ts";
export type { Tool, ToolBox, ToolContext } from "./tools/index.ts";
export { defineTool } from "./tools/index.ts";
export type {
  Completion,
  Dialogue,
  DialogueMessage,
  Episode,
  EpisodeEnd,
  Insert,
  Json,
  Message,
  Provenance,
  Segment,
  StopReason,
  Task,
  TaskSet,
  TaskSetDef,
  TurnRecord,
} from "./types.ts";
