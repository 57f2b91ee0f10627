import assert from "node:assert/strict";
import { test } from "node:test";
import { extendRuns } from "../../src/policy/extend-runs.ts";

test("extendRuns: rows of like length together, each once, and no run has more scores than fit", () => {
  assert.deepEqual(
    extendRuns(
      [
        { past: 9, tokens: 5 },
        { past: 0, tokens: 2 },
        { past: 4, tokens: 5 },
      ],
      2,
    ),
    [[1, 0, 2]],
  );
  const rows = Array.from({ length: 40 }, (_, i) => ({ past: (i * 997) % 3000, tokens: 1 + ((i * 389) % 900) }));
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
  assert.deepEqual(
    extendRuns([{ past: 0, tokens: 5000 }], 9),
    [[0]],
    "a row that is too large alone is a run of its own",
  );
});
