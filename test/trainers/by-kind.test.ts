import assert from "node:assert/strict";
import { test } from "node:test";
import { kindMetrics, scoresByKind } from "../../src/trainers/by-kind.ts";
import { metricDef } from "../../src/trainers/metrics.ts";
import { createRng } from "../../src/utils/rng.ts";

const rng = createRng(7);

test("scoresByKind: problems, pass@1 and correct samples of each kind, by hand; a problem without a kind is in none", () => {
  const kinds = ["melt", "boil", undefined, "melt", "boil", "melt"];
  // melt: 4/4, 1/4, 1/4 → 1/2; boil: 0/4, 0/4 → 0, an interval without width; the 4 of the third problem count nowhere
  const scores = scoresByKind(kinds, { samples: 4, correct: [4, 0, 4, 1, 0, 1] }, rng);
  const [boil, melt] = scores;
  assert.equal(scores.length, 2);
  assert.deepEqual(boil, { kind: "boil", problems: 2, samples: 4, value: 0, low: 0, high: 0, correct: [0, 0] });
  assert.deepEqual([melt!.kind, melt!.problems, melt!.value, melt!.correct], ["melt", 3, 0.5, [4, 1, 1]]);
  // three draws of {1, 1/4, 1/4}: all low with chance 8/27, all high with 1/27, both above 2.5 %
  assert.deepEqual([melt!.low, melt!.high], [0.25, 1]);
});

test("scoresByKind: the interval is the bootstrap over the problems of that kind alone", () => {
  // 8 of 16 right: means are binomial(16, 1/2) / 16, whose distribution passes 2.5 % at 4 (1.1 % up to 3, 3.8 % up to 4)
  const correct = [...Array.from({ length: 16 }, (_, i) => i % 2), ...new Array<number>(200).fill(1)];
  const kinds = correct.map((_, i) => (i < 16 ? "find" : "measure"));
  const [find, measure] = scoresByKind(kinds, { samples: 1, correct }, rng);
  assert.deepEqual([find!.value, find!.low, find!.high], [0.5, 0.25, 0.75]);
  assert.deepEqual([measure!.value, measure!.low, measure!.high], [1, 1, 1]);
});

test("scoresByKind: another kind beside it does not change the draws of a kind", () => {
  const correct = [3, 1, 0, 2, 2, 4, 1, 0];
  const kinds = ["a", "a", "a", "a", "a", "b", "b", "b"];
  const a = scoresByKind(kinds, { samples: 4, correct }, rng)[0];
  const other = scoresByKind([...kinds, "0"], { samples: 4, correct: [...correct, 4] }, rng)[1];
  assert.deepEqual(other, a);
  assert.ok(a!.low < a!.value && a!.value < a!.high);
});

test("scoresByKind: nothing for one kind, or none", () => {
  assert.deepEqual(scoresByKind(["a", "a"], { samples: 1, correct: [1, 0] }, rng), []);
  assert.deepEqual(scoresByKind(["a", undefined], { samples: 1, correct: [1, 0] }, rng), []);
  assert.deepEqual(scoresByKind([undefined, undefined], { samples: 1, correct: [1, 0] }, rng), []);
});

test("kindMetrics: declared names, also for a kind with a slash", () => {
  const scores = scoresByKind(["easy/one", "plain two"], { samples: 2, correct: [1, 2] }, rng);
  const metrics = kindMetrics("lab", scores);
  assert.deepEqual(metrics, {
    "val-aux/lab/easy:one/acc/mean@2": 0.5,
    "val-aux/lab/easy:one/acc/mean@2/ci95_low": 0.5,
    "val-aux/lab/easy:one/acc/mean@2/ci95_high": 0.5,
    "val-aux/lab/plain two/acc/mean@2": 1,
    "val-aux/lab/plain two/acc/mean@2/ci95_low": 1,
    "val-aux/lab/plain two/acc/mean@2/ci95_high": 1,
  });
  for (const name of Object.keys(metrics)) assert.ok(metricDef(name), name);
});

test("kindMetrics: kinds with slashes, colons and tildes have different names", () => {
  const kinds = ["a/b", "a:b", "a~b", "a~:b", "a~/b", "a~~b", "a::b", "a//b"];
  const metrics = kindMetrics("lab", scoresByKind(kinds, { samples: 1, correct: [1, 0, 0, 0, 0, 0, 0, 0] }, rng));
  assert.equal(Object.keys(metrics).length, 3 * kinds.length);
  assert.deepEqual([metrics["val-aux/lab/a:b/acc/mean@1"], metrics["val-aux/lab/a~:b/acc/mean@1"]], [1, 0]);
  for (const name of Object.keys(metrics)) assert.ok(metricDef(name), name);
});
