import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { questionKey } from "../../src/rollout/data/index.ts";
import { type DifficultyOptions, estimateDifficulty } from "../../src/run/difficulty.ts";
import { evaluateModel, planEvaluation } from "../../src/run/evaluation.ts";

const folder = mkdtempSync(join(tmpdir(), "rlvr-difficulty-"));
after(() => rmSync(folder, { recursive: true }));

const cache = join(folder, "cache");
const base = { tasks: "countdown", samples: 3, maxTokens: 40, seed: 5 };
const options: DifficultyOptions = { ...base, threads: 1, cache, split: "test" };

test("estimateDifficulty: counts what an evaluation counts, and costs nothing the second time", async () => {
  const report = await estimateDifficulty("seedling", { ...options, limit: 6 });
  const plan = await planEvaluation(["seedling"], { ...base, limit: 6 });
  const { correct } = await evaluateModel("seedling", plan, 1);
  assert.deepEqual(
    report.rows.map((row) => row.correct),
    correct,
  );
  assert.ok(correct.some((count) => count > 0) && correct.some((count) => count < 3), `says little: ${correct}`);
  assert.deepEqual(
    report.rows.map(({ passRate }) => passRate),
    correct.map((count) => count / 3),
  );
  assert.equal(report.cached, 0);
  const again = await estimateDifficulty("seedling", { ...options, limit: 6 });
  assert.deepEqual([again.cached, again.rows], [6, report.rows]);
  assert.equal(readdirSync(cache).length, 1);
});

test("estimateDifficulty: another model, seed, sampling or problem is another estimate", async () => {
  const cachedOf = async (model: string, change: Partial<DifficultyOptions>): Promise<number> =>
    (await estimateDifficulty(model, { ...options, limit: 1, maxTokens: 2, ...change })).cached;
  assert.equal(await cachedOf("seedling", {}), 0);
  assert.equal(await cachedOf("seedling", {}), 1);
  for (const change of [{ seed: 6 }, { samples: 2 }, { temperature: 0.5 }, { split: "train" as const }])
    assert.equal(await cachedOf("seedling", change), 0, JSON.stringify(change));
  assert.equal(await cachedOf("seedling-direct", {}), 0);
  assert.equal(await cachedOf("seedling", { threads: 2 }), 1);
});

test("estimateDifficulty: an interrupted estimate goes on where it stopped", async () => {
  const wide = { ...options, limit: 34, samples: 1, maxTokens: 1 };
  const stop = new Error("stop");
  await assert.rejects(
    estimateDifficulty("seedling", {
      ...wide,
      progress: () => {
        throw stop;
      },
    }),
    stop,
  );
  const seen: number[] = [];
  const report = await estimateDifficulty("seedling", { ...wide, progress: (done) => seen.push(done) });
  assert.deepEqual([report.cached, report.rows.length, seen], [32, 34, [32, 34]]);
  assert.ok(report.rows.every(({ passRate, question }) => passRate === 0 && /^[0-9a-f]{24}$/.test(question)));
});

test("questionKey: the same for what differs in blanks and capital letters only", () => {
  assert.equal(questionKey(" What IS\n1 + 2?"), questionKey("what is 1 + 2?"));
  assert.notEqual(questionKey("what is 1 - 2?"), questionKey("what is 1 + 2?"));
});
