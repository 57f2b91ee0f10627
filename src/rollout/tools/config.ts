import { z } from "zod";

/** How a model writes its calls; see docs/tools.md. */
export const ToolFormat = z
  .enum(["hermes", "llama", "fenced"])
  .default("hermes")
  .describe(
    'hermes: <tool_call>{"name", "arguments"}</tool_call> (Hermes, Qwen, SmolLM); llama: the turn is {"name", "parameters"}; ' +
      "fenced: blocks of JSON, and of code where the code tool is given",
  );
export type ToolFormat = z.infer<typeof ToolFormat>;

/** Options of the code tool. */
export const CodeToolConfig = z.strictObject({
  language: z.enum(["python", "javascript"]).default("python").describe("language of the programs"),
  timeoutMs: z.int().min(10).default(4000).describe("longest time of one program, ms"),
  memoryMb: z.int().min(16).default(512).describe("memory of one program, MiB"),
  outputKb: z
    .int()
    .min(1)
    .default(64)
    .describe("longest output of one program, KiB; a program that prints more is stopped"),
});
export type CodeToolConfig = z.infer<typeof CodeToolConfig>;

/** How an MCP server is reached: a command that speaks over its standard input and output, or an address. */
export const McpConfig = z
  .strictObject({
    command: z.string().min(1).optional().describe("program of the server"),
    args: z.array(z.string()).default([]).describe("its arguments"),
    env: z.record(z.string(), z.string()).default({}).describe("variables besides PATH, HOME and the like"),
    cwd: z.string().optional().describe("its folder; absent: the recipe's"),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe("address of a server that speaks streamable HTTP"),
    headerVariables: z
      .record(z.string(), z.string())
      .default({})
      .describe("HTTP headers and the environment variables that hold their values"),
    only: z.array(z.string()).min(1).optional().describe("names of the tools that are used; absent: all"),
    startMs: z.int().min(100).default(20_000).describe("longest time until the server has told its tools, ms"),
  })
  .refine(({ command, url }) => (command === undefined) !== (url === undefined), {
    error: "needs either command or url",
  });
export type McpConfig = z.infer<typeof McpConfig>;

/** One entry of a recipe's list of tools. */
export const ToolEntry = z.union([
  z.enum(["calculator", "code"]),
  z.strictObject({ code: CodeToolConfig }),
  z.strictObject({
    module: z
      .string()
      .min(1)
      .describe("TypeScript or JavaScript file whose default export is a tool or a list of them"),
  }),
  z.strictObject({ mcp: McpConfig }),
]);
export type ToolEntry = z.infer<typeof ToolEntry>;

/** The tools of a recipe. */
export const ToolsConfig = z.array(ToolEntry).min(1).describe("what the policy can call");
export type ToolsConfig = z.infer<typeof ToolsConfig>;

/** Limits of every call. */
export const ToolLimits = z.strictObject({
  deadlineMs: z.int().min(10).default(10_000).describe("longest time of one call, ms; then its result is an error"),
  maxChars: z.int().min(100).default(4000).describe("longest result, characters; the rest is cut off"),
  callsPerTurn: z.int().min(1).max(64).default(8).describe("most calls of one turn"),
});
export type ToolLimits = z.infer<typeof ToolLimits>;
