import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Repetition, WorkerInfo } from "./protocol.ts";

/** How a worker is started. */
export interface WorkerCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** What a worker did: one repetition for each round, null where it died. */
export interface WorkerResult {
  readonly name: string;
  readonly info: WorkerInfo | null;
  readonly rounds: readonly (Repetition | null)[];
  /** What it wrote to standard error last, when it died. */
  readonly failure: string | null;
}

const REST_MS = 100; // threads of the worker before stop spinning
const END_MS = 20_000;
const SHOWN = 600;

/**
 * Times long-lived workers side by side. They start one after another; then each round runs one repetition of every worker, in an order that
 * rotates, so that slow drift of the machine hits all of them alike.
 * @param options.warm rounds before those that count
 */
export async function rotate(
  commands: readonly (WorkerCommand & { readonly name: string })[],
  options: { readonly rounds: number; readonly warm: number; note?(text: string): unknown },
): Promise<WorkerResult[]> {
  const workers: BenchWorker[] = [];
  try {
    for (const command of commands) {
      options.note?.(`${command.name} starts`);
      const worker = new BenchWorker(command.name, command);
      workers.push(worker);
      await worker.ready();
    }
    for (let round = -options.warm; round < options.rounds; round++) {
      options.note?.(round < 0 ? "warm-up" : `round ${round + 1} of ${options.rounds}`);
      for (let i = 0; i < workers.length; i++) {
        const worker = workers[(i + round + options.warm) % workers.length]!;
        await sleep(REST_MS);
        const answer = await worker.repeat();
        if (round >= 0) worker.rounds.push(answer);
      }
    }
  } finally {
    for (const worker of workers) await worker.end();
  }
  return workers.map(({ name, info, rounds, failure }) => ({ name, info, rounds, failure }));
}

class BenchWorker {
  readonly name: string;
  readonly rounds: (Repetition | null)[] = [];
  info: WorkerInfo | null = null;
  failure: string | null = null;
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private errors = "";

  constructor(name: string, { file, args, env }: WorkerCommand) {
    this.name = name;
    this.child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"], ...(env && { env }) });
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.errors = (this.errors + text).slice(-SHOWN);
    });
    this.child.on("error", ({ message }) => {
      this.errors += message;
    });
    this.child.stdin!.on("error", () => {}); // it died: the missing answer tells
    this.lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  async ready(): Promise<void> {
    this.info = await this.answer<WorkerInfo>("READY");
  }

  async repeat(): Promise<Repetition | null> {
    if (this.failure !== null) return null;
    this.child.stdin!.write("go\n");
    return this.answer<Repetition>("");
  }

  /** Closes its input, which ends it. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined) return;
    const ended = once(this.child, "exit");
    this.child.stdin!.end();
    const timer = setTimeout(() => this.child.kill("SIGKILL"), END_MS);
    await ended;
    clearTimeout(timer);
  }

  /** The next line that is a JSON object behind a prefix; libraries print lines of their own. */
  private async answer<T>(prefix: string): Promise<T | null> {
    for (;;) {
      const { value, done } = await this.lines.next();
      if (done) {
        this.failure = this.errors.trim() || "it ended without an answer";
        return null;
      }
      const object = value.startsWith(`${prefix}{`) ? parsed(value.slice(prefix.length)) : null;
      if (object !== null) return object as T;
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
