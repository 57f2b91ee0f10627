import { ConfigError } from "../../utils/errors.ts";
import { nearest } from "../../utils/nearest.ts";
import { calculator } from "./calculator.ts";
import { readCalls, type ToolCall } from "./calls.ts";
import { codeTool, type ProgramRunner } from "./code.ts";
import { CodeToolConfig, type ToolEntry, type ToolFormat, type ToolLimits, type ToolsConfig } from "./config.ts";
import { openMcp } from "./mcp.ts";
import { moduleTools } from "./module.ts";
import { runTool, type ToolResult } from "./run-tool.ts";
import { definitionOf, type Tool, type ToolDefinition } from "./tool.ts";

/** What one call in a turn is. */
export type CallOutcome =
  | { readonly kind: "call"; readonly call: ToolCall; readonly tool: Tool; readonly value: unknown }
  | { readonly kind: "unknown-tool" | "bad-arguments"; readonly call: ToolCall; readonly problem: string };

/** What a turn asks for. */
export type TurnOutcome =
  | { readonly kind: "none" }
  | { readonly kind: "malformed" | "truncated"; readonly problem: string }
  | { readonly kind: "calls"; readonly calls: readonly CallOutcome[] };

/** What tools need from outside of the rollout. */
export interface ToolHooks {
  /** Folder that paths in the recipe start from. */
  readonly folder: string;
  /** Makes the sandbox of the code tool. @throws ConfigError when there is none on this machine */
  readonly code?: (language: ProgramRunner["language"]) => ProgramRunner;
}

/** Opened tools. Many conversations use them at once. */
export interface ToolBox {
  readonly tools: ReadonlyMap<string, Tool>;
  /** As chat templates take them. */
  readonly definitions: readonly ToolDefinition[];
  /** Language of the code tool; null when there is none. */
  readonly codeLanguage: ProgramRunner["language"] | null;
  /**
   * Reads the calls of a turn.
   * @param isCut a limit ended the turn: a call that is not closed was truncated, not malformed
   */
  read(text: string, format: ToolFormat, isCut: boolean): TurnOutcome;
  /** Never throws: a tool that fails gives an error text. */
  run(tool: Tool, value: unknown): Promise<ToolResult>;
  readonly limits: ToolLimits;
  close(): Promise<void>;
}

/**
 * Opens the tools of a recipe.
 * @throws ConfigError when one of them can't be had, or two have one name
 */
export async function openTools(config: ToolsConfig, limits: ToolLimits, hooks: ToolHooks): Promise<ToolBox> {
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(closers.splice(0).map((end) => end()));
  };
  try {
    const all: Tool[] = [];
    let codeLanguage: ProgramRunner["language"] | null = null;
    for (const entry of config) {
      const opened = await openEntry(entry, hooks);
      all.push(...opened.tools);
      if (opened.close) closers.push(opened.close);
      codeLanguage = opened.codeLanguage ?? codeLanguage;
    }
    return toolBox(all, { limits, codeLanguage, close });
  } catch (error) {
    await close();
    throw error;
  }
}

interface Opened {
  readonly tools: readonly Tool[];
  readonly codeLanguage?: ProgramRunner["language"];
  readonly close?: () => Promise<void>;
}

async function openEntry(entry: ToolEntry, hooks: ToolHooks): Promise<Opened> {
  if (entry === "calculator") return { tools: [calculator] };
  if (entry === "code") return openCode(CodeToolConfig.parse({}), hooks);
  if ("code" in entry) return openCode(entry.code, hooks);
  if ("module" in entry) return { tools: await moduleTools(entry.module, hooks.folder) };
  return openMcp(entry.mcp, hooks.folder);
}

function openCode(config: CodeToolConfig, { code }: ToolHooks): Opened {
  if (!code) throw new ConfigError("tools: code needs a sandbox, and none was given here");
  return { tools: [codeTool(code(config.language), config)], codeLanguage: config.language };
}

/** Puts tools together that are open already. @throws ConfigError when two have one name */
export function toolBox(
  all: readonly Tool[],
  options: Pick<ToolBox, "limits" | "close"> & { readonly codeLanguage?: ProgramRunner["language"] | null },
): ToolBox {
  const tools = new Map<string, Tool>();
  for (const tool of all) {
    if (tools.has(tool.name)) throw new ConfigError(`tools: two tools are named ${tool.name}`);
    tools.set(tool.name, tool);
  }
  const { limits, close, codeLanguage = null } = options;
  const code = codeLanguage === null ? undefined : languageMarks(codeLanguage);
  return {
    tools,
    definitions: all.map(definitionOf),
    codeLanguage,
    limits,
    close,
    run: (tool, value) => runTool(tool, value, limits),
    read(text, format, isCut) {
      const found = readCalls(text, format, { lists: true, ...(code && { code }) });
      if ("problem" in found)
        return {
          kind: isCut && found.isOpen === true ? "truncated" : "malformed",
          problem: `the turn ${found.problem}`,
        };
      if (found.calls.length === 0) return { kind: "none" };
      if (found.calls.length > limits.callsPerTurn)
        return {
          kind: "malformed",
          problem: `the turn makes ${found.calls.length} calls, at most ${limits.callsPerTurn} are allowed`,
        };
      return { kind: "calls", calls: found.calls.map((call) => outcomeOf(call, tools)) };
    },
  };
}

/** Marks of fenced blocks whose content the code tool runs. */
function languageMarks(
  language: ProgramRunner["language"],
): ReadonlyMap<string, { readonly tool: string; readonly argument: string }> {
  const marks = language === "python" ? ["python", "py", "python3"] : ["javascript", "js"];
  return new Map(marks.map((mark) => [mark, { tool: "code", argument: "code" }]));
}

function outcomeOf(call: ToolCall, tools: ReadonlyMap<string, Tool>): CallOutcome {
  const tool = tools.get(call.name);
  if (tool === undefined) {
    const names = [...tools.keys()];
    const near = nearest(call.name.slice(0, 64), names);
    const hint = near ? `; did you mean ${near}?` : `; there are ${names.join(", ")}`;
    return { kind: "unknown-tool", call, problem: `there is no tool ${JSON.stringify(call.name.slice(0, 64))}${hint}` };
  }
  const read = tool.read(call.arguments);
  if ("problem" in read) return { kind: "bad-arguments", call, problem: `arguments of ${call.name}: ${read.problem}` };
  return { kind: "call", call, tool, value: read.value };
}
