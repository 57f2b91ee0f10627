import assert from "node:assert/strict";
import { test } from "node:test";
import { openPool } from "../../../src/rewards/index.ts";
import { PROBLEMS } from "./problems.ts";
import { answer, configOf } from "./support.ts";

/** Loops inside one call of the engine: it does not leave them by itself, the thread must be killed. */
const STUCK = [
  "const text = 'a'.repeat(1e6); const solve = () => { for (;;) text.indexOf('b'.repeat(10)); };",
  "const list = new Array(1e5).fill(0); const solve = () => { for (;;) list.indexOf(1); };",
];
const CALL = [{ call: "solve", args: [1], expected: 1 }];
/** Far beyond what honest answers take, so that only a kill ends what is stuck. */
const NEVER_MS = 600_000;

test("code-javascript in the pool: honest answers end while stuck ones hang beside them, and those are killed at their deadline", async () => {
  const pool = openPool({ lanes: 2 });
  const score = (code: string, tests: Parameters<typeof answer>[2], deadlineMs: number) => {
    const config = configOf("javascript", { timeoutMs: deadlineMs, totalMs: deadlineMs, memoryMb: 64 });
    return pool.score({ kind: "builtin", config }, answer("javascript", code, tests), deadlineMs);
  };
  let stuckEnded = 0;
  try {
    for (const code of STUCK) void score(code, CALL, NEVER_MS).then(() => stuckEnded++);
    const honest = PROBLEMS.slice(0, 6);
    const verdicts = await Promise.all(honest.map(({ tests, javascript: [code] }) => score(code, tests, NEVER_MS)));
    for (const [i, { outcome, reason }] of verdicts.entries())
      assert.equal(outcome, "correct", `${honest[i]!.name}: ${reason}`);
    assert.equal(stuckEnded, 0, "a stuck program ended by itself");
    const killed = await score(STUCK[0]!, CALL, 500);
    assert.equal(killed.outcome, "timeout", killed.reason);
    assert.equal((await score(honest[0]!.javascript[0], honest[0]!.tests, NEVER_MS)).outcome, "correct");
  } finally {
    await pool.close();
  }
});
