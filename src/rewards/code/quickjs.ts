import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { QuickJSContext, QuickJSHandle, QuickJSRuntime } from "quickjs-emscripten";
import { RewardError } from "../../utils/errors.ts";
import { MAX_EXTENSIONS, ownThreadId, readThread, wasStarved } from "../pool/cpu-clock.ts";
import { readReply } from "./guest-replies.ts";
import { JAVASCRIPT_GUEST, JAVASCRIPT_WORLD } from "./javascript-guest.ts";
import type { CallRun, CallRuns, CodeLimits, CodeRunner, FunctionCall, ProgramRun, RunStatus } from "./types.ts";

/** Of the runtime's global, the part that is used here: the language's own types do not have it. */
declare const WebAssembly: {
  readonly Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  compile(bytes: Uint8Array): Promise<object>;
};

const MIB = 2 ** 20;
/** Of the engine, which runs inside of the thread's own. */
const STACK_BYTES = 512 * 1024;
const PAGE_BYTES = 65_536;
const [FIRST_PAGES, MAX_PAGES] = [256, 32_768];
/** The engine asks for memory in steps of a twentieth at least: with so much taken, the next step failed, or soon would. */
const FULL = 0.9;

/**
 * JavaScript in QuickJS, an engine compiled to WebAssembly: no files, network, processes or timers, only the language and `console`, `print`,
 * `readline()` and `readAll()`. Every request has an engine of its own. A few loops inside of the engine can't be interrupted: run it in a thread
 * that can be killed.
 */
export function quickJsRunner(): CodeRunner {
  return {
    language: "javascript",
    program: async (code, stdin, limits) => withMachine(limits, (machine) => machine.program(code, stdin)),
    calls: async (code, calls, limits, goOn) => withMachine(limits, (machine) => machine.calls(code, calls, goOn)),
  };
}

async function withMachine<T>(limits: CodeLimits, work: (machine: Machine) => T): Promise<T> {
  const { newQuickJSWASMModuleFromVariant, newVariant, RELEASE_SYNC } = await import("quickjs-emscripten"); // loaded only where it is needed
  compiled ??= compileEngine();
  const wasmModule = await compiled;
  // an instance of its own: whatever a program breaks in it ends with it. Its memory is bounded here, since the engine counts blocks, not bytes
  const maximum = pagesOf(limits.memoryMb);
  const wasmMemory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum });
  const isFull = (): boolean => wasmMemory.buffer.byteLength > FULL * maximum * PAGE_BYTES;
  const engine = await newQuickJSWASMModuleFromVariant(newVariant(RELEASE_SYNC, { wasmModule, wasmMemory }));
  return work(new Machine(engine.newRuntime(), limits, isFull));
}

/** Once a thread: it costs more than most programs. */
let compiled: Promise<object> | undefined;

async function compileEngine(): Promise<object> {
  const { resolve } = createRequire(import.meta.resolve("quickjs-emscripten"));
  return WebAssembly.compile(await readFile(resolve("@jitl/quickjs-wasmfile-release-sync/wasm")));
}

/** The engine itself starts with 16 MiB and can't address more than 2 GiB. */
function pagesOf(memoryMb: number): number {
  return Math.min(MAX_PAGES, Math.max(FIRST_PAGES, (memoryMb * MIB) / PAGE_BYTES));
}

/** A failure of the program: how, and why. */
class Stopped extends Error {
  readonly status: RunStatus;
  constructor(status: RunStatus, message: string) {
    super(message);
    this.status = status;
  }
}

class Machine {
  readonly #runtime: QuickJSRuntime;
  readonly #context: QuickJSContext;
  readonly #limits: CodeLimits;
  readonly #thread = ownThreadId();
  readonly #start = performance.now();
  /** Without memory the engine can't say what failed. */
  readonly #isFull: () => boolean;
  #isLate = false;
  #stdout = "";
  #isFlooded = false;

  constructor(runtime: QuickJSRuntime, limits: CodeLimits, isFull: () => boolean) {
    this.#isFull = isFull;
    this.#runtime = runtime;
    this.#limits = limits;
    runtime.setMemoryLimit(limits.memoryMb * MIB);
    runtime.setMaxStackSize(STACK_BYTES);
    this.#context = runtime.newContext();
  }

  program(code: string, stdin: string): ProgramRun {
    try {
      this.#provide(stdin);
      this.#limited(() => this.#settle(this.#evaluate(code)));
      return { status: "ok", stdout: this.#stdout, detail: "", ms: this.#ms() };
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      return { stdout: this.#stdout, ...this.#explained(error.status, error.message), ms: this.#ms() };
    }
  }

  calls(code: string, calls: readonly FunctionCall[], goOn: (run: CallRun, index: number) => boolean): CallRuns {
    const runs: CallRun[] = [];
    try {
      this.#provide("");
      const guest = this.#evaluate(JAVASCRIPT_GUEST);
      const evaluate = this.#evaluate("eval"); // the program may replace it; an indirect call of it sees the script's own names
      this.#limited(() => this.#settle(this.#evaluate(code)));
      for (const call of calls) {
        const { status, value, detail } = this.#limited(() => this.#call(guest, evaluate, call));
        const run = { value, ...this.#explained(status, detail) };
        runs.push(run);
        if (!goOn(run, runs.length - 1)) break;
      }
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      runs.push({ value: null, ...this.#explained(error.status, error.message) });
    }
    return { runs, ms: this.#ms() };
  }

  #explained(status: RunStatus, detail: string): { status: RunStatus; detail: string } {
    if (status !== "exception" || !this.#isFull()) return { status, detail };
    return { status: "memory", detail: `needed more than ${this.#limits.memoryMb} MiB` };
  }

  #ms(): number {
    return performance.now() - this.#start;
  }

  #call(guest: QuickJSHandle, evaluate: QuickJSHandle, call: FunctionCall): CallRun {
    const request = this.#context.newString(JSON.stringify(call));
    const result = this.#settle(
      this.#checked(() => this.#context.callFunction(guest, this.#context.undefined, evaluate, request)),
    );
    if (this.#context.typeof(result) !== "string") return readReply("");
    const length = this.#context.getNumber(this.#context.getProp(result, "length"));
    if (length > this.#limits.outputBytes)
      throw new Stopped("output", `returned more than ${this.#limits.outputBytes} bytes`);
    return readReply(this.#context.getString(result));
  }

  /** Runs with the time limit of one test. */
  #limited<T>(work: () => T): T {
    const start = performance.now();
    const before = this.#cpu();
    let limit = Math.min(start + this.#limits.timeoutMs, this.#start + this.#limits.totalMs);
    let extensions = 0;
    this.#runtime.setInterruptHandler(() => {
      const now = performance.now();
      if (this.#isFlooded) return true;
      if (now < limit) return false;
      if (extensions++ < MAX_EXTENSIONS && wasStarved(before, this.#cpu(), now - start)) {
        limit = now + this.#limits.timeoutMs;
        return false;
      }
      this.#isLate = true;
      return true;
    });
    try {
      return work();
    } catch (error) {
      if (error instanceof Stopped) throw error;
      // the engine itself overflowed the thread's stack or failed; it is not used again
      if (error instanceof RangeError) throw new Stopped("exception", "InternalError: stack overflow");
      if (error instanceof Error && error.name === "RuntimeError")
        throw new Stopped("exception", `the engine failed: ${error.message}`);
      throw new RewardError(`QuickJS failed: ${String(error)}`, { cause: error });
    }
  }

  #evaluate(code: string): QuickJSHandle {
    return this.#checked(() => this.#context.evalCode(code, "solution.js", { type: "global" }));
  }

  /** The value, once promises have been worked off. */
  #settle(handle: QuickJSHandle): QuickJSHandle {
    for (;;) {
      const jobs = this.#checkedJobs();
      const state = this.#context.getPromiseState(handle);
      if (state.type === "fulfilled") return state.value;
      if (state.type === "rejected") throw this.#failure(state.error);
      if (jobs === 0) throw new Stopped("exception", "a promise is never settled");
    }
  }

  #checkedJobs(): number {
    const result = this.#runtime.executePendingJobs(1000);
    if (result.error) throw this.#failure(result.error);
    this.#checkLimits();
    return result.value;
  }

  #checked(work: () => ReturnType<QuickJSContext["evalCode"]>): QuickJSHandle {
    const result = work();
    if (result.error) throw this.#failure(result.error);
    this.#checkLimits();
    return result.value;
  }

  #checkLimits(): void {
    const exceeded = this.#exceeded();
    if (exceeded) throw exceeded;
  }

  #exceeded(): Stopped | null {
    if (this.#isFlooded) return new Stopped("output", `printed more than ${this.#limits.outputBytes} bytes`);
    if (this.#isLate) return new Stopped("timeout", `took longer than ${this.#limits.timeoutMs} ms`);
    return null;
  }

  /** Reading an error may run the program on. */
  #failure(error: QuickJSHandle): Stopped {
    const before = this.#exceeded();
    if (before) return before;
    const text = this.#describe(error);
    return this.#exceeded() ?? new Stopped(/^InternalError: out of memory/.test(text) ? "memory" : "exception", text);
  }

  /** Reads name and message with the language's own means, bounded; getters of the program's may run and fail. */
  #describe(error: QuickJSHandle): string {
    const part = (name: string): string => {
      const value = this.#context.getProp(error, name);
      return this.#context.typeof(value) === "string" ? this.#short(value) : "";
    };
    try {
      if (this.#context.typeof(error) === "string") return `threw ${this.#short(error)}`;
      if (this.#context.typeof(error) !== "object") return `threw a ${this.#context.typeof(error)}`;
      return `${part("name") || "Error"}: ${part("message")}`;
    } catch {
      return "threw something that can't be read";
    }
  }

  #short(text: QuickJSHandle): string {
    const length = this.#context.getNumber(this.#context.getProp(text, "length"));
    return length > 10_000 ? "a very long text" : this.#context.getString(text).slice(0, 300);
  }

  #cpu() {
    return this.#thread === null ? null : readThread(this.#thread);
  }

  /** `print`, `console.log`, …, `readline`, `readAll`, and an empty `module` to export to: all that a program has of the world. */
  #provide(stdin: string): void {
    const context = this.#context;
    const write = context.newFunction("write", (text) => {
      const length = context.getNumber(context.getProp(text, "length"));
      if (this.#isFlooded || this.#stdout.length + length > this.#limits.outputBytes) this.#isFlooded = true;
      else this.#stdout += context.getString(text);
    });
    const lines = this.#evaluate(JAVASCRIPT_WORLD);
    this.#checked(() => context.callFunction(lines, context.undefined, write, context.newString(stdin)));
  }
}
