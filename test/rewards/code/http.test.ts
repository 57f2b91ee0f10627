import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { after, test } from "node:test";
import { judgeCode } from "../../../src/rewards/code/judge.ts";
import { CodeOptions } from "../../../src/rewards/code/options.ts";
import { createReward, sandboxServer, type Verdict } from "../../../src/rewards/index.ts";
import type { Json } from "../../../src/rollout/types.ts";
import { answer, configOf } from "./support.ts";

/** What a client asked. */
interface Asked {
  readonly path: string;
  readonly token: string | undefined;
  readonly body: { readonly [name: string]: Json };
}
type Reply = (asked: Asked, response: ServerResponse, tries: number) => void | Promise<void>;

let reply: Reply = () => {};
const asked: Asked[] = [];
const server = createServer((request, response) => void serve(request, response));
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
after(() => {
  server.closeAllConnections();
  server.close();
});

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = "";
  for await (const part of request) text += part;
  asked.push({ path: request.url ?? "", token: request.headers.authorization, body: JSON.parse(text) });
  await reply(asked.at(-1)!, response, asked.length);
}

const SQUARE: Json = [
  { call: "square", args: [3], expected: 9 },
  { call: "square", args: [-2], expected: 4 },
];
const QUICK = { graceMs: 60_000, pauseMs: 1 };

/** Judges a JavaScript program on the server of this file. */
async function judge(code: string, tests: Json, told: Reply, pace = QUICK, limits = {}): Promise<Verdict> {
  reply = told;
  asked.length = 0;
  const runner = sandboxServer("javascript", { url, tokenVariable: null }, pace);
  return judgeCode(runner, answer("javascript", code, tests), CodeOptions.parse({ url, ...limits }));
}

/** A server that runs the program with Node, as the real one does. */
const node: Reply = async ({ body }, response) => {
  const child = spawn(process.execPath, ["-e", String(body.code)], { env: {} });
  child.stdin.end(String(body.stdin));
  const out = { stdout: "", stderr: "" };
  child.stdout.on("data", (text) => (out.stdout += text));
  child.stderr.on("data", (text) => (out.stderr += text));
  const return_code = await new Promise<number>((resolve) => child.on("close", resolve));
  finished(response, { ...out, return_code, status: return_code === 0 ? "Finished" : "Error" });
};

function finished(response: ServerResponse, result: object, status = "Success"): void {
  response.end(
    JSON.stringify({ status, message: "", compile_result: null, run_result: { execution_time: 0.1, ...result } }),
  );
}

const ok = { status: "Finished", return_code: 0, stderr: "" };

test("sandboxServer: programs are run there and judged here", async () => {
  const right = await judge("const square = (x) => x * x;", SQUARE, node);
  assert.deepEqual([right.outcome, right.score, right.reason], ["correct", 1, "passed 2 of 2 tests"]);
  const { language, stdin, run_timeout, memory_limit_MB, compile_timeout } = asked[0]!.body;
  assert.deepEqual([asked[0]!.path, asked.length, language], ["/run_code", 1, "nodejs"]);
  // two calls of 4 s at most, with the default memory; the arguments go there, what is expected does not
  assert.deepEqual([run_timeout, memory_limit_MB, compile_timeout], [8, 512, 10]);
  assert.deepEqual((JSON.parse(String(stdin)) as { calls: Json }).calls, [
    { name: "square", args: [3] },
    { name: "square", args: [-2] },
  ]);
  const wrong = await judge("const square = (x) => x + x;", SQUARE, node);
  assert.match(
    `${wrong.outcome}: ${wrong.reason}`,
    /^wrong: passed 0 of 2 tests; test 1: square\(…\): returned 6, expected 9$/,
  );
});

test("sandboxServer: a program that reads and prints", async () => {
  const tests = [{ input: "2 3\n", output: "5\n" }];
  const add = "print(readline().split(' ').map(Number).reduce((a, b) => a + b));";
  assert.equal((await judge(add, tests, node)).outcome, "correct");
  const failed = await judge("throw new Error('no');", tests, node);
  assert.deepEqual([failed.outcome, failed.score], ["wrong", 0]);
});

const HELD: readonly (readonly [what: string, result: object, outcome: string, reason: RegExp])[] = [
  ["time", { ...ok, status: "TimeLimitExceeded", stdout: "" }, "timeout", /took longer than 4000 ms$/],
  ["output", { ...ok, stdout: "a".repeat(70_000) }, "wrong", /printed more than 65536 bytes$/],
  ["memory", { ...ok, return_code: 1, status: "Error", stdout: "", stderr: "x\nMemoryError" }, "wrong", /MemoryError$/],
  ["exit code", { ...ok, return_code: 3, stdout: "5" }, "wrong", /exit code 3$/],
];

test("sandboxServer: limits that a program exceeded there have their outcomes", async () => {
  const tests = [{ input: "", output: "5" }];
  for (const [what, result, outcome, reason] of HELD) {
    const verdict = await judge("print(5)", tests, (_, response) => finished(response, result));
    assert.equal(verdict.outcome, outcome, what);
    assert.match(verdict.reason, reason);
  }
});

const raw =
  (status: number, text: string): Reply =>
  (_, response) => {
    response.statusCode = status;
    response.end(text);
  };

const BROKEN: readonly (readonly [what: string, reply: Reply, tries: number, message: RegExp])[] = [
  [
    "an error of the server",
    raw(500, "out of order"),
    3,
    /^sandbox server http:\/\/127\.0\.0\.1:\d+\/run_code: HTTP 500 out of order$/,
  ],
  ["too many requests", raw(429, ""), 3, /HTTP 429$/],
  ["a wrong token", raw(401, "who are you"), 1, /HTTP 401 who are you$/],
  ["another server", raw(404, "not here"), 1, /HTTP 404 not here$/],
  ["no JSON", raw(200, "<html>"), 1, /is not one of \/run_code: <html>$/],
  ["JSON of another form", raw(200, '{"passed":true}'), 1, /is not one of \/run_code: {"passed":true}$/],
  ["an unknown status", (_, r) => finished(r, ok, "Fine"), 1, /is not one of \/run_code/],
  ["a time that is none", (_, r) => finished(r, { ...ok, execution_time: -1 }), 1, /is not one of \/run_code/],
  [
    "a failure of its sandbox",
    raw(200, '{"status":"SandboxError","message":"no room"}'),
    1,
    /^the sandbox server failed: no room$/,
  ],
  ["no result", raw(200, '{"status":"Success"}'), 1, /^the sandbox server failed: it gave no result$/],
  ["an answer that is too long", raw(200, " ".repeat(10_000_000)), 1, /answer is longer than \d+ bytes$/],
  ["another place", (_, r) => void r.writeHead(302, { location: "/" }).end(), 3, /redirect/],
  ["a connection that ends", (_, r) => void r.destroy(), 3, /^sandbox server .*: (other side closed|read ECONNRESET)$/],
  [
    "an answer that ends early",
    (_, r) => void r.writeHead(200, { "content-length": 100 }).write("{", () => r.destroy()),
    3,
    /other side closed|terminated|aborted/,
  ],
];

test("sandboxServer: a server that fails says nothing about the program", async () => {
  for (const [what, told, tries, message] of BROKEN) {
    await assert.rejects(judge("const square = (x) => x * x;", SQUARE, told), { name: "RewardError", message }, what);
    assert.equal(asked.length, tries, what);
  }
});

test("sandboxServer: a server that was busy is asked again", async () => {
  const verdict = await judge("const square = (x) => x * x;", SQUARE, (one, response, tries) =>
    tries < 3 ? raw(503, "busy")(one, response, tries) : node(one, response, tries),
  );
  assert.deepEqual([verdict.outcome, asked.length], ["correct", 3]);
});

test("sandboxServer: a server that never answers is an error after three tries", async () => {
  const pace = { graceMs: 10, pauseMs: 1 };
  const judged = judge("print(5)", [{ input: "", output: "5" }], () => {}, pace, { timeoutMs: 10 });
  await assert.rejects(judged, { name: "RewardError", message: /The operation was aborted due to timeout$/ });
  assert.equal(asked.length, 3);
});

test("sandboxServer: a server that is not there is an error, in a rubric too", async () => {
  const closed = createTcpServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const reward = createReward(configOf("javascript", { url: `http://127.0.0.1:${port}/sandbox/` }));
  await assert.rejects(async () => reward.score(answer("javascript", "print(5)", SQUARE)), {
    message: new RegExp(`^sandbox server http://127\\.0\\.0\\.1:${port}/sandbox/run_code: connect ECONNREFUSED`),
  });
});

test("sandboxServer: the token is sent, and asked for by the name of its variable", async () => {
  const config = configOf("javascript", { url, tokenVariable: "RLVR_TEST_TOKEN" });
  assert.throws(() => createReward(config), {
    name: "ConfigError",
    message: "code-javascript: the environment variable RLVR_TEST_TOKEN is not set",
  });
  process.env.RLVR_TEST_TOKEN = "open-sesame";
  reply = node;
  asked.length = 0;
  const verdict = await createReward(config).score(answer("javascript", "const square = (x) => x * x;", SQUARE));
  delete process.env.RLVR_TEST_TOKEN;
  assert.deepEqual([verdict.outcome, asked[0]!.token], ["correct", "Bearer open-sesame"]);
});
