import assert from "node:assert/strict";
import { test } from "node:test";
import { findMetric, mergeMetrics } from "../../src/utils/metrics.ts";

const def = (what: string) => ({ unit: "1", what, when: "step" });

test("mergeMetrics: joins tables, a name declared twice is a bug", () => {
  const merged = mergeMetrics({ loss: def("l") }, { kl: def("k") });
  assert.deepEqual(Object.keys(merged), ["loss", "kl"]);
  assert.throws(() => mergeMetrics({ loss: def("l") }, { loss: def("m") }), {
    message: "internal: metric loss is declared twice",
  });
});

test("findMetric: by name, else by pattern; a word in a pattern has no slash and is not empty", () => {
  const table = { "reward/mean": def("exact"), "reward/{name}": def("one"), "eval.{set}/pass@{k}": def("pass") };
  assert.equal(findMetric(table, "reward/mean")?.what, "exact");
  assert.equal(findMetric(table, "reward/format")?.what, "one");
  assert.equal(findMetric(table, "eval.gsm8k/pass@8")?.what, "pass");
  for (const unknown of ["reward", "reward/", "reward/a/b", "evalXgsm8k/pass@8", "x/reward/format"]) {
    assert.equal(findMetric(table, unknown), undefined, unknown);
  }
});
