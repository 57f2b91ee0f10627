import { messageOf } from "../../utils/errors.ts";
import type { ToolLimits } from "./config.ts";
import type { Tool } from "./tool.ts";

/** How a call ended: well, with an error of the tool's, too late, or well with a result that was cut. */
export type ToolEnd = "ok" | "error" | "timeout" | "cut";

/** What a call gave. */
export interface ToolResult {
  readonly end: ToolEnd;
  /** For the model; never longer than the limit and the sentence about it. */
  readonly text: string;
  /** Wall time, ms. */
  readonly ms: number;
}

/**
 * Runs one call. Whatever the tool does, a result comes: its text, or an error text when it throws or takes too long.
 * A function that never yields the thread can't be stopped.
 */
export async function runTool(
  tool: Tool,
  value: unknown,
  { deadlineMs, maxChars }: Pick<ToolLimits, "deadlineMs" | "maxChars">,
): Promise<ToolResult> {
  const start = performance.now();
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<ToolEnd>((resolve) => {
    timer = setTimeout(resolve, deadlineMs, "timeout");
  });
  const work = (async () => tool.run(value, { signal: abort.signal }))();
  work.catch(() => {}); // may fail after its deadline
  const result = (end: ToolEnd, text: string): ToolResult => ({ end, text, ms: performance.now() - start });
  try {
    const first = await Promise.race([late, work.then((output) => ({ output }))]);
    if (typeof first !== "object") {
      abort.abort();
      return result("timeout", `Error: ${tool.name} took longer than ${deadlineMs} ms.`);
    }
    const text = textOf(first.output);
    return text.length <= maxChars ? result("ok", text) : result("cut", cut(text, maxChars));
  } catch (error) {
    const text = `Error: ${messageOf(error)}`;
    return result("error", text.length <= maxChars ? text : cut(text, maxChars));
  } finally {
    clearTimeout(timer);
  }
}

/** @throws TypeError for what JSON can't hold */
function textOf(output: unknown): string {
  if (typeof output === "string") return output;
  return output === undefined ? "Done." : (JSON.stringify(output) ?? String(output));
}

function cut(text: string, maxChars: number): string {
  const kept = text.slice(0, maxChars).replace(/[\ud800-\udbff]$/, "");
  return `${kept}\n[cut: the result has ${text.length} characters]`;
}
