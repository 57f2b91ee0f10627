import { setTimeout as delay } from "node:timers/promises";
import type { z } from "zod";
import { EnvError, messageOf } from "../../../utils/errors.ts";

/** A server, and how patient to be with it. */
export interface HttpClientOptions {
  /** Address that paths are added to. */
  readonly url: string;
  /** Longest wait for a whole reply, ms. */
  readonly timeoutMs: number;
  /** Further tries of a call that may be made twice, and of any call that found nobody listening. */
  readonly retries: number;
}

/** One call. */
export interface HttpCall<Reply> {
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
  readonly reply: z.ZodType<Reply>;
  /** Whether a second call does no harm when the first one had an effect: then a broken connection or a 502, 503 or 504 is tried again. */
  readonly isRepeatable: boolean;
  readonly signal?: AbortSignal;
}

/** Longest reply, bytes; more is taken for a flood. */
const MAX_REPLY = 16 * 2 ** 20;
/** Wait before the first retry, ms; doubles each time. */
const FIRST_WAIT_MS = 50;

/** A failure after which a retry makes sense. */
class Passing extends EnvError {}

/** Calls a server until it answers as it should. @throws EnvError with the call, the rule and what came */
export async function callServer<Reply>(options: HttpClientOptions, call: HttpCall<Reply>): Promise<Reply> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await callOnce(options, call);
    } catch (error) {
      if (!(error instanceof Passing) || call.signal?.aborted) throw error;
      if (attempt >= options.retries)
        throw new EnvError(`${error.message}${attempt > 0 ? `, ${attempt + 1} times` : ""}`, { cause: error });
    }
    await delay(FIRST_WAIT_MS * 2 ** attempt);
  }
}

async function callOnce<Reply>(options: HttpClientOptions, call: HttpCall<Reply>): Promise<Reply> {
  const { path, body, reply } = call;
  const { method = body === undefined ? "GET" : "POST" } = call;
  const address = options.url.replace(/\/+$/, "") + path;
  const where = `${method} ${address}`;
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = call.signal ? AbortSignal.any([deadline, call.signal]) : deadline;
  let status: number;
  let text: string;
  try {
    const headers = {
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    const response = await fetch(address, {
      ...{ method, headers, signal, redirect: "error" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    status = response.status;
    text = await readAll(response, where);
  } catch (error) {
    if (error instanceof EnvError) throw error;
    if (deadline.aborted)
      throw new EnvError(`${where}: no whole reply within ${options.timeoutMs} ms`, { cause: error });
    if (call.signal?.aborted) throw new EnvError(`${where}: the world was closed during the call`, { cause: error });
    const why = reasonOf(error);
    const Kind = call.isRepeatable || why.includes("ECONNREFUSED") ? Passing : EnvError;
    throw new Kind(`${where}: ${why}`, { cause: error });
  }
  if (status >= 400) {
    const Kind = call.isRepeatable && [502, 503, 504].includes(status) ? Passing : EnvError;
    throw new Kind(`${where}: ${errorIn(text) ?? `status ${status}, ${shown(text)}`}`);
  }
  return readReply(where, text, reply);
}

function readReply<Reply>(where: string, text: string, schema: z.ZodType<Reply>): Reply {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new EnvError(`${where}: the reply is no JSON (${messageOf(error)}): ${shown(text)}`, { cause: error });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "reply"}: ${message}`);
  throw new EnvError(`${where}: the reply is not as agreed (${problems.slice(0, 3).join("; ")}): ${shown(text)}`);
}

async function readAll(response: Response, where: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > MAX_REPLY) throw new EnvError(`${where}: the reply has more than ${MAX_REPLY} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** What a server said about an error, as `{"error": …}` or FastAPI's `{"detail": …}`. */
function errorIn(text: string): string | null {
  try {
    const { error, detail } = JSON.parse(text) as { error?: unknown; detail?: unknown };
    const said = error ?? detail;
    return said === undefined ? null : typeof said === "string" ? said : shown(JSON.stringify(said));
  } catch {
    return null; // shown as it is
  }
}

/** `fetch` says only that it failed; its cause says why. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error)) return messageOf(error);
  const { code } = cause as Error & { code?: string };
  return code === "ECONNREFUSED"
    ? "nobody listens there (ECONNREFUSED); start the server first"
    : [cause.message, code].filter(Boolean).join(", ");
}

function shown(text: string): string {
  return JSON.stringify(text.length <= 200 ? text : `${text.slice(0, 200)}… (${text.length} characters)`);
}
