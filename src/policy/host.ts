import { Worker } from "node:worker_threads";
import * as errors from "../utils/errors.ts";
import type { ModelConfig } from "./config.ts";
import type { Engine, EngineOptions } from "./engine.ts";
import type { Answer, Call } from "./worker.ts";

/** Engine methods as they look from another thread: the same arguments, a promise of the result. */
type Remote<T> = {
  [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

/** A policy that lives in a worker thread of its own. Calls run in the order they are made. */
export interface Policy extends Omit<Remote<Engine>, "setLoss" | "dispose"> {
  readonly config: ModelConfig;
  /** Number of weights that train. */
  readonly trainableCount: number;
  /** Frees the sessions and ends the thread. */
  close(): Promise<void>;
}

/** Methods of the engine that a policy offers. */
const METHODS = [
  "useLoss",
  "useProgram",
  "measure",
  "rememberHead",
  "forgetForwards",
  "accumulate",
  "scoreLoss",
  "score",
  "update",
  "gradientNorms",
  "gradient",
  "clearGradients",
  "firstBadTensor",
  "decodeStart",
  "decodeStep",
  "decodeExtend",
  "decodeKeep",
  "decodeEnd",
  "weightsHash",
  "stateHash",
  "saveState",
  "saveWeights",
  "loadWeights",
  "loadState",
  "exportTensors",
] as const satisfies readonly Exclude<keyof Policy, "config" | "trainableCount" | "close">[];

/**
 * Starts a thread and loads a policy into it.
 * @throws DataError, ConfigError or SessionError as the engine throws them
 */
export async function openPolicy(options: EngineOptions): Promise<Policy> {
  const thread = startThread();
  try {
    const info = (await thread.call("create", [options])) as { config: ModelConfig; trainable: number };
    const methods = Object.fromEntries(METHODS.map((name) => [name, (...args: unknown[]) => thread.call(name, args)]));
    return {
      ...(methods as unknown as Policy),
      config: info.config,
      trainableCount: info.trainable,
      close: async () => {
        await thread.call("dispose", []);
        await thread.end();
      },
    };
  } catch (error) {
    await thread.end();
    throw error;
  }
}

function startThread() {
  const isSource = import.meta.url.endsWith(".ts"); // in a clone; .js when built
  const script = new URL(isSource ? "./worker.ts" : "./worker.js", import.meta.url).href;
  // a thread does not inherit the TypeScript loader of the main thread
  const worker = isSource
    ? new Worker(
        `import(${JSON.stringify(import.meta.resolve("tsx/esm/api"))}).then(({ register }) => { register(); return import(${JSON.stringify(script)}); })`,
        { eval: true },
      )
    : new Worker(new URL(script));
  worker.unref();
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  const failAll = (error: Error): void => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on("message", ({ id, value, error }: Answer) => {
    const entry = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    if (error) entry?.reject(rebuild(error));
    else entry?.resolve(value);
  });
  worker.on("error", (error) =>
    failAll(new errors.SessionError(`the policy thread failed: ${errors.messageOf(error)}`)),
  );
  worker.on("exit", (code) => failAll(new errors.SessionError(`the policy thread ended (exit code ${code})`)));
  let nextId = 0;
  return {
    call(method: string, args: readonly unknown[]): Promise<unknown> {
      const id = nextId++;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        worker.ref(); // a program must not end while it waits for an answer
        worker.postMessage({ id, method, args } satisfies Call);
      });
    },
    async end(): Promise<void> {
      await worker.terminate();
    },
  };
}

/** An error of the same class as in the thread, so that the exit code is right; system errors keep their code. */
function rebuild({ name, message, stack, code, syscall }: NonNullable<Answer["error"]>): Error {
  const Kind = (errors as unknown as Record<string, new (message: string) => Error>)[name] ?? Error;
  const error = new Kind(message);
  if (stack) error.stack = stack;
  return code === undefined ? error : Object.assign(error, { code, ...(syscall === undefined ? {} : { syscall }) });
}
