import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A repository on the fake hub: bytes by path. Files of more than `largeFrom` bytes are stored as large files, with a SHA-256. */
export interface FakeRepo {
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  /** The token that may read it; everybody when absent. */
  readonly token?: string;
  /** Known to everybody, but its files need a token that accepted the terms. */
  readonly gated?: boolean;
}

/** What the server does wrong. */
export interface Faults {
  /** Cuts the next answers with a large file after so many bytes. */
  cutAfter: number[];
  /** Statuses that the next requests to the hub itself get. */
  statuses: number[];
  /** Sends other bytes than the checksum says. */
  forge: boolean;
  /** Answers a range request with the whole file. */
  ignoreRange: boolean;
  /** Announces so many more bytes than there are. */
  lieAboutSize: number;
  /** Sends nothing after the head. */
  stall: boolean;
}

/** A request that was answered. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly token: string | undefined;
}

/** A server that speaks the part of the Hugging Face hub's protocol that downloads need, with its content on a second host, as the real one has. */
export interface FakeHub {
  readonly endpoint: string;
  readonly commit: string;
  readonly faults: Faults;
  readonly seen: Seen[];
  close(): Promise<void>;
}

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** Starts the server. @param repos by kind and name: `datasets/openai/gsm8k` */
export async function startFakeHub(
  repos: Readonly<Record<string, FakeRepo>>,
  { largeFrom = 100, pageSize = 2 } = {},
): Promise<FakeHub> {
  const faults: Faults = {
    cutAfter: [],
    statuses: [],
    forge: false,
    ignoreRange: false,
    lieAboutSize: 0,
    stall: false,
  };
  const seen: Seen[] = [];
  const note = ({ method = "", url = "", headers }: IncomingMessage): void => {
    seen.push({ method, path: url, range: headers.range, token: headers.authorization });
  };
  const content = createServer((request, response) => {
    note(request);
    const [, kind, org, name, ...path] = decodeURIComponent(request.url ?? "").split("/");
    sendContent(request, response, bytesOf(repos[`${kind}/${org}/${name}`]!, path.join("/")), faults);
  });
  const contentAddress = await listen(content);
  const hub = createServer((request, response) => {
    note(request);
    const status = faults.statuses.shift();
    if (status !== undefined) send(response, status, { error: "as you wish" });
    else answer({ request, response, repos, largeFrom, pageSize, faults, contentAddress });
  });
  const endpoint = await listen(hub);
  return {
    endpoint,
    commit: COMMIT,
    faults,
    seen,
    close: async () => {
      for (const server of [hub, content]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Question {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly repos: Readonly<Record<string, FakeRepo>>;
  readonly largeFrom: number;
  readonly pageSize: number;
  readonly faults: Faults;
  readonly contentAddress: string;
}

function answer(question: Question): unknown {
  const { request, response, repos } = question;
  const url = new URL(request.url ?? "", `http://${request.headers.host}`);
  const parts = url.pathname.split("/").slice(1).map(decodeURIComponent);
  const isApi = parts[0] === "api";
  if (isApi) parts.shift();
  if (parts[0] !== "datasets" && !isApi) parts.unshift("models"); // models have no prefix outside of the API
  const [kind, org, name, what, revision, ...path] = parts;
  const key = `${kind}/${org}/${name}`;
  const repo = repos[key];
  const token = request.headers.authorization?.replace("Bearer ", "");
  if (!repo || (repo.token !== undefined && !repo.gated && token !== repo.token))
    return send(
      response,
      token === undefined ? 401 : 404,
      { error: "Repository not found" },
      { "x-error-code": "RepoNotFound" },
    );
  if (what !== undefined && revision !== "main" && revision !== COMMIT)
    return send(response, 404, { error: "Invalid rev id" }, { "x-error-code": "RevisionNotFound" });
  if (isApi && (what === undefined || what === "revision"))
    return send(response, 200, { id: `${org}/${name}`, sha: COMMIT });
  if (isApi && what === "tree") return sendTree(question, repo, url);
  if (isApi || what !== "resolve") return send(response, 404, { error: "Not found" });
  if (repo.gated && token !== repo.token)
    return send(response, token === undefined ? 401 : 403, { error: "gated" }, { "x-error-code": "GatedRepo" });
  if (repo.files[path.join("/")] === undefined)
    return send(response, 404, { error: "Entry not found" }, { "x-error-code": "EntryNotFound" });
  return sendFile(question, repo, key, path.join("/"));
}

/** The hub answers for small files itself and sends those who want large ones elsewhere. */
function sendFile(
  { request, response, largeFrom, faults, contentAddress }: Question,
  repo: FakeRepo,
  key: string,
  path: string,
): unknown {
  const bytes = bytesOf(repo, path);
  const head = {
    "x-repo-commit": COMMIT,
    "x-linked-size": String(bytes.length),
    "x-linked-etag": `"${etagOf(bytes, largeFrom)}"`,
  };
  for (const [field, value] of Object.entries(head)) response.setHeader(field, value);
  if (bytes.length <= largeFrom) return sendContent(request, response, bytes, faults);
  return response.writeHead(302, { location: `${contentAddress}/${key}/${encodeURIComponent(path)}` }).end();
}

function sendTree({ response, largeFrom, pageSize, faults }: Question, repo: FakeRepo, url: URL): unknown {
  const from = Number(url.searchParams.get("cursor") ?? 0);
  const folders = new Set(Object.keys(repo.files).flatMap((path) => (path.includes("/") ? [path.split("/")[0]!] : [])));
  const entries = [
    ...[...folders].map((path) => ({ type: "directory", path, size: 0, oid: "0".repeat(40) })),
    ...Object.keys(repo.files).map((path) => {
      const bytes = bytesOf(repo, path);
      const size = bytes.length + faults.lieAboutSize;
      const etag = etagOf(bytes, largeFrom);
      const lfs = etag.length === 64 ? { lfs: { oid: etag, size, pointerSize: 130 } } : {};
      return { type: "file", path, size, oid: gitSha1(bytes), ...lfs };
    }),
  ];
  const next = from + pageSize;
  url.searchParams.set("cursor", String(next));
  return send(
    response,
    200,
    entries.slice(from, next),
    next < entries.length ? { link: `<https://huggingface.co${url.pathname}${url.search}>; rel="next"` } : {},
  );
}

function sendContent(request: IncomingMessage, response: ServerResponse, whole: Buffer, faults: Faults): unknown {
  const range = faults.ignoreRange ? null : /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
  const from = Number(range?.[1] ?? 0);
  if (range && from >= whole.length) return send(response, 416, { error: "range" });
  const bytes = Buffer.from(whole.subarray(from));
  if (faults.forge && bytes.length > 0) bytes[bytes.length - 1]! ^= 1;
  response.writeHead(range ? 206 : 200, {
    "content-length": bytes.length,
    ...(range && { "content-range": `bytes ${from}-${whole.length - 1}/${whole.length}` }),
  });
  if (faults.stall) return response.flushHeaders();
  const cut = whole.length > 1000 ? faults.cutAfter.shift() : undefined; // the small files beside pass
  if (request.method === "HEAD") return response.end();
  if (cut === undefined || cut >= bytes.length) return response.end(bytes);
  response.flushHeaders();
  if (cut === 0) return setImmediate(() => response.destroy());
  return response.write(bytes.subarray(0, cut), () => response.destroy());
}

function send(response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): unknown {
  return response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
}

function bytesOf(repo: FakeRepo, path: string): Buffer {
  const content = repo.files[path]!;
  return typeof content === "string" ? Buffer.from(content) : Buffer.from(content);
}

function etagOf(bytes: Uint8Array, largeFrom: number): string {
  return bytes.length > largeFrom ? createHash("sha256").update(bytes).digest("hex") : gitSha1(bytes);
}

function gitSha1(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}
