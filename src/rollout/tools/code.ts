import { z } from "zod";
import type { CodeToolConfig } from "./config.ts";
import { defineTool, type Tool } from "./tool.ts";

/** A sandbox that runs whole programs; those of the code rewards are such. */
export interface ProgramRunner {
  readonly language: "python" | "javascript";
  program(
    code: string,
    stdin: string,
    limits: {
      readonly timeoutMs: number;
      readonly totalMs: number;
      readonly memoryMb: number;
      readonly outputBytes: number;
    },
  ): Promise<{ readonly status: string; readonly stdout: string; readonly detail: string }>;
}

/** Runs the model's programs in a sandbox; what they print is the result. */
export function codeTool(runner: ProgramRunner, { timeoutMs, memoryMb, outputKb }: CodeToolConfig): Tool {
  const limits = { timeoutMs, totalMs: timeoutMs, memoryMb, outputBytes: outputKb * 1024 };
  return defineTool({
    name: "code",
    description: `Runs a ${runner.language === "python" ? "Python" : "JavaScript"} program in a sandbox without network and returns what it prints. Every program starts anew.`,
    parameters: z.strictObject({ code: z.string().describe("the whole program; it must print its results") }),
    async run({ code }) {
      const { status, stdout, detail } = await runner.program(code, "", limits);
      if (status === "ok") return stdout === "" ? "The program printed nothing." : stdout;
      throw new Error(
        [detail, stdout === "" ? "" : `Printed before: ${stdout}`].filter((part) => part !== "").join("\n"),
      );
    },
  });
}
