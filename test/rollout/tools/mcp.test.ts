import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { McpConfig, openTools, type ToolBox, ToolLimits } from "../../../src/rollout/tools/index.ts";
import { ConfigError } from "../../../src/utils/errors.ts";

const SERVER = fileURLToPath(new URL("mcp-server.mjs", import.meta.url));
const FOLDER = fileURLToPath(new URL(".", import.meta.url));

function open(mcp: object, limits: object = {}): Promise<ToolBox> {
  return openTools([{ mcp: McpConfig.parse(mcp) }], ToolLimits.parse(limits), { folder: FOLDER });
}
const stdio = (mode: string): object => ({ command: process.execPath, args: [SERVER, mode] });

async function call(
  box: ToolBox,
  name: string,
  given: Record<string, unknown> = {},
): Promise<[end: string, text: string]> {
  const [outcome] = outcomes(box, name, given);
  if (outcome?.kind !== "call") return [outcome!.kind, outcome!.problem];
  const { end, text } = await box.run(outcome.tool, outcome.value);
  return [end, text];
}

function outcomes(box: ToolBox, name: string, given: Record<string, unknown>) {
  const read = box.read(`<tool_call>${JSON.stringify({ name, arguments: given })}</tool_call>`, "hermes", false);
  assert.equal(read.kind, "calls");
  return read.kind === "calls" ? read.calls : [];
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function closed(t: TestContext, box: Promise<ToolBox>): Promise<ToolBox> {
  const opened = await box;
  t.after(() => opened.close());
  return opened;
}

test("MCP over standard input and output: tools are listed, called, checked and their failures are results", async (t) => {
  const box = await closed(t, open({ ...stdio("stdio"), env: { CAPTION: "a cat" } }, { deadlineMs: 1500 }));
  assert.deepEqual([...box.tools.keys()].sort(), ["add", "die", "fail", "flood", "hang", "picture", "pid"]);
  const add = box.definitions.find((tool) => tool.function.name === "add")!.function;
  assert.equal(add.description, "Adds.");
  assert.deepEqual(Object.keys(add.parameters.properties as object), ["a", "b"]);
  assert.deepEqual(await call(box, "add", { a: 2, b: 3.5 }), ["ok", "5.5"]);
  assert.equal((await call(box, "add", { a: 2 }))[0], "bad-arguments");
  assert.deepEqual(await call(box, "fail"), ["error", "Error: no luck"]);
  assert.deepEqual(await call(box, "picture"), ["ok", "[image]\na cat"]);
  const flood = await call(box, "flood");
  assert.equal(flood[0], "cut");
  assert.ok(flood[1].length < 4100 && flood[1].endsWith("[cut: the result has 1000000 characters]"));
  const [hung, sum] = await Promise.all([call(box, "hang"), call(box, "add", { a: 1, b: 1 })]);
  assert.deepEqual([hung[0], sum], ["timeout", ["ok", "2"]], "a call that hangs holds up no other");
});

test("MCP: a server that dies gives an error, is started again at the next call, and is gone after close", async () => {
  const box = await open(stdio("stdio"));
  const first = Number((await call(box, "pid"))[1]);
  assert.equal((await call(box, "die"))[0], "error");
  const second = Number((await call(box, "pid"))[1]);
  assert.notEqual(second, first);
  assert.deepEqual([isAlive(first), isAlive(second)], [false, true]);
  await box.close();
  assert.equal(isAlive(second), false);
  assert.match((await call(box, "pid"))[1], /was closed/);
});

test("MCP over HTTP: tools are called, with headers from the environment", async (t) => {
  const server = spawn(process.execPath, [SERVER, "http"], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => server.stdin.end());
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  const url = `http://127.0.0.1:${String(line).trim()}/mcp`;
  process.env.RLVR_TEST_TOKEN = "Bearer let-me-in";
  t.after(() => delete process.env.RLVR_TEST_TOKEN);
  const box = await closed(t, open({ url, headerVariables: { authorization: "RLVR_TEST_TOKEN" } }));
  assert.deepEqual(await call(box, "add", { a: 20, b: 22 }), ["ok", "42"]);
  await assert.rejects(open({ url }), /could not be opened/);
  await assert.rejects(open({ url, headerVariables: { authorization: "RLVR_NO_SUCH" } }), /RLVR_NO_SUCH .* is not set/);
});

test("MCP: only the tools that are named, and a name that does not exist is refused with the nearest", async (t) => {
  const box = await closed(t, open({ ...stdio("stdio"), only: ["add"] }));
  assert.deepEqual([...box.tools.keys()], ["add"]);
  await assert.rejects(open({ ...stdio("stdio"), only: ["ad"] }), /has no tool "ad"; did you mean add\?/);
});

test("MCP: a server that is missing, breaks at once or never answers is refused in words", async () => {
  const bad: [object, RegExp][] = [
    [{ command: "/no/such/program" }, /\/no\/such\/program could not be opened: .*ENOENT/],
    [stdio("broken"), /could not be opened: .*it said: the licence has run out/s],
    [{ ...stdio("silent"), startMs: 300 }, /no list of tools within 300 ms/],
    [{ url: "http://127.0.0.1:1/mcp" }, /could not be opened/],
  ];
  for (const [mcp, message] of bad)
    await assert.rejects(
      open(mcp),
      (error) => error instanceof ConfigError && message.test(error.message),
      String(message),
    );
  for (const config of [{}, { command: "a", url: "http://b/" }, { url: "file:///etc" }])
    assert.equal(McpConfig.safeParse(config).success, false);
});
