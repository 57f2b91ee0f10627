export { type CallForm, type CallOptions, type CallsRead, readCalls, type ToolCall } from "./calls.ts";
export { readTools, type ToolList } from "./tool-list.ts";
