import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openPool, type VerifierSource } from "../../../src/rewards/index.ts";
import type { Scorable } from "../../../src/rewards/types.ts";

const verifier = (file: string, options = {}): VerifierSource => ({
  kind: "module",
  path: fileURLToPath(new URL(`./verifiers/${file}`, import.meta.url)),
  options,
});
const obedient = verifier("obedient.ts");
const says = (text: string): Scorable => ({
  task: { id: "t1", set: "s", prompt: "", answer: null, data: {} },
  text,
  stop: "eos",
  tokens: 1,
});
/** Far above what an honest answer of these tests needs, far below what one that hangs would take. */
const DEADLINE_MS = 400;

const pool = openPool({ lanes: 2, memoryMb: 64, growthMb: 300 });
after(() => pool.close());

const CASES: [deed: string, outcome: string, score: number, reason: RegExp][] = [
  ["right", "correct", 1, /^right: t1$/],
  ["later", "wrong", 0.25, /^a quarter$/],
  ["spin", "timeout", 0, /^no verdict within 400 ms$/],
  ["never", "timeout", 0, /^no verdict within 400 ms$/],
  ["backtrack", "timeout", 0, /^no verdict within 400 ms$/],
  ["heap", "error", 0, /^the verifier needed more than 64 MiB of memory$/],
  ["deep", "error", 0, /^reward obedient threw: Maximum call stack/],
  ["exit", "error", 0, /^the verifier ended its thread \(exit code 3\)$/],
  ["throw", "error", 0, /^reward obedient threw: a bug of the verifier$/],
  ["throw-later", "error", 0, /^the verifier's thread failed: thrown from a timer$/],
  ["nan", "error", 0, /^reward obedient returned the score NaN$/],
  ["two", "error", 0, /^reward obedient returned the score 2$/],
  ["nothing", "error", 0, /^reward obedient returned undefined, not a verdict$/],
  ["number", "error", 0, /^reward obedient returned 1, not a verdict$/],
  ["outcome", "error", 0, /^reward obedient returned the outcome maybe$/],
  ["function", "error", 0, /could not be cloned/],
];

test("pool: whatever a verifier does, every answer gets its outcome and the pool goes on", async () => {
  const verdicts = await Promise.all(
    CASES.map(([deed]) => pool.score(obedient, says(deed), deed === "heap" ? 20_000 : DEADLINE_MS)),
  );
  CASES.forEach(([deed, outcome, score, reason], i) => {
    const verdict = verdicts[i]!;
    assert.deepEqual([deed, verdict.outcome, verdict.score], [deed, outcome, score], verdict.reason);
    assert.match(verdict.reason, reason);
  });
  assert.equal((await pool.score(obedient, says("right"), DEADLINE_MS)).outcome, "correct");
});

test("pool: memory outside of the heap is bounded too", async () => {
  const verdict = await pool.score(obedient, says("buffers"), 60_000);
  assert.equal(verdict.outcome, "error");
  assert.match(verdict.reason, /^memory grew by \d+ MiB while this answer was judged$/);
});

test("pool: answers finish while one of eight hangs", async () => {
  const own = openPool({ lanes: 2 });
  await own.score(obedient, says("right"), DEADLINE_MS);
  const ended: string[] = [];
  const note = async (text: string, deadlineMs: number): Promise<void> => {
    await own.score(obedient, says(text), deadlineMs);
    ended.push(text);
  };
  const deeds = Array.from({ length: 48 }, (_, i) => (i % 8 === 0 ? "spin" : "right"));
  const all = deeds.map((deed) => note(deed, deed === "spin" ? 10_000 : DEADLINE_MS));
  await Promise.all(all.filter((_, i) => deeds[i] === "right"));
  assert.deepEqual(ended, new Array(42).fill("right")); // the six that hang are still running: more than there are lanes
  await own.close();
  await Promise.all(all); // and what was not judged has an outcome all the same
  assert.equal(own.stats().answers, 49);
});

test("pool: a verifier in plain JavaScript that is made from options", async () => {
  const source = verifier("with-options.js", { limit: 3 });
  const outcomes = await Promise.all(
    ["abc", "abcd"].map(async (text) => (await pool.score(source, says(text), 5000)).outcome),
  );
  assert.deepEqual(outcomes, ["correct", "wrong"]);
});

test("pool: a built-in verifier by its recipe entry", async () => {
  const config = { name: "exact-match", weight: 1, from: "text", ignoreCase: true };
  const completion = { ...says("YES"), task: { ...says("").task, answer: "yes" } };
  const verdict = await pool.score({ kind: "builtin", config }, completion, 5000);
  assert.deepEqual([verdict.outcome, verdict.parsed], ["correct", "yes"]);
});

test("pool: a module that is no verifier, or that never loads, is an error that says so", async () => {
  const quick = openPool({ lanes: 1, startMs: 5000 });
  const [none, missing, never] = await Promise.all([
    pool.score(verifier("not-a-reward.ts"), says(""), 5000),
    pool.score(verifier("missing.ts"), says(""), 5000),
    quick.score(verifier("never-loads.ts"), says(""), 5000),
  ]);
  assert.match(`${none.outcome}: ${none.reason}`, /^error: .*not-a-reward\.ts: the default export must be a reward/);
  assert.match(`${missing.outcome}: ${missing.reason}`, /^error: .*missing\.ts/);
  assert.match(`${never.outcome}: ${never.reason}`, /^error: the verifier.* within 5000 ms/);
  await quick.close();
});

test("pool: one that is not closed keeps no process alive", () => {
  const script = `import { openPool } from "./src/rewards/index.ts";
    const pool = openPool({ lanes: 1 });
    const ask = (text, ms) => pool.score(${JSON.stringify(obedient)}, { ...${JSON.stringify(says(""))}, text }, ms);
    const { outcome } = await ask("right", 5000);
    await ask("spin", 1500); // a spare thread starts, and no answer ever comes to it
    console.log(outcome);`;
  const argv = ["--import", "tsx", "--input-type=module", "-e", script];
  const { stdout, status, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8", timeout: 60_000 });
  assert.deepEqual([stdout.trim(), status], ["correct", 0], stderr);
});

test("pool: figures count answers, outcomes and threads", async () => {
  const own = openPool({ lanes: 1 });
  for (const deed of ["right", "throw", "spin"]) await own.score(obedient, says(deed), DEADLINE_MS);
  const { answers, timeouts, errors, threadsKilled, maxMs, meanMs, answersPerSecond } = own.stats();
  assert.deepEqual(
    { answers, timeouts, errors, threadsKilled },
    { answers: 3, timeouts: 1, errors: 1, threadsKilled: 1 },
  );
  // a timer may fire up to a millisecond early
  assert.ok(maxMs > DEADLINE_MS - 5 && meanMs > DEADLINE_MS / 4 && answersPerSecond > 0, `${maxMs} ${meanMs}`);
  await own.close();
  assert.match((await own.score(obedient, says("right"), DEADLINE_MS)).reason, /the pool of verifiers is closed/);
});
