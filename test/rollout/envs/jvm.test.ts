import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { findJar, findJava, Jvm, type JvmOptions } from "../../../src/rollout/envs/jvm.ts";
import { ConfigError, EnvError } from "../../../src/utils/errors.ts";
import { temporaryFolder } from "../../policy/fixtures.ts";
import { isRunning, simulatorJar } from "./simulators-here.ts";

const java = fileURLToPath(new URL("fake-java.mjs", import.meta.url));
const holder = fileURLToPath(new URL("jvm-holder.ts", import.meta.url));

function optionsOf(t: TestContext, mainClass = "fine", more: Partial<JvmOptions> = {}): JvmOptions {
  const jar = join(temporaryFolder(t), "fake.jar");
  writeFileSync(jar, "");
  return { jar, java, mainClass, port: "printed", startMs: 60_000, callMs: 60_000, label: "fake", ...more };
}

async function start(t: TestContext, ...rest: [mainClass?: string, more?: Partial<JvmOptions>]): Promise<Jvm> {
  const jvm = await Jvm.start(optionsOf(t, ...rest));
  t.after(() => jvm.close());
  return jvm;
}

/** Ends when a process has ended; the test's own limit ends the wait. */
async function gone(pid: number): Promise<void> {
  while (isRunning(pid)) await delay(10);
}

for (const port of ["printed", { readyText: "Server started" }] as const)
  test(`Jvm: starts, answers and ends (port ${typeof port === "string" ? port : "given"})`, async (t) => {
    const jvm = await start(t, "fine", { port });
    assert.equal(await jvm.gateway.call("t", "anything"), 7);
    assert.deepEqual([jvm.isAlive, isRunning(jvm.pid)], [true, true]);
    await jvm.close();
    assert.deepEqual([jvm.isAlive, isRunning(jvm.pid)], [false, false]);
  });

test("Jvm: one that ends at its start is told with what it printed", async (t) => {
  await assert.rejects(start(t, "crash"), (error) => {
    assert.ok(error instanceof EnvError);
    assert.match(
      error.message,
      /^fake: the JVM ended with exit code 1; it printed: "Error: Could not find or load main/,
    );
    return true;
  });
});

test("Jvm: one that never gets ready is ended after the time limit", async (t) => {
  await assert.rejects(start(t, "hang", { startMs: 300 }), /^EnvError: fake: the JVM was not ready within 300 ms/);
});

test("Jvm: a port where another gateway answers is not used, another one is tried", async (t) => {
  const jvm = await start(t, "taken", { port: { readyText: "Server started" } });
  assert.equal(await jvm.gateway.call("t", "anything"), 7);
});

test("Jvm: what it prints is read for its whole life, so that it never stalls", async (t) => {
  const jvm = await start(t);
  for (let i = 0; i < 3; i++) assert.equal(await jvm.gateway.call("t", "chatter"), 7);
});

test("Jvm: one that dies in the middle of a call fails it and is not alive", async (t) => {
  const jvm = await start(t);
  await assert.rejects(jvm.gateway.call("t", "exit"), /^EnvError: fake: the connection was closed while "c\\nt\\nexit/);
  await gone(jvm.pid);
  assert.equal(jvm.isAlive, false);
});

test("Jvm: close() in the middle of a call fails the call and ends the process", async (t) => {
  const jvm = await start(t);
  const call = assert.rejects(jvm.gateway.call("t", "silence"), EnvError);
  await jvm.close();
  await call;
  assert.equal(isRunning(jvm.pid), false);
});

/** Starts the holder, waits for its JVMs, and sees that they go when it goes. */
async function holdAndEnd(way: string, signal: NodeJS.Signals | null, all: readonly JvmOptions[]): Promise<void> {
  const texts = all.map((options) => JSON.stringify(options));
  const child = spawn(process.execPath, ["--import", "tsx", holder, way, ...texts], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit");
  let errors = "";
  child.stderr.on("data", (part) => {
    errors += part;
  });
  const [line] = (await Promise.race([once(child.stdout, "data"), ended])) as [Buffer | number];
  const pids = Buffer.isBuffer(line) ? line.toString().trim().split(" ").map(Number) : [];
  assert.equal(pids.length, all.length, errors);
  if (signal) child.kill(signal);
  await ended;
  await Promise.all(pids.map(gone));
}

for (const [name, way, signal] of [
  ["ends and forgets to close it", "end", null],
  ["throws", "throw", null],
  ["gets Ctrl-C", "wait", "SIGINT"],
  ["is killed", "wait", "SIGKILL"],
  ["is killed in the middle of a call", "call", "SIGKILL"],
] as const)
  test(`Jvm: none is left behind when the process ${name}`, async (t) => {
    await holdAndEnd(way, signal, [optionsOf(t)]);
  });

test("Jvm: no real JVM is left behind when the process is killed", async (t) => {
  const jars = [simulatorJar(t, "scienceworld"), simulatorJar(t, "textworld-express")] as const;
  if (jars[0] === null || jars[1] === null) return;
  const [real, port] = [{ java: findJava(null) }, { readyText: "Server started" }];
  await holdAndEnd("wait", "SIGKILL", [
    optionsOf(t, "py4j.GatewayServer", { ...real, jar: jars[0] }),
    optionsOf(t, "textworldexpress.runtime.PythonInterface", { ...real, jar: jars[1], port }),
  ]);
});

test("findJar: the option, then the variable, then the folders; what is missing is told with its script", (t) => {
  const { jar } = optionsOf(t);
  const place = { variable: "RLVR_TEST_JAR", path: "models/none/none.jar", script: "bash scripts/fetch-none" };
  t.after(() => delete process.env.RLVR_TEST_JAR);
  assert.equal(findJar({ ...place, option: jar }), jar);
  process.env.RLVR_TEST_JAR = jar;
  assert.equal(findJar({ ...place, option: null }), jar);
  process.env.RLVR_TEST_JAR = "/nowhere.jar";
  assert.throws(
    () => findJar({ ...place, option: null }),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(
        error.message,
        /^jar: \/nowhere\.jar is not there \(from RLVR_TEST_JAR\); `bash scripts\/fetch-none` brings/,
      );
      return true;
    },
  );
});

test("findJava: JAVA_HOME comes before the search path; a machine without Java is told what brings it", (t) => {
  const before = { PATH: process.env.PATH, JAVA_HOME: process.env.JAVA_HOME };
  t.after(() => {
    for (const [name, value] of Object.entries(before))
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  });
  process.env.PATH = temporaryFolder(t);
  delete process.env.JAVA_HOME;
  assert.throws(() => findJava(null), /^ConfigError: java: no Java on this machine .* `apt-get install -y default-jre/);
  assert.throws(() => findJava("/nowhere/java"), /^ConfigError: java: \/nowhere\/java is no program/);
  assert.equal(findJava(java), java);
});
