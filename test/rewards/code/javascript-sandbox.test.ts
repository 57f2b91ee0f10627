import assert from "node:assert/strict";
import { test } from "node:test";
import { openPool } from "../../../src/rewards/index.ts";
import { CALL } from "./abuses.ts";
import { JAVASCRIPT_ABUSES, JAVASCRIPT_STUCK } from "./javascript-abuses.ts";
import { PROBLEMS } from "./problems.ts";
import { holds } from "./sandbox.ts";
import { answer, configOf } from "./support.ts";

test("code-javascript: no program leaves its sandbox, stops the others, or is called right without being so", async () => {
  assert.ok(JAVASCRIPT_ABUSES.length >= 40);
  await holds("javascript", JAVASCRIPT_ABUSES);
});

test("code-javascript: programs that the engine can't stop are killed with their threads, and honest ones end beside them", async () => {
  const pool = openPool({ lanes: 2 });
  const ended: string[] = [];
  const note = async (kind: string, code: string, tests = CALL, deadlineMs = 300_000): Promise<string> => {
    const config = configOf("javascript", { timeoutMs: deadlineMs, totalMs: deadlineMs });
    const { outcome, reason } = await pool.score(
      { kind: "builtin", config },
      answer("javascript", code, tests),
      deadlineMs,
    );
    ended.push(`${kind} ${outcome}`);
    return reason;
  };
  const hanging = JAVASCRIPT_STUCK.map(({ code }) => note("hanging", code));
  const honest = PROBLEMS.slice(0, 8);
  try {
    await Promise.all(honest.map(({ tests, javascript: [code] }) => note("honest", code, tests)));
    assert.deepEqual(ended, new Array(honest.length).fill("honest correct"));
    assert.match(await note("stopped", JAVASCRIPT_STUCK[0]!.code, CALL, 300), JAVASCRIPT_STUCK[0]!.reason);
    assert.equal(ended.at(-1), "stopped timeout");
  } finally {
    await pool.close();
  }
  await Promise.all(hanging);
});
