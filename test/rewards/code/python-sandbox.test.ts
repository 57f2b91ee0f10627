import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findSandbox } from "../../../src/rewards/index.ts";
import { processTree } from "../../../src/rewards/pool/cpu-clock.ts";
import { CALL, PATIENT } from "./abuses.ts";
import { PROBLEMS } from "./problems.ts";
import { PYTHON_ABUSES } from "./python-abuses.ts";
import { holds, judgeHere } from "./sandbox.ts";
import { noPython } from "./support.ts";

const skip = noPython();

test("code-python: no program leaves its sandbox, stops the others, or is called right without being so", {
  skip,
}, async () => {
  assert.ok(PYTHON_ABUSES.length >= 40);
  await holds("python", PYTHON_ABUSES);
  for (let tries = 0; tries < 200 && named(`rlvr-${process.pid}`).length > 0; tries++) await sleep(20); // the kernel ends them on its own time
  assert.deepEqual(named(`rlvr-${process.pid}`), []);
});

test("code-python: a program finds nothing that another one left", { skip }, async () => {
  const judge = (code: string) => judgeHere("python", { code, tests: CALL, options: PATIENT });
  const left = await judge("def solve(x):\n    open('/tmp/left', 'w').write('x')\n    return open('/tmp/left').read()");
  assert.match(left.reason, /returned "x"/);
  assert.match((await judge("solve = lambda x: open('/tmp/left').read()")).reason, /FileNotFoundError/);
});

test("code-python: honest programs end while others hang beside them", { skip }, async () => {
  const ended: string[] = [];
  const note = async (kind: string, code: string, tests = CALL): Promise<void> => {
    const { outcome } = await judgeHere("python", { code, tests, options: { timeoutMs: 300_000, totalMs: 300_000 } });
    ended.push(`${kind} ${outcome}`);
  };
  const spin = "def solve(x):\n    while True: pass";
  const sleeps = "import time\nsolve = lambda x: time.sleep(1000)";
  const hanging = [spin, sleeps, spin, sleeps, spin, sleeps].map((code) => note("hanging", code));
  const honest = PROBLEMS.slice(0, 12);
  try {
    await Promise.all(honest.map(({ tests, python: [code] }) => note("honest", code, tests)));
    assert.deepEqual(ended, new Array(honest.length).fill("honest correct"));
  } finally {
    for (const pid of processTree(process.pid)) if (nameOf(pid).startsWith("python")) process.kill(pid, "SIGKILL");
    await Promise.all(hanging);
  }
});

test("code-python: without a sandbox it refuses and says what to install", {
  skip: process.platform !== "linux",
}, () => {
  assert.throws(() => findSandbox("/usr/bin/no-such-python"), {
    name: "ConfigError",
    message:
      /^code-python: .*\. Programs are only run in a sandbox\. Install it with: apt-get install bubblewrap python3 \(or name a sandbox server with the option url\)$/,
  });
});

test("code-python: an interpreter outside of /usr, or one that is none, is refused", { skip }, () => {
  const refusal = (path: string): string => {
    try {
      return `accepted: ${findSandbox(path).versions}`;
    } catch (error) {
      return String(error);
    }
  };
  assert.match(
    refusal(process.execPath.startsWith("/usr/") ? "/bin/sh" : process.execPath),
    /must be in a folder bin under \/usr/,
  );
  assert.match(refusal("/usr/bin/../bin/python3"), /must be in a folder bin under \/usr/);
  assert.match(refusal("/usr/bin/env"), /does not work here/);
  assert.match(findSandbox(null).versions, /^bubblewrap \d.*, Python 3\.\d+/);
});

function named(name: string): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && nameOf(Number(entry)) === name)
    .map(Number);
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return ""; // it ended meanwhile
  }
}
