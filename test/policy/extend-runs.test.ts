import assert from "node:assert/strict";
import { test } from "node:test";
import { extendRuns } from "../../src/policy/extend-runs.ts";

const alone = (past: number, tokens: number) => ({ past, tokens, prompt: -1, before: 0 });

test("extendRuns: rows of like length together, each once, and no run has more scores than fit", () => {
  assert.deepEqual(extendRuns([alone(9, 5), alone(0, 2), alone(4, 5)], 2), [[1, 0, 2]]);
  const rows = Array.from({ length: 40 }, (_, i) => alone((i * 997) % 3000, 1 + ((i * 389) % 900)));
  const runs = extendRuns(rows, 9);
  assert.deepEqual(
    [...runs.flat()].sort((a, b) => a - b),
    Array.from({ length: 40 }, (_, i) => i),
  );
  assert.ok(runs.length > 2 && runs.some((run) => run.length > 1));
  for (const run of runs.filter(({ length }) => length > 1)) {
    const longest = Math.max(...run.map((place) => rows[place]!.tokens));
    const past = Math.max(...run.map((place) => rows[place]!.past));
    assert.ok(run.length * 9 * longest * (past + longest) <= 2 ** 25, `${run}`);
  }
  assert.deepEqual(extendRuns([alone(0, 5000)], 9), [[0]], "a row that is too large alone is a run of its own");
});

test("extendRuns: as many rows a prompt as the fullest prompt has count", () => {
  const row = (prompt: number) => ({ past: 1, tokens: 300, prompt, before: 1000 });
  const crowded = [...Array.from({ length: 8 }, () => row(0)), ...Array.from({ length: 8 }, (_, i) => row(i + 1))];
  for (const run of extendRuns(crowded, 9)) {
    const seats = [...new Set(run.map((place) => crowded[place]!.prompt))].map(
      (prompt) => run.filter((place) => crowded[place]!.prompt === prompt).length,
    );
    assert.ok(9 * 300 * (run.length * 301 + seats.length * Math.max(...seats) * 1000) <= 2 ** 25, `${run}`);
  }
  assert.equal(
    extendRuns(
      Array.from({ length: 8 }, () => row(0)),
      9,
    ).length,
    1,
  );
});
