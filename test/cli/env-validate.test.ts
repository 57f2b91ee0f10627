import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { cli, startCli } from "./run-cli.ts";

const counter = fileURLToPath(new URL("./counter-def.ts", import.meta.url));

test("env validate: one line a check, and exit code 0 when the contract is kept", async () => {
  const { code, stdout, stderr } = await cli("env", "validate", counter, "--episodes", "50");
  assert.equal(stderr, "");
  assert.equal(code, 0);
  const lines = stdout.trim().split("\n");
  assert.equal(lines.length, 15 + 1);
  assert.match(lines[0]!, /^names {8}ok {4}counter 1, 1 tasks, returns in \[0, 1\]$/);
  assert.match(stdout, /^leaks {8}ok {4}50 episodes: heap /m);
  assert.equal(lines.at(-1), "counter keeps the contract");
});

test("env validate: a broken environment ends with 1 and the evidence, also as JSON", async () => {
  const args = ["env", "validate", counter, "--set", "breakage=forgetful-snapshot", "--episodes", "10", "--json"];
  const { code, stdout } = await cli(...args);
  assert.equal(code, 1);
  const findings = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const failed = findings.filter(({ status }) => status === "FAIL");
  assert.deepEqual(
    failed.map(({ check }) => check),
    ["snapshots"],
  );
  assert.match(failed[0].evidence, /restored in the same world after/);
});

test("env validate: the environment of one's own in docs/environments.md keeps the contract, and stands there as it is in its file", async () => {
  const file = fileURLToPath(new URL("../../recipes/examples/my-env.ts", import.meta.url));
  const { code, stdout } = await cli("env", "validate", file, "--episodes", "50");
  assert.equal(code, 0, stdout);
  const docs = readFileSync(new URL("../../docs/environments.md", import.meta.url), "utf8");
  assert.ok(docs.includes(readFileSync(file, "utf8").replace(/^.*\n/, "")));
});

test("env validate: nobody at the address of a server ends with 2 and says so", async () => {
  const { code, stderr } = await cli(
    "env",
    "validate",
    "http",
    "--set",
    "url=http://127.0.0.1:1",
    "--set",
    "retries=0",
  );
  assert.equal(code, 2);
  assert.match(stderr, /environment http, protocol rlvr: GET http:\/\/127\.0\.0\.1:1\/info: /);
});

test("env serve: another process plays the environment over HTTP, and Ctrl-C ends the server", async () => {
  const server = startCli(["env", "serve", counter, "--port", "0"]);
  try {
    while (!server.stderr().includes("is served")) await new Promise((resolve) => setImmediate(resolve));
    const url = /http:\S+/.exec(server.stdout())![0];
    const args = ["env", "play", "http", "--set", `url=${url}`, "--json"];
    const { code, stdout } = await startCli(args, { input: "up\n" }).ended;
    assert.equal(code, 0);
    assert.match(stdout, /"kind":"step","turn":1,"action":"up","observation":"at 1"/);
  } finally {
    server.kill("SIGINT");
  }
  assert.equal((await server.ended).code, 0);
});
