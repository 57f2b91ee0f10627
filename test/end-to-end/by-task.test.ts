import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { EvaluationRecord } from "../../src/run/folder.ts";
import { readMetrics } from "../../src/run/metrics-log.ts";
import { readEvaluations } from "../../src/run/report/data.ts";
import { cli, type Ended } from "../cli/run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-by-task-"));
const out = join(root, "run");
let ended: Ended;
let records: EvaluationRecord[];
before(async () => {
  const recipe = join(root, "lab.yaml");
  const env = "env: {name: lab, tasks: [find, melt]}";
  writeFileSync(
    recipe,
    `model: lab-base
tasks:
  train: {name: environment, ${env}, split: train}
  eval: {name: environment, ${env}, split: test, limit: 6}
rollout: {promptsPerStep: 2, groupSize: 2, maxTokens: 300, episode: {maxTurns: 20, turnTokens: 12}}
rewards: [{name: environment}]
optimizer: {name: adamw, lr: 1.0e-3}
steps: 1
evaluate: {samples: 4}
`,
  );
  ended = await cli("train", recipe, "--out", out, "--threads", "1");
  assert.equal(ended.code, 0, ended.stderr);
  records = readEvaluations(out);
});
after(() => rmSync(root, { recursive: true, force: true }));

test("rlvr train: every evaluation keeps how each task did, beside the total and in the metrics", () => {
  assert.equal(records.length, 2);
  const rows = readMetrics(join(out, "metrics.jsonl"));
  records.forEach(({ correct, samples, byKind }, i) => {
    assert.deepEqual(
      byKind!.map(({ kind, problems }) => [kind, problems]),
      [
        ["find", 3],
        ["melt", 3],
      ],
    );
    const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
    assert.equal(sum(byKind!.map((scores) => sum(scores.correct))), sum(correct));
    assert.ok(sum(correct) > 0, "something is solved, so that the figures say something");
    for (const { kind, value, low, high, correct: counts } of byKind!) {
      assert.ok(Math.abs(value - sum(counts) / 3 / samples) < 1e-12);
      const name = `val-aux/lab/${kind}/acc/mean@4`;
      assert.deepEqual(
        [rows[i]![name], rows[i]![`${name}/ci95_low`], rows[i]![`${name}/ci95_high`]],
        [value, low, high],
      );
    }
  });
});

test("rlvr train: the end says one line a task, the report has the table", () => {
  const lines = ended.stdout.split("\n");
  const at = lines.findIndex((line) => line.startsWith("by task "));
  assert.ok(at > 0 && lines[at - 1]!.startsWith("gain "), ended.stdout);
  const percent = (i: number, kind: number): string => `${(100 * records[i]!.byKind![kind]!.value).toFixed(1)} %`;
  ["find", "melt"].forEach((name, kind) => {
    const start = `  ${name.padEnd(22)}${percent(0, kind).padStart(7)} → ${percent(1, kind).padStart(7)}  `;
    assert.ok(lines[at + 1 + kind]!.startsWith(start), ended.stdout);
  });
  const html = readFileSync(join(out, "report.html"), "utf8");
  assert.match(html, /<h2>By task<\/h2>/);
  assert.equal(html.match(/<th scope="row">(find|melt)<small>3 problems<\/small>/g)!.length, 2);
});

test("rlvr eval: the table by task with intervals; as JSON the same numbers as the run's own last evaluation", async () => {
  const one = await cli("eval", out, "--json", "--threads", "1");
  assert.equal(one.code, 0, one.stderr);
  assert.deepEqual(JSON.parse(one.stdout).models[0].byKind, records[1]!.byKind);
  const two = await cli("eval", out, out, "--samples", "1", "--threads", "1");
  assert.equal(two.code, 0, two.stderr);
  const table = two.stdout.split("\n\n")[1]!.trimEnd().split("\n");
  assert.match(table[0]!, /^pass@1 by task {2}problems {2}\S+ +\S+ +difference, points$/);
  const share = String.raw`\d+\.\d % \(\d+\.\d % to \d+\.\d %\) +`;
  assert.match(table[1]!, new RegExp(String.raw`^find +3 +${share}${share}\+0\.0 \(\+0\.0 to \+0\.0\)$`));
  assert.match(table[2]!, /^melt +3 /);
});
