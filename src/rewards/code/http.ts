import { setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";
import { z } from "zod";
import { ConfigError, messageOf, RewardError } from "../../utils/errors.ts";
import { REPLY_MARK, readReplies, replyBytes, withEnd } from "./guest-replies.ts";
import { JAVASCRIPT_GUEST, JAVASCRIPT_WORLD } from "./javascript-guest.ts";
import { PYTHON_GUEST } from "./python-guest.ts";
import type { CodeLanguage, CodeLimits, CodeRunner, ProgramRun } from "./types.ts";

/** Requests under way at the same time. */
const CONCURRENCY = 8;
const TRIES = 3;
/** Longest answer of a server: a character of output may take six in JSON, and there is a log beside it. */
const ANSWER_BYTES = (outputBytes: number): number => 6 * 2 * outputBytes + 2 ** 20;

/** How long a client waits. */
export interface ServerPace {
  /** A server may need this much longer than the program: for its queue and its start, ms. */
  readonly graceMs: number;
  /** Before the second try, ms; twice as long before the third. */
  readonly pauseMs: number;
}

/** Where a sandbox server is. */
export interface ServerOptions {
  readonly url: string | null;
  /** Environment variable with the bearer token. */
  readonly tokenVariable: string | null;
}

/** The answer of `POST /run_code`; other fields are not looked at. */
const Answer = z.object({
  status: z.enum(["Success", "Failed", "SandboxError"]),
  message: z.string().nullish(),
  run_result: z
    .object({
      status: z.enum(["Finished", "Error", "TimeLimitExceeded"]),
      execution_time: z.number().min(0).nullish(),
      return_code: z.number().nullish(),
      stdout: z.string().nullish(),
      stderr: z.string().nullish(),
    })
    .nullish(),
});

/** How each language is called there, how its programs are wrapped, and the program that calls functions. */
const LANGUAGES: Record<CodeLanguage, { name: string; wrap: (code: string) => string; guest: string }> = {
  python: { name: "python", wrap: (code) => code, guest: PYTHON_GUEST },
  javascript: {
    name: "nodejs",
    wrap: (code) =>
      `${JAVASCRIPT_WORLD.trim()}((text) => require("fs").writeSync(1, text), require("fs").readFileSync(0, "utf8"));\n${code}`,
    guest: `
const fs = require("fs");
const request = JSON.parse(fs.readFileSync(0, "utf8"));
const { runInThisContext: evaluate } = require("vm"); // as a script, whose constants other scripts see
const reply = (line) => fs.writeSync(1, ${JSON.stringify(REPLY_MARK)} + line + "\\n");
const guest = ${JAVASCRIPT_GUEST.trim()};
${JAVASCRIPT_WORLD.trim()}(() => {}, "");
try {
  evaluate(request.code);
} catch (error) {
  reply(JSON.stringify({ error: String(error) }));
  process.exit(0);
}
(async () => {
  for (const call of request.calls) reply(await guest(evaluate, JSON.stringify(call)));
  process.exit(0);
})();
`,
  },
};

/**
 * Code on a server that speaks the protocol of SandboxFusion (`POST {url}/run_code`): what a program can reach there is the server's matter.
 * A request that fails in transit, or that the server can't take now (429, 5xx), is tried three times.
 * @throws ConfigError when the token's variable is not set
 */
export function sandboxServer(
  language: CodeLanguage,
  { url, tokenVariable }: ServerOptions,
  { graceMs, pauseMs }: ServerPace = { graceMs: 10_000, pauseMs: 200 },
): CodeRunner {
  const token = tokenVariable === null ? undefined : process.env[tokenVariable];
  if (tokenVariable !== null && !token)
    throw new ConfigError(`code-${language}: the environment variable ${tokenVariable} is not set`);
  const address = new URL("run_code", `${url!.replace(/\/*$/, "")}/`);
  const { name, wrap, guest } = LANGUAGES[language];
  const limit = pLimit(CONCURRENCY);
  const run = (code: string, stdin: string, limits: CodeLimits): Promise<ProgramRun> =>
    limit(async () => {
      const body = JSON.stringify(requestOf(name, { code, stdin, limits }));
      const deadlineMs = limits.timeoutMs + graceMs;
      const maxBytes = ANSWER_BYTES(limits.outputBytes);
      return toRun(await post({ address, token, body, deadlineMs, pauseMs, maxBytes }), limits);
    });
  return {
    language,
    program: (code, stdin, limits) => run(wrap(code), stdin, limits),
    async calls(code, calls, limits) {
      const all = {
        ...limits,
        timeoutMs: Math.min(limits.totalMs, limits.timeoutMs * calls.length),
        outputBytes: replyBytes(calls.length, limits),
      };
      const { status, detail, stdout, ms } = await run(guest, JSON.stringify({ code, calls }), all);
      const runs = readReplies(stdout, { count: calls.length, limits });
      return { runs: withEnd(runs, { count: calls.length, end: { status, detail } }), ms };
    },
  };
}

function requestOf(language: string, { code, stdin, limits }: { code: string; stdin: string; limits: CodeLimits }) {
  return {
    language,
    code,
    stdin,
    compile_timeout: 10,
    run_timeout: limits.timeoutMs / 1000,
    memory_limit_MB: limits.memoryMb,
  };
}

interface Post {
  readonly address: URL;
  readonly token: string | undefined;
  readonly body: string;
  /** Of one try. */
  readonly deadlineMs: number;
  readonly pauseMs: number;
  readonly maxBytes: number;
}

/** @throws RewardError when no answer came */
async function post({ address, token, body, deadlineMs, pauseMs, maxBytes }: Post): Promise<z.infer<typeof Answer>> {
  const headers = { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) };
  let problem = "";
  for (let tries = 0; tries < TRIES; tries++) {
    if (tries > 0) await sleep(pauseMs * 2 ** (tries - 1));
    try {
      const signal = AbortSignal.timeout(deadlineMs);
      const response = await fetch(address, { method: "POST", headers, body, signal, redirect: "error" });
      const text = await bounded(response, maxBytes);
      if (response.ok) return read(text);
      problem = `HTTP ${response.status} ${text.slice(0, 200)}`.trim();
      if (response.status < 500 && response.status !== 429) break;
    } catch (error) {
      if (error instanceof RewardError) throw error;
      problem = messageOf(error instanceof Error && error.cause ? error.cause : error);
    }
  }
  throw new RewardError(`sandbox server ${address.origin}${address.pathname}: ${problem}`);
}

/** @throws RewardError when it is longer */
async function bounded(response: Response, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > maxBytes) throw new RewardError(`the sandbox server's answer is longer than ${maxBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function read(text: string): z.infer<typeof Answer> {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {} // refused below, with its text
  const answer = Answer.safeParse(data);
  if (!answer.success)
    throw new RewardError(`the sandbox server's answer is not one of /run_code: ${text.slice(0, 200)}`);
  return answer.data;
}

function toRun({ status, message, run_result }: z.infer<typeof Answer>, limits: CodeLimits): ProgramRun {
  if (status === "SandboxError" || !run_result)
    throw new RewardError(`the sandbox server failed: ${message ?? "it gave no result"}`);
  const { execution_time, return_code, stdout, stderr } = run_result;
  const base = { stdout: stdout ?? "", ms: (execution_time ?? 0) * 1000 };
  if (run_result.status === "TimeLimitExceeded")
    return { ...base, status: "timeout", detail: `took longer than ${limits.timeoutMs} ms` };
  if (Buffer.byteLength(base.stdout) > limits.outputBytes)
    return { ...base, status: "output", detail: `printed more than ${limits.outputBytes} bytes` };
  if (run_result.status === "Finished" && (return_code ?? 0) === 0) return { ...base, status: "ok", detail: "" };
  const last = stderr?.trimEnd().split("\n").at(-1)?.slice(0, 300);
  return {
    ...base,
    status: last?.startsWith("MemoryError") ? "memory" : "exception",
    detail: last || `exit code ${return_code}`,
  };
}
