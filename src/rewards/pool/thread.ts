import { Worker } from "node:worker_threads";
import { messageOf, RewardError } from "../../utils/errors.ts";
import type { Verdict } from "../types.ts";
import { type CpuReading, MAX_EXTENSIONS, readThread, wasStarved, yieldCores } from "./cpu-clock.ts";
import { failed, late } from "./verdict-check.ts";
import type { Reply, Request } from "./worker.ts";

/** Limits of one thread. */
export interface ThreadLimits {
  readonly memoryMb: number;
  readonly growthMb: number;
  readonly startMs: number;
}

/** What came of one answer. */
export interface ThreadAnswer {
  readonly verdict: Verdict;
  readonly ms: number;
  /** Whether the thread can judge another one. */
  readonly isAlive: boolean;
}

/** How often the memory of the process is looked at while an answer is judged, ms. */
const WATCH_MS = 50;
const STACK_MB = 8;
const MIB = 2 ** 20;

/** One thread that judges one answer at a time and can be killed at any moment. */
export class VerifierThread {
  readonly #worker: Worker;
  readonly #limits: ThreadLimits;
  readonly #started: Promise<void>;
  /** As the kernel has it. */
  #threadId: number | null = null;
  #listener: ((event: Reply | { readonly kind: "gone"; readonly reason: string }) => void) | null = null;
  #gone: string | null = null;

  constructor(limits: ThreadLimits) {
    this.#limits = limits;
    this.#worker = startWorker(limits.memoryMb);
    let ready: () => void = () => {};
    let broken: (error: Error) => void = () => {};
    this.#started = new Promise((resolve, reject) => {
      ready = resolve;
      broken = reject;
    });
    this.#started.catch(() => {}); // told to the answer that waits for it
    this.#worker.on("message", (reply: Reply) => {
      if (reply.kind !== "ready") {
        this.#listener?.(reply);
        return;
      }
      this.#threadId = reply.threadId;
      ready();
    });
    const end = (reason: string): void => {
      this.#gone ??= reason;
      broken(new RewardError(this.#gone));
      this.#listener?.({ kind: "gone", reason: this.#gone });
    };
    this.#worker.on("error", (error) => end(explain(error, limits.memoryMb)));
    this.#worker.on("exit", (code) => end(`the verifier ended its thread (exit code ${code})`));
    this.#worker.unref(); // last: a listener for messages holds the process again
  }

  /**
   * Judges one answer; kills the thread when it exceeds a limit.
   * @param begin is called when the verifier itself starts
   */
  async judge(request: Request, deadlineMs: number, begin: () => void): Promise<ThreadAnswer> {
    this.#worker.ref(); // a program must not end while it waits for a verdict
    try {
      await within(this.#started, this.#limits.startMs);
    } catch (error) {
      await this.close();
      return { verdict: failed(`the verifier's thread did not start: ${messageOf(error)}`), ms: 0, isAlive: false };
    }
    try {
      const { verdict, ms, kill } = await this.#exchange(request, deadlineMs, begin);
      if (kill) await this.close();
      return { verdict, ms, isAlive: !kill && this.#gone === null };
    } finally {
      this.#worker.unref();
    }
  }

  /** Lets other threads have the cores. */
  giveWay(): void {
    if (this.#threadId !== null) yieldCores([this.#threadId]);
  }

  async close(): Promise<void> {
    this.#gone ??= "the pool was closed";
    await this.#worker.terminate();
  }

  #exchange(request: Request, deadlineMs: number, begin: () => void) {
    return new Promise<{ verdict: Verdict; ms: number; kill: boolean }>((resolve) => {
      const memory = process.memoryUsage.rss();
      let start = performance.now();
      let timer: NodeJS.Timeout | undefined;
      const finish = (verdict: Verdict, kill: boolean, ms = performance.now() - start): void => {
        clearTimeout(timer);
        clearInterval(watch);
        this.#listener = null;
        resolve({ verdict, ms, kill });
      };
      const expire = (before: CpuReading | null, extensions: number): void => {
        const now = this.#cpu();
        if (extensions < MAX_EXTENSIONS && wasStarved(before, now, performance.now() - start))
          timer = setTimeout(expire, deadlineMs, before, extensions + 1);
        else finish(late(deadlineMs), true);
      };
      const watch = setInterval(() => {
        const grown = (process.memoryUsage.rss() - memory) / MIB;
        if (grown > this.#limits.growthMb)
          finish(failed(`memory grew by ${Math.round(grown)} MiB while this answer was judged`), true);
      }, WATCH_MS);
      this.#listener = (event) => {
        if (event.kind !== "gone" && (event as { id?: number }).id !== request.id) return;
        if (event.kind === "gone") finish(failed(event.reason), true);
        else if (event.kind === "verdict") finish(event.verdict, false, event.ms);
        else if (event.kind === "begun") {
          clearTimeout(timer);
          start = performance.now();
          timer = setTimeout(expire, deadlineMs, this.#cpu(), 0);
          begin();
        }
      };
      timer = setTimeout(
        () => finish(failed(`the verifier did not load within ${this.#limits.startMs} ms`), true),
        this.#limits.startMs,
      );
      try {
        this.#worker.postMessage(request);
      } catch (error) {
        finish(failed(`the completion can't be sent to the verifier's thread: ${messageOf(error)}`), false);
      }
    });
  }

  #cpu(): CpuReading | null {
    return this.#threadId === null ? null : readThread(this.#threadId);
  }
}

function startWorker(memoryMb: number): Worker {
  const resourceLimits = {
    maxOldGenerationSizeMb: memoryMb,
    maxYoungGenerationSizeMb: Math.max(4, memoryMb / 8),
    stackSizeMb: STACK_MB,
  };
  const isSource = import.meta.url.endsWith(".ts"); // in a clone; .js when built
  const script = new URL(isSource ? "./worker.ts" : "./worker.js", import.meta.url);
  if (!isSource) return new Worker(script, { resourceLimits });
  // a thread does not inherit the TypeScript loader of the main thread
  const boot = `import(${JSON.stringify(import.meta.resolve("tsx/esm/api"))}).then(({ register }) => { register(); return import(${JSON.stringify(script.href)}); })`;
  return new Worker(boot, { eval: true, resourceLimits });
}

function explain(error: unknown, memoryMb: number): string {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === "ERR_WORKER_OUT_OF_MEMORY") return `the verifier needed more than ${memoryMb} MiB of memory`;
  return `the verifier's thread failed: ${messageOf(error)}`;
}

async function within(pending: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  try {
    await Promise.race([
      pending,
      new Promise((_, reject) => {
        timer = setTimeout(() => reject(new RewardError(`nothing within ${ms} ms`)), ms);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
