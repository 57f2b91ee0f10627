export { z } from "zod";
export { RolloutConfig, SamplingConfig } from "./config.ts";
export type { Counterpart, CounterpartReply, CounterpartStart } from "./counterpart.ts";
export { DialogueConfig, openDialogue, truncateToTokens } from "./dialogue/index.ts";
export type { ContractOptions, Finding } from "./envs/contract/index.ts";
export { validateSource } from "./envs/contract/index.ts";
export type { EnvServer, ServeOptions } from "./envs/http/index.ts";
export { serveSource } from "./envs/http/index.ts";
export type {
  Environment,
  EnvironmentDef,
  EnvironmentSource,
  EnvReset,
  EnvSplit,
  EnvStep,
  EpisodeStart,
} from "./envs/index.ts";
export { defineEnvironment } from "./envs/index.ts";
export { EnvRegistry } from "./envs/registry.ts";
export type { GenerateOptions, GenerateRequest, GenerateStats, Sampler } from "./generate.ts";
export { checkContext, generate, promptIds } from "./generate.ts";
export type { Ledger, LedgerParts, LedgerRun } from "./ledger.ts";
export { ledgerOf, requireSampled, sampledMask } from "./ledger.ts";
export type { SampleOptions } from "./sample.ts";
export { dialogueNotes, dialogueOf, sampleCompletions } from "./sample.ts";
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
