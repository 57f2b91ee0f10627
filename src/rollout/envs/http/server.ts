import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { EnvError, messageOf, RlvrError } from "../../../utils/errors.ts";
import type { Environment, EnvironmentSource } from "../types.ts";
import { type InfoReply, RequestBody } from "./protocol.ts";

/** Where a source is served. */
export interface ServeOptions {
  readonly host?: string;
  /** 0: any free one. */
  readonly port?: number;
  /** A world that nobody calls for so long is closed, ms. */
  readonly idleMs?: number;
}

/** A running server. */
export interface EnvServer {
  readonly url: string;
  /** Worlds that are open now. */
  worlds(): number;
  /** Closes all worlds and connections; the source stays the caller's to close. */
  close(): Promise<void>;
}

/** A refusal with a status. */
class Refusal extends EnvError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Held {
  readonly world: Environment;
  lastMs: number;
}

/** Longest request, bytes; a snapshot may be large. */
const MAX_REQUEST = 16 * 2 ** 20;

/** Serves any environment over the protocol of docs/environments.md, to this machine alone unless `host` says otherwise. */
export async function serveSource(
  source: EnvironmentSource,
  { host = "127.0.0.1", port = 0, idleMs = 600_000 }: ServeOptions = {},
): Promise<EnvServer> {
  const held = new Map<string, Held>();
  const info = await describe(source);
  const server = createServer((request, response) => {
    void answer(request, response, (path, body) => handle(source, held, info, path, body));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(new EnvError(`can't listen on ${host}:${port}: ${error.message}`)));
    server.listen(port, host, resolve);
  });
  const sweep = setInterval(
    () => {
      for (const [id, { world, lastMs }] of held) {
        if (performance.now() - lastMs < idleMs) continue;
        held.delete(id);
        void world.close().catch(() => {}); // nobody waits for it
      }
    },
    Math.min(idleMs, 10_000),
  ).unref();
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    worlds: () => held.size,
    async close() {
      clearInterval(sweep);
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([...held.values()].map(({ world }) => world.close().catch(() => {})));
      held.clear();
      await closed;
    },
  };
}

async function describe(source: EnvironmentSource): Promise<InfoReply> {
  const { name, version, deterministic, returnRange, maxWorlds, admissibleNote, tasks } = source;
  const probe = await source.open();
  const features = {
    admissibleActions: probe.admissibleActions !== undefined,
    goldActions: source.goldActions !== undefined,
    snapshots: probe.snapshot !== undefined && probe.restore !== undefined,
  };
  await probe.close();
  const splits = {
    train: [...(await source.starts("train"))],
    dev: [...(await source.starts("dev"))],
    test: [...(await source.starts("test"))],
  };
  return {
    name,
    version,
    deterministic,
    returnRange: [...returnRange],
    maxWorlds,
    admissibleNote,
    tasks: [...tasks],
    splits,
    features,
  };
}

async function handle(
  source: EnvironmentSource,
  held: Map<string, Held>,
  info: InfoReply,
  path: string,
  body: RequestBody,
): Promise<unknown> {
  if (path === "GET /info") return info;
  if (path === "POST /open") {
    const id = randomUUID();
    held.set(id, { world: await source.open(), lastMs: performance.now() });
    return { id };
  }
  if (path === "POST /gold" && source.goldActions)
    return { actions: await source.goldActions({ task: given(body, "task"), seed: given(body, "seed") }) };
  const act = ACTS[path];
  if (!act)
    throw new Refusal(404, `there is no ${path}; there are GET /info, POST /open, ${Object.keys(ACTS).join(", ")}`);
  const id = given(body, "id");
  const entry = held.get(id);
  if (path === "POST /close") held.delete(id);
  if (!entry && path === "POST /close") return {}; // closed before
  if (!entry) throw new Refusal(404, `there is no open world ${JSON.stringify(id.slice(0, 80))}`);
  entry.lastMs = performance.now();
  return act(entry.world, body);
}

const ACTS: Readonly<Record<string, (world: Environment, body: RequestBody) => Promise<unknown>>> = {
  "POST /reset": (world, body) => world.reset({ task: given(body, "task"), seed: given(body, "seed") }),
  "POST /step": (world, body) => world.step(given(body, "action")),
  "POST /admissible": async (world) => ({ actions: (await world.admissibleActions?.()) ?? null }),
  "POST /snapshot": async (world) => ({ snapshot: (await world.snapshot?.()) ?? null }),
  "POST /restore": async (world, body) => {
    await world.restore?.(given(body, "snapshot"));
    return {};
  },
  "POST /close": async (world) => {
    await world.close();
    return {};
  },
};

function given<Field extends keyof RequestBody>(body: RequestBody, field: Field): NonNullable<RequestBody[Field]> {
  const value = body[field];
  if (value === undefined || value === null) throw new Refusal(400, `the request has no ${field}`);
  return value;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  work: (path: string, body: RequestBody) => Promise<unknown>,
): Promise<void> {
  let status = 200;
  let reply: unknown;
  try {
    const path = `${request.method} ${(request.url ?? "/").split("?")[0]}`;
    reply = await work(path, await readBody(request));
  } catch (error) {
    status = error instanceof Refusal ? error.status : error instanceof RlvrError ? 422 : 500;
    reply = { error: messageOf(error) };
  }
  const text = JSON.stringify(reply);
  response
    .writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) })
    .end(text);
}

async function readBody(request: IncomingMessage): Promise<RequestBody> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.byteLength;
    if (bytes > MAX_REQUEST) throw new Refusal(413, `the request has more than ${MAX_REQUEST} bytes`);
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString("utf8");
  if (text === "") return {};
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Refusal(400, `the request is no JSON (${messageOf(error)})`);
  }
  const parsed = RequestBody.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Refusal(400, `the request is not as agreed: ${issue!.path.join(".")} ${issue!.message}`);
}
