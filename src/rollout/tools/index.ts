export { type CallForm, type CallOptions, type CallsRead, readCalls, type ToolCall } from "./calls.ts";
export type { ProgramRunner } from "./code.ts";
export { CodeToolConfig, McpConfig, ToolEntry, ToolFormat, ToolLimits, ToolsConfig } from "./config.ts";
export { type ToolCounterpartOptions, toolCounterpart } from "./counterpart.ts";
export type { ToolEnd, ToolResult } from "./run-tool.ts";
export { type ToolTexts, templateTakesTools, toolTexts } from "./show.ts";
export { defineTool, type JsonObject, type OwnTool, type Tool, type ToolContext, type ToolDefinition } from "./tool.ts";
export { readTools, type ToolList } from "./tool-list.ts";
export { type CallOutcome, openTools, type ToolBox, type ToolHooks, type TurnOutcome, toolBox } from "./toolbox.ts";
