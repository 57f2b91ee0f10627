import { parentPort } from "node:worker_threads";
import { messageOf } from "../utils/errors.ts";
import { Engine, type EngineOptions } from "./engine.ts";

/** A call that crosses the thread border. */
export interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Its answer: a value, or the error's class name and message, with the code of a system error such as ENOSPC. */
export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: {
    readonly name: string;
    readonly message: string;
    readonly stack: string | undefined;
    readonly code?: string | undefined;
    readonly syscall?: string | undefined;
  };
}

const port = parentPort;
if (!port) throw new Error("internal: worker.ts runs in a worker thread only");

let engine: Engine | undefined;

async function call(method: string, args: readonly unknown[]): Promise<unknown> {
  if (method === "create") {
    engine = await Engine.create(args[0] as EngineOptions);
    return { config: engine.parameters.config, trainable: countValues(engine) };
  }
  if (!engine) throw new Error("internal: the engine was not created");
  const target = engine as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
  return target[method]!(...args);
}

function countValues({ parameters }: Engine): number {
  return [...parameters.trainable.values()].reduce((sum, array) => sum + array.length, 0);
}

port.on("message", ({ id, method, args }: Call) => {
  call(method, args).then(
    (value) => port.postMessage({ id, value } satisfies Answer),
    (error: unknown) => {
      const known = error instanceof Error ? error : { name: "Error", stack: undefined };
      const { name, stack, code, syscall } = known as NodeJS.ErrnoException;
      port.postMessage({ id, error: { name, message: messageOf(error), stack, code, syscall } } satisfies Answer);
    },
  );
});
