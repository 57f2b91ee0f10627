import { setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";
import { z } from "zod";
import { ConfigError, messageOf } from "../../utils/errors.ts";
import type { JudgeOptions } from "./options.ts";
import type { ChatMessage } from "./prompt.ts";

const MAX_PAUSE_MS = 60_000;
/** Of a server's message, in reasons, characters. */
const MAX_SHOWN = 200;
/** Longest response that is read, bytes. */
const MAX_BYTES = 4 * 2 ** 20;

const Response = z.object({
  choices: z
    .array(z.object({ message: z.object({ content: z.string() }), finish_reason: z.string().nullish() }))
    .min(1),
  usage: z.object({ prompt_tokens: z.int().min(0), completion_tokens: z.int().min(0) }).nullish(),
});

/** What came of a request: a reply with its cost in tokens, or why there is none. */
export type Reply =
  | { readonly kind: "reply"; readonly text: string; readonly tokens: { prompt: number; completion: number } }
  | { readonly kind: "timeout"; readonly reason: string }
  | { readonly kind: "error"; readonly reason: string };

/** Asks a model over HTTP. */
export interface JudgeClient {
  ask(messages: readonly ChatMessage[]): Promise<Reply>;
  /** Requests sent so far, repeated ones included. */
  requests(): number;
}

type Tried = Reply | { readonly kind: "again"; readonly reason: string; readonly pauseMs: number | null };

/**
 * A client of `POST {url}/chat/completions`. Requests are limited in number and rate; when the server is busy (429) or fails (5xx, no connection) they are
 * repeated after a pause that doubles, or that the server names.
 * @throws ConfigError when the key's variable is not set
 */
export function judgeClient(options: JudgeOptions): JudgeClient {
  const { url, model, temperature, maxTokens, timeoutMs, tries, backoffMs, concurrency } = options;
  const key = keyOf(options.keyVariable);
  const address = new URL("chat/completions", `${url.replace(/\/*$/, "")}/`);
  const headers = { "content-type": "application/json", ...(key === null ? {} : { authorization: `Bearer ${key}` }) };
  const limit = pLimit(concurrency);
  const turn = spacing(options.requestsPerMinute);
  const hide = (text: string): string => (key === null ? text : text.replaceAll(key, "…"));
  let requests = 0;

  const once = async (body: string): Promise<Tried> => {
    await turn();
    requests++;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(address, { method: "POST", headers, body, signal, redirect: "error" });
      return read(response, await textOf(response));
    } catch (error) {
      if (signal.aborted) return { kind: "timeout", reason: `no reply of the judge within ${timeoutMs} ms` };
      const cause = error instanceof Error && error.cause ? error.cause : error;
      return { kind: "again", reason: `${address.origin}: ${messageOf(cause)}`, pauseMs: null };
    }
  };

  return {
    requests: () => requests,
    ask: (messages) =>
      limit(async () => {
        const body = JSON.stringify({
          ...{ model, messages },
          ...(temperature === null ? {} : { temperature }),
          ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
        });
        for (let done = 1; ; done++) {
          const tried = await once(body);
          if (tried.kind === "reply" || tried.kind === "timeout") return tried;
          const reason = `the judge failed: ${hide(tried.reason)}`;
          if (tried.kind === "error") return { kind: "error", reason };
          if (done >= tries) return { kind: "error", reason: `${reason} (${tries} tries)` };
          await sleep(Math.min(MAX_PAUSE_MS, tried.pauseMs ?? backoffMs * 2 ** (done - 1)));
        }
      }),
  };
}

function keyOf(variable: string | null): string | null {
  if (variable === null) return null;
  const key = process.env[variable];
  if (!key)
    throw new ConfigError(`llm-judge: the environment variable ${variable} is not set; it must hold the API key`);
  return key;
}

/** Waits until the next request may start. */
function spacing(perMinute: number | null): () => Promise<void> {
  if (perMinute === null) return () => Promise.resolve();
  let next = 0;
  return async () => {
    const now = performance.now();
    const at = Math.max(now, next);
    next = at + 60_000 / perMinute;
    if (at > now) await sleep(at - now);
  };
}

async function textOf(response: globalThis.Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > MAX_BYTES) throw new Error(`the response is longer than ${MAX_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function read(response: globalThis.Response, text: string): Tried {
  const { status } = response;
  const shown = `HTTP ${status} ${text.slice(0, MAX_SHOWN)}`.trim();
  if (status === 429 || status >= 500)
    return { kind: "again", reason: shown, pauseMs: pauseOf(response.headers.get("retry-after")) };
  if (!response.ok) return { kind: "error", reason: shown };
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {} // refused below, with its text
  const parsed = Response.safeParse(data);
  if (!parsed.success)
    return { kind: "error", reason: `its response is no chat completion: ${text.slice(0, MAX_SHOWN)}` };
  const [{ message, finish_reason }] = parsed.data.choices as [z.infer<typeof Response>["choices"][number]];
  if (finish_reason === "length") return { kind: "error", reason: "its reply was cut off; raise maxTokens" };
  const { prompt_tokens: prompt = 0, completion_tokens: completion = 0 } = parsed.data.usage ?? {};
  return { kind: "reply", text: message.content, tokens: { prompt, completion } };
}

/** Seconds or a date. */
function pauseOf(retryAfter: string | null): number | null {
  if (retryAfter === null) return null;
  const ms = /^\d+(\.\d+)?$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}
