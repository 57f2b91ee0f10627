import type { CallRun, CodeLimits, RunStatus } from "./types.ts";
import { isWire } from "./values.ts";

/** Begins each line of a guest: the record separator of ASCII. */
export const REPLY_MARK = "\x1e";
/** Room for what a guest writes around a result. */
const FRAME_BYTES = 4096;
/** So that a result that is too long is seen before the limit of all of them. */
const SLACK_BYTES = 128 * 1024;
/** Of all results of a program together. */
const MAX_REPLY_BYTES = 16 * 2 ** 20;

/** Reads the lines of a guest as they come: `count` runs at most. Time and memory are linear, whatever a program writes itself. */
export class ReplyReader {
  readonly runs: CallRun[] = [];
  readonly #count: number;
  readonly #outputBytes: number;
  /** Of the line that has not ended; what exceeds the limit is only counted. */
  #parts: string[] = [];
  #length = 0;

  constructor({ count, limits }: { count: number; limits: CodeLimits }) {
    this.#count = count;
    this.#outputBytes = limits.outputBytes;
  }

  /** @returns the runs that ended with this part of the output */
  push(text: string): CallRun[] {
    const before = this.runs.length;
    const lines = text.split("\n");
    lines.forEach((line, i) => {
      this.#take(line);
      if (i < lines.length - 1) this.#endLine();
    });
    return this.runs.slice(before);
  }

  /** A line that becomes too long is a reply at once. */
  #take(part: string): void {
    const max = this.#outputBytes + FRAME_BYTES;
    const wasTooLong = this.#length > max;
    this.#length += part.length;
    if (wasTooLong) return;
    this.#parts.push(part);
    if (this.#length > max) this.#add(() => tooLong(this.#outputBytes));
  }

  #endLine(): void {
    if (this.#length <= this.#outputBytes + FRAME_BYTES)
      this.#add(() => readReply(this.#parts.join("").slice(REPLY_MARK.length)));
    this.#parts = [];
    this.#length = 0;
  }

  #add(run: () => CallRun): void {
    const isReply = this.#parts.find((part) => part !== "")?.startsWith(REPLY_MARK) ?? false;
    if (isReply && this.runs.length < this.#count) this.runs.push(run());
  }
}

/** Reads all lines of a guest: `count` runs at most. */
export function readReplies(stdout: string, of: { count: number; limits: CodeLimits }): CallRun[] {
  const reader = new ReplyReader(of);
  reader.push(`${stdout}\n`);
  return reader.runs;
}

/** Room for what a guest writes of some calls: it is kept small enough to be read beside other work. */
export function replyBytes(count: number, { outputBytes }: CodeLimits): number {
  const one = outputBytes + FRAME_BYTES;
  return Math.min(count * one, Math.max(one, MAX_REPLY_BYTES)) + SLACK_BYTES;
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
