import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { MAX_EXTENSIONS, readProcessTree, wasStarved } from "../pool/cpu-clock.ts";

/** A process to run, and its limits. */
export interface ProcessJob {
  readonly argv: readonly string[];
  readonly stdin: string;
  /** Contents of the files 3, 4, … that it inherits; null: a file that it writes to, returned as `extra`. */
  readonly files: readonly (string | Uint8Array | null)[];
  /** From the start, or from the last time that `progress` saw the next part begin. */
  readonly timeoutMs: number;
  readonly totalMs: number;
  /** Standard output and standard error together. */
  readonly outputBytes: number;
  /** Takes what is printed, part by part, instead of `stdout`: the next part of the work has begun, nothing has changed, or the rest is not needed. */
  progress?(text: string): "next" | "same" | "stop";
}

/** How a process ended. */
export interface ProcessEnd {
  /** By itself, killed for a limit, or stopped by `progress`. */
  readonly end: "exit" | "timeout" | "output" | "stop";
  readonly stdout: string;
  readonly stderr: string;
  /** What was written to the files given as null, one after the other. */
  readonly extra: string;
  readonly ms: number;
}

/** Length of standard error that is kept. */
const ERROR_BYTES = 8192;

/**
 * Runs a process in a group of its own with no environment and kills the whole group when it exceeds a limit.
 * @param started is told its id
 * @throws the system's error when it can't be started
 */
export function runLimited(job: ProcessJob, started: (pid: number) => void): Promise<ProcessEnd> {
  return new Promise((resolve, reject) => {
    const [file = "", ...args] = job.argv;
    const stdio = ["pipe", "pipe", "pipe", ...job.files.map(() => "pipe" as const)] as const;
    const child = spawn(file, args, { stdio: [...stdio], detached: true, env: {}, cwd: "/" });
    const start = performance.now();
    const out = { stdout: "", stderr: "", extra: "", bytes: 0 };
    let end: ProcessEnd["end"] = "exit";
    let timer: NodeJS.Timeout | undefined;
    const kill = (why: Exclude<ProcessEnd["end"], "exit">): void => {
      if (end === "exit") end = why;
      clearTimeout(timer);
      killGroup(child);
    };
    const watch = (): void => {
      clearTimeout(timer);
      const before = child.pid === undefined ? null : readProcessTree(child.pid);
      const [from, left] = [performance.now(), job.totalMs - (performance.now() - start)];
      const expire = (extensions: number): void => {
        const isStarved = wasStarved(before, readProcessTree(child.pid!), performance.now() - from);
        if (extensions < MAX_EXTENSIONS && isStarved) timer = setTimeout(expire, job.timeoutMs, extensions + 1);
        else kill("timeout");
      };
      timer = setTimeout(expire, Math.max(0, Math.min(job.timeoutMs, left)), 0);
    };
    const count = (text: string): boolean => {
      out.bytes += Buffer.byteLength(text);
      if (out.bytes > job.outputBytes) kill("output");
      return out.bytes <= job.outputBytes;
    };
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("close", () => {
      clearTimeout(timer);
      resolve({ end, stdout: out.stdout, stderr: out.stderr, extra: out.extra, ms: performance.now() - start });
    });
    if (child.pid === undefined) return; // an error follows
    started(child.pid);
    read(child.stdout, (text) => {
      if (!count(text) || end !== "exit") return;
      if (!job.progress) {
        out.stdout += text;
        return;
      }
      const seen = job.progress(text);
      if (seen === "next") watch();
      else if (seen === "stop") kill("stop");
    });
    read(child.stderr, (text) => {
      if (count(text)) out.stderr = (out.stderr + text).slice(-ERROR_BYTES);
    });
    job.files.forEach((content, i) => {
      const stream = child.stdio[3 + i];
      if (content !== null) write(stream as Writable, content);
      else read(stream as Readable, (text) => (out.extra = (out.extra + text).slice(0, ERROR_BYTES)));
    });
    write(child.stdin, job.stdin);
    watch();
  });
}

/** The group is the process's own: it was started detached. */
function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, "SIGKILL");
  } catch {} // it has ended
}

function read(stream: Readable | null, take: (text: string) => void): void {
  stream?.setEncoding("utf8").on("data", take);
  stream?.on("error", () => {}); // it ended first
}

function write(stream: Writable | null, content: string | Uint8Array): void {
  stream?.on("error", () => {}); // a program need not read its input
  stream?.end(content);
}
