import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError, messageOf, RlvrError } from "../utils/errors.ts";

// @huggingface/hub is not used: it reads neither HF_ENDPOINT nor HF_TOKEN, starts a cut download from the beginning, checks no checksum, writes
// no refs into the cache, and brings 12 MB with it.

/** The hub or the way to it failed: no network, a cut or forged download, a full disk. Exit code 1. */
export class HubError extends RlvrError {
  override readonly name = "HubError";
  /** Of the answer, where there was one. */
  readonly status: number | null;

  constructor(message: string, options: ErrorOptions & { readonly status?: number } = {}) {
    super(message, options);
    this.status = options.status ?? null;
  }
}

/** Where the hub is, who asks, and where files are kept. */
export interface HubSettings {
  /** Address without a slash at its end. */
  readonly endpoint: string;
  readonly token: string | null;
  /** Folder of the cache, which other Hugging Face software shares. */
  readonly cache: string;
  /** Nothing may be asked from the network. */
  readonly offline: boolean;
  /** Wait before the first new attempt, ms; it doubles each time. */
  readonly retryDelayMs: number;
  /** Longest silence of the server, ms. */
  readonly timeoutMs: number;
}

/** A repository of the hub at one revision. */
export interface HubRepo {
  readonly kind: "models" | "datasets";
  /** `ORG/NAME` */
  readonly id: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** A file of a repository. */
export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  /** Name of its content: the SHA-256 of a large file, Git's SHA-1 of a small one. */
  readonly etag: string;
}

/**
 * Reads the settings as Hugging Face's own tools do: `HF_ENDPOINT`, `HF_TOKEN`, `HF_TOKEN_PATH`, `HF_HUB_CACHE`, `HF_HOME`, `XDG_CACHE_HOME`,
 * `HF_HUB_OFFLINE`.
 * @throws ConfigError when the endpoint is no http address
 */
export function hubSettings(env: Env = process.env): HubSettings {
  const home = hubHome(env);
  const endpoint = (env.HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, "");
  if (!/^https?:\/\/[^\s/]+/.test(endpoint))
    throw new ConfigError(`HF_ENDPOINT: must be an address such as https://huggingface.co, got ${endpoint}`);
  return {
    endpoint,
    token: env.HF_TOKEN?.trim() || tokenFile(env.HF_TOKEN_PATH || join(home, "token")),
    cache: hubCache(env),
    offline: ["1", "true", "yes", "on"].includes((env.HF_HUB_OFFLINE ?? "").toLowerCase()),
    ...{ retryDelayMs: 1000, timeoutMs: 60_000 },
  };
}

type Env = Readonly<Record<string, string | undefined>>;

/** Folder of the hub's cache on this machine. */
export function hubCache(env: Env = process.env): string {
  return env.HF_HUB_CACHE || join(hubHome(env), "hub");
}

function hubHome(env: Env): string {
  return env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface");
}

function tokenFile(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim() || null;
  } catch {
    return null; // nobody has logged in
  }
}

const REPO_ID = /^[\w-][\w.-]*\/[\w-][\w.-]*$/;

/** Checks a name of the form `ORG/NAME`. @throws ConfigError */
export function hubRepo(kind: HubRepo["kind"], id: string, revision = "main"): HubRepo {
  if (!REPO_ID.test(id) || id.includes("..") || id.includes("--"))
    throw new ConfigError(`${id}: is no name of the hub; such a name has the form ORG/NAME`);
  return { kind, id, revision };
}

const Info = z.looseObject({ sha: z.string().regex(/^[0-9a-f]{40}$/) });
const Tree = z.array(
  z.looseObject({
    type: z.string(),
    path: z.string(),
    size: z.number().default(0),
    oid: z.string().default(""),
    lfs: z.looseObject({ oid: z.string(), size: z.number() }).nullish(),
  }),
);

/**
 * What a repository holds at its revision.
 * @throws ConfigError when there is no such repository or it needs a token, HubError when the hub cannot be reached or answers nonsense
 */
export async function listHubFiles(
  repo: HubRepo,
  settings: HubSettings,
): Promise<{ readonly commit: string; readonly files: readonly HubFile[] }> {
  const api = `${settings.endpoint}/api/${repo.kind}/${repo.id}`;
  const { sha } = parsed(Info, await askJson(`${api}/revision/${encodeURIComponent(repo.revision)}`, repo, settings));
  const files: HubFile[] = [];
  let next: string | null = `${api}/tree/${sha}?recursive=true`;
  while (next !== null) {
    const response = await askHub(next, repo, settings);
    for (const { type, path, size, oid, lfs } of parsed(Tree, await jsonOf(response, next))) {
      if (type !== "file") continue;
      const file = { path, bytes: lfs?.size ?? size, etag: lfs?.oid ?? oid };
      if (isUnsafe(path) || !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(file.etag))
        throw new HubError(
          `${repo.id}: the hub names a file that cannot be kept: ${JSON.stringify(path.slice(0, 200))}`,
        );
      files.push(file);
    }
    next = nextPage(response, next);
  }
  return { commit: sha, files };
}

function isUnsafe(path: string): boolean {
  return (
    path === "" || /[\\\0:]/.test(path) || path.split("/").some((part) => part === "" || part === "." || part === "..")
  );
}

function nextPage(response: Response, base: string): string | null {
  const link = /<([^>]+)>\s*;\s*rel="next"/.exec(response.headers.get("link") ?? "")?.[1];
  if (link === undefined) return null;
  const { pathname, search } = new URL(link, base);
  return new URL(`${pathname}${search}`, base).href; // on the host that was asked: a mirror may name the original one
}

function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new HubError(`the hub's answer is not understood: ${z.prettifyError(result.error)}`);
}

async function askJson(url: string, repo: HubRepo, settings: HubSettings): Promise<unknown> {
  return jsonOf(await askHub(url, repo, settings), url);
}

async function jsonOf(response: Response, url: string): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    throw new HubError(`${url}: the answer is not JSON (${messageOf(error)}); is HF_ENDPOINT right?`, { cause: error });
  }
}

/**
 * Asks the hub, again where that may help: connections that fail, 429 and 5xx.
 * @throws ConfigError for what the user must change, HubError otherwise
 */
export async function askHub(
  url: string,
  repo: HubRepo,
  settings: HubSettings,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly signal?: AbortSignal } = {},
): Promise<Response> {
  if (settings.offline) throw new ConfigError(`${repo.id}: cannot be fetched while HF_HUB_OFFLINE is set`);
  const headers = { ...options.headers, ...(settings.token && { authorization: `Bearer ${settings.token}` }) };
  for (let attempt = 0; ; attempt++) {
    let response: Response | null = null;
    let cause: unknown;
    try {
      // fetch drops the token when a redirect leads to another host
      response = await fetch(url, { headers, signal: options.signal ?? AbortSignal.timeout(settings.timeoutMs) });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      cause = error;
    }
    if (response?.ok) return response;
    const mayPass = response === null || response.status === 429 || response.status >= 500;
    if (!mayPass || attempt >= ATTEMPTS - 1) throw await hubFailure({ url, response, cause, repo, settings });
    await response?.body?.cancel();
    await pause(settings.retryDelayMs * 2 ** attempt);
  }
}

/** Attempts in a row without any progress. */
export const ATTEMPTS = 4;

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function hubFailure(failure: {
  url: string;
  response: Response | null;
  cause: unknown;
  repo: HubRepo;
  settings: HubSettings;
}): Promise<RlvrError> {
  const { url, response, cause, repo, settings } = failure;
  if (response === null) {
    const reason = cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause);
    return new HubError(
      `${settings.endpoint}: cannot be reached (${reason}); check the network, or set HF_ENDPOINT to a mirror`,
      { cause },
    );
  }
  const { status } = response;
  const words = (await response.text().catch(() => "")).replace(/\s+/g, " ").slice(0, 200);
  const kind = repo.kind === "models" ? "model" : "data set";
  const missing = response.headers.get("x-error-code");
  if (status === 403 || (status === 401 && (settings.token !== null || missing === "GatedRepo"))) {
    const next = settings.token
      ? "the token in HF_TOKEN may not read it: accept its terms on its page, or use another token"
      : "accept its terms on its page, then set HF_TOKEN to a token of yours";
    return new ConfigError(
      `${repo.id}: the hub refuses access (${status}); ${next} (${settings.endpoint}/${pageOf(repo)})`,
    );
  }
  if (missing === "RevisionNotFound") return new ConfigError(`${repo.id}: has no revision ${repo.revision}`);
  if (status === 404 || status === 401)
    return new ConfigError(
      `${repo.id}: the hub knows no such ${kind} (${status}); check the name${settings.token ? "" : "; a private one needs a token in HF_TOKEN"}`,
    );
  return new HubError(`${url}: the hub answers ${status}${words && ` (${words})`}; try again later`, { status });
}

function pageOf({ kind, id }: HubRepo): string {
  return kind === "models" ? id : `datasets/${id}`;
}
