import type { CallRun, CodeLimits, RunStatus } from "./types.ts";
import { isWire } from "./values.ts";

/** Begins each line of a guest: the record separator of ASCII. */
export const REPLY_MARK = "\x1e";
/** Room for what a guest writes around a result. */
export const FRAME_BYTES = 4096;

/** Reads the lines of a guest: `count` runs at most. */
export function readReplies(stdout: string, { count, limits }: { count: number; limits: CodeLimits }): CallRun[] {
  const lines = stdout.split("\n").filter((line) => line.startsWith(REPLY_MARK));
  return lines.slice(0, count).map((line) => {
    if (line.length > limits.outputBytes + FRAME_BYTES) return tooLong(limits.outputBytes);
    return readReply(line.slice(REPLY_MARK.length));
  });
}

/**
 * Adds how the guest's process ended, as what the first call without a line is told.
 * @returns at least one run
 */
export function withEnd(
  runs: readonly CallRun[],
  { count, end }: { count: number; end: { status: RunStatus; detail: string } },
): CallRun[] {
  if (runs.length === count || (runs.length > 0 && end.status === "ok")) return [...runs];
  if (end.status !== "ok") return [...runs, { ...end, value: null }];
  return [{ status: "exception", value: null, detail: "the program ended before its function returned" }];
}

function tooLong(bytes: number): CallRun {
  return { status: "output", value: null, detail: `returned more than ${bytes} bytes` };
}

/** What a guest wrote of one call, checked. */
export function readReply(text: string): CallRun {
  const broken: CallRun = { status: "exception", value: null, detail: "the program disturbed its own results" };
  let reply: unknown;
  try {
    reply = JSON.parse(text);
  } catch {
    return broken;
  }
  if (typeof reply !== "object" || reply === null) return broken;
  if ("error" in reply && typeof reply.error === "string") {
    const isMemory = /^(MemoryError|InternalError: out of memory)/.test(reply.error);
    return { status: isMemory ? "memory" : "exception", value: null, detail: reply.error.slice(0, 400) };
  }
  return "value" in reply && isWire(reply.value) ? { status: "ok", value: reply.value, detail: "" } : broken;
}
