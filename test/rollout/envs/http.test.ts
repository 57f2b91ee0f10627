import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { validateSource } from "../../../src/rollout/envs/contract/index.ts";
import { type HttpOptions, http, serveSource } from "../../../src/rollout/envs/http/index.ts";
import type { EnvironmentSource } from "../../../src/rollout/envs/index.ts";
import { ConfigError, EnvError } from "../../../src/utils/errors.ts";
import { counterSource } from "./counter-env.ts";

type Answer = (body: Record<string, unknown>, request: IncomingMessage, response: ServerResponse) => unknown;

/** A server whose paths answer as told: a value is sent as JSON, `undefined` means that the answer is written by hand or not at all. */
async function withServer(
  paths: Record<string, Answer>,
  use: (url: string, calls: string[]) => Promise<void>,
): Promise<void> {
  const calls: string[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const part of request) text += part;
    const path = `${request.method} ${request.url}`;
    calls.push(path);
    const reply = paths[path]?.(text ? JSON.parse(text) : {}, request, response);
    if (!paths[path]) response.writeHead(404).end('{"detail": "Not Found"}');
    else if (reply !== undefined) response.end(JSON.stringify(reply));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function open(url: string, options: Partial<HttpOptions> = {}): Promise<EnvironmentSource> {
  return http.open(http.options.parse({ url, ...options }));
}

const INFO = {
  ...{ name: "bad", version: "1", deterministic: true, returnRange: [0, 1], tasks: ["t"] },
  splits: { train: [{ task: "t", seed: 0 }], test: [{ task: "t", seed: 1 }] },
};
const FRESH = { instruction: "do", observation: "here" };

/** A server of our protocol with one odd answer to a step. */
async function stepFails(step: Answer, evidence: RegExp, options: Partial<HttpOptions> = {}): Promise<void> {
  const paths = {
    "GET /info": () => INFO,
    "POST /open": () => ({ id: 7 }),
    "POST /reset": () => FRESH,
    "POST /step": step,
    "POST /close": () => ({}),
  };
  await withServer(paths, async (url, calls) => {
    const source = await open(url, options);
    const world = await source.open();
    await world.reset({ task: "t", seed: 0 });
    await assert.rejects(world.step("go"), (error: Error) => {
      assert.ok(error instanceof EnvError);
      assert.match(error.message, evidence);
      return true;
    });
    assert.equal(calls.filter((path) => path === "POST /step").length, 1, "a step is never sent twice");
    assert.deepEqual(await world.reset({ task: "t", seed: 0 }), FRESH);
    await source.close();
    assert.equal(calls.at(-1), "POST /close");
  });
}

test("http: an environment that is served keeps the whole contract, and its worlds are closed on the server", async () => {
  let closed = 0;
  const server = await serveSource(counterSource(undefined, () => closed++));
  const source = await open(server.url);
  try {
    const findings = await validateSource(source, { episodes: 20, starts: 2, maxSteps: 8 });
    assert.deepEqual(
      findings.filter(({ status }) => status !== "ok"),
      [],
    );
    assert.equal(source.version, "counter 1");
    const before = closed;
    await source.open();
    await source.open();
    assert.equal(server.worlds(), 2);
    await source.close();
    assert.equal(server.worlds(), 0);
    assert.equal(closed, before + 2);
  } finally {
    await server.close();
  }
});

test("http: tasks can be chosen, and one that the server does not have is refused by name", async () => {
  const server = await serveSource(counterSource());
  try {
    assert.deepEqual((await open(server.url, { tasks: ["count"] })).tasks, ["count"]);
    await assert.rejects(open(server.url, { tasks: ["cuont"] }), /has no task "cuont"; it has count/);
  } finally {
    await server.close();
  }
});

test("serveSource: requests that make no sense are refused with what is wrong", async () => {
  const server = await serveSource(counterSource());
  const post = async (path: string, body: string): Promise<unknown> =>
    (await fetch(server.url + path, { method: "POST", body })).json();
  try {
    assert.match(JSON.stringify(await post("/step", "{")), /the request is no JSON/);
    assert.match(JSON.stringify(await post("/step", '{"id": "x", "action": 3}')), /action Invalid input/);
    assert.match(JSON.stringify(await post("/step", '{"action": "up"}')), /the request has no id/);
    assert.match(JSON.stringify(await post("/step", '{"id": "x", "action": "up"}')), /no open world \\"x\\"/);
    assert.match(
      JSON.stringify(await post("/setp", "{}")),
      /there is no POST \/setp; there are GET \/info, POST \/open/,
    );
  } finally {
    await server.close();
  }
});

test("serveSource: a port in use is told", async () => {
  const server = await serveSource(counterSource());
  const port = Number(new URL(server.url).port);
  await assert.rejects(serveSource(counterSource(), { port }), /can't listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/);
  await server.close();
});

test("http: nobody at the address is a ConfigError that says how often it was tried", async () => {
  const server = await serveSource(counterSource());
  await server.close();
  await assert.rejects(open(server.url, { retries: 1 }), (error: Error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(
      error.message,
      /GET http:\/\/127\.0\.0\.1:\d+\/info: nobody listens there \(ECONNREFUSED\).*, 2 times/,
    );
    return true;
  });
});

test("http: a step that hangs ends after the time limit", () =>
  stepFails(() => undefined, /POST \S+\/step: no whole reply within 100 ms/, { timeoutMs: 100 }));

test("http: a reply that stops in its middle ends after the time limit", () =>
  stepFails((_, _request, response) => void response.write('{"observation"'), /no whole reply within 100 ms/, {
    timeoutMs: 100,
  }));

test("http: a reply that is no JSON is shown", () =>
  stepFails((_, _request, response) => void response.end("<html>"), /the reply is no JSON .*"<html>"/));

test("http: a reward of NaN is refused", () =>
  stepFails(
    (_, _request, response) =>
      void response.end('{"observation": "x", "reward": NaN, "done": false, "success": false}'),
    /the reply is no JSON .*reward\\": NaN/,
  ));

test("http: a reply without a reward names the field", () =>
  stepFails(
    () => ({ observation: "x", done: false, success: false }),
    /the reply is not as agreed \(reward: .*expected number/,
  ));

test("http: status 500 of a step is not tried again, and its message is told", () =>
  stepFails(
    (_, _request, response) => void response.writeHead(500).end('{"error": "out of coal"}'),
    /\/step: out of coal$/,
  ));

test("http: a connection that is cut in mid-reply is not tried again", () =>
  stepFails((_, request, response) => {
    response.writeHead(200, { "content-length": "100" }).write("{");
    setImmediate(() => request.socket.destroy());
  }, /POST \S+\/step: (terminated|other side closed|read ECONNRESET)/));

test("http: a flood is cut off", () =>
  stepFails((_, _request, response) => {
    const part = "x".repeat(2 ** 20);
    const pour = (): void => {
      while (!response.destroyed && response.write(part));
    };
    response.on("drain", pour);
    pour();
  }, /the reply has more than 16777216 bytes/));

test("http: a reset whose connection is cut twice, and that meets a 503, is tried again", async () => {
  let tries = 0;
  const reset: Answer = (_, request, response) => {
    tries++;
    if (tries < 3) request.socket.destroy();
    else if (tries === 3) response.writeHead(503).end("busy");
    else return FRESH;
    return undefined;
  };
  const paths = {
    "GET /info": () => INFO,
    "POST /open": () => ({ id: "a" }),
    "POST /reset": reset,
    "POST /close": () => ({}),
  };
  await withServer(paths, async (url) => {
    const world = await (await open(url)).open();
    assert.deepEqual(await world.reset({ task: "t", seed: 0 }), FRESH);
    assert.equal(tries, 4);
    await world.close();
  });
});

test("http: a close in the middle of a step ends the step, and later calls are refused", async () => {
  const paths = {
    "GET /info": () => INFO,
    "POST /open": () => ({ id: 1 }),
    "POST /step": () => undefined,
    "POST /close": () => ({}),
  };
  await withServer(paths, async (url) => {
    const world = await (await open(url)).open();
    const step = assert.rejects(world.step("go"), /the world was closed during the call/);
    await world.close();
    await step;
    await assert.rejects(world.step("go"), /the world is closed/);
  });
});

test("http: an OpenEnv server is played through reset and step, with one world", async () => {
  let at = 0;
  const seen: unknown[] = [];
  const observed = (text: string, reward: number | null, done: boolean): object => ({
    observation: { text, other: 1 },
    reward,
    done,
  });
  const paths: Record<string, Answer> = {
    "GET /health": () => ({ status: "healthy" }),
    "POST /reset": (body) => {
      seen.push(body);
      at = 0;
      return observed("at 0", null, false);
    },
    "POST /step": (body) => {
      seen.push(body);
      at++;
      return observed(`at ${at}`, at === 2 ? 1 : null, at === 2);
    },
  };
  await withServer(paths, async (url) => {
    const source = await open(url, { protocol: "openenv", observationField: "text", instruction: "Go." });
    assert.equal(source.maxWorlds, 1);
    const [start] = await source.starts("dev");
    assert.deepEqual(start, { task: "episode", seed: 100 });
    const world = await source.open();
    assert.deepEqual(await world.reset(start!), { instruction: "Go.", observation: "at 0" });
    const first = await world.step("hello");
    assert.deepEqual(first, { observation: "at 1", reward: 0, done: false, success: false, valid: null });
    const last = await world.step("again");
    assert.deepEqual([last.reward, last.done, last.success], [1, true, true]);
    const after = await world.step("more");
    assert.deepEqual([after.reward, after.done, after.success], [0, true, true]);
    assert.deepEqual(seen, [{ seed: 100 }, { action: { message: "hello" } }, { action: { message: "again" } }]);
    await assert.rejects(world.reset({ task: "episode", seed: 140 }), /there is no variation 140; they are 0 to 139/);
    await source.close();
  });
});

test("http: an AgentGym server is played by data_idx; what it reports as an error with status 200 is one", async () => {
  const paths: Record<string, Answer> = {
    "GET /": () => "This is environment ScienceWorld.",
    "POST /create": () => ({ id: 3 }),
    "POST /reset": ({ id, data_idx }) => ({
      id,
      task_description: `task ${data_idx}`,
      observation: "a room",
      reward: 0,
      score: 0,
      done: false,
    }),
    "POST /step": ({ action }) =>
      action === "die"
        ? { error: "no such game" }
        : { observation: `${action}!`, reward: 40, score: 40, done: action === "focus" },
    "POST /close": () => true,
  };
  await withServer(paths, async (url, calls) => {
    const source = await open(url, { protocol: "agentgym", returnRange: [-100, 100], successReturn: 80 });
    const world = await source.open();
    assert.deepEqual(await world.reset({ task: "episode", seed: 5 }), { instruction: "task 5", observation: "a room" });
    assert.equal((await world.step("look")).reward, 40);
    assert.deepEqual(await world.step("focus"), {
      observation: "focus!",
      reward: 40,
      done: true,
      success: true,
      valid: null,
    });
    await world.reset({ task: "episode", seed: 5 });
    await assert.rejects(world.step("die"), /POST \S+\/step: no such game/);
    await world.close();
    assert.equal(calls.at(-1), "POST /close");
  });
});

test("http: options that don't fit are refused", () => {
  assert.match(String(http.options.safeParse({ url: "ftp://x" }).error), /must be an address such as/);
  assert.match(String(http.options.safeParse({ url: "http://x", protocol: "grpc" }).error), /protocol/);
  assert.match(String(http.options.safeParse({ url: "http://x", timeout: 3 }).error), /timeout/);
});
