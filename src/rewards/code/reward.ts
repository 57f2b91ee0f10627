import { z } from "zod";
import type { Reward, RewardDef } from "../types.ts";
import { sandboxServer } from "./http.ts";
import { judgeCode } from "./judge.ts";
import { CodeOptions } from "./options.ts";
import { pythonRunner } from "./python.ts";
import { quickJsRunner } from "./quickjs.ts";
import type { CodeRunner } from "./types.ts";

const PythonOptions = CodeOptions.extend({
  python: z
    .string()
    .nullable()
    .default(null)
    .describe("path of the interpreter, under /usr; null = the system's python3"),
});

const JavascriptOptions = CodeOptions.extend({
  memoryMb: z
    .int()
    .min(16)
    .default(256)
    .describe("memory of the program, MiB; all threads together share the process's"),
});

/** The tests' own limits come first; this much later a thread is killed. */
const GRACE_MS = 2000;

/** Does the Python program of the answer pass its task's tests? It runs in bubblewrap, in a process of its own, or on a sandbox server. */
export const codePython: RewardDef<typeof PythonOptions> = {
  name: "code-python",
  options: PythonOptions,
  runs: () => "main",
  create: (options) =>
    rewardOf(
      "code-python",
      options.url === null ? pythonRunner(options.python) : sandboxServer("python", options),
      options,
    ),
};

/** Does the JavaScript program of the answer pass its task's tests? It runs in QuickJS, in a thread that can be killed, or on a sandbox server. */
export const codeJavascript: RewardDef<typeof JavascriptOptions> = {
  name: "code-javascript",
  options: JavascriptOptions,
  runs: ({ url }) => (url === null ? "worker" : "main"),
  deadlineMs: ({ totalMs }) => totalMs + GRACE_MS,
  create: (options) =>
    rewardOf("code-javascript", options.url === null ? quickJsRunner() : sandboxServer("javascript", options), options),
};

function rewardOf(name: string, runner: CodeRunner, options: CodeOptions): Reward {
  return { name, isBounded: true, score: (completion) => judgeCode(runner, completion, options) };
}
