import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pairedDifference } from "../../src/run/compare.ts";
import { duration, statusLine } from "../../src/run/console.ts";
import { movingAverage, renderChart, ticks } from "../../src/run/report/charts.ts";
import { evenly, readRun } from "../../src/run/report/data.ts";
import { renderReport } from "../../src/run/report/html.ts";
import { gainOf } from "../../src/run/report/tables.ts";
import { number, points } from "../../src/run/report/text.ts";
import { quadraticRun } from "./quadratic-run.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-report-"));
const run = join(root, "run");
before(() => quadraticRun(run, { steps: 40 }));
after(() => rmSync(root, { recursive: true, force: true }));

test("renderReport: one file without any outside reference, with charts, completions and recipe", () => {
  const html = renderReport([readRun(run)], (ids) => ids.join(""));
  assert.doesNotMatch(html, /(src|href)="(?!data:)/, "nothing is loaded");
  assert.doesNotMatch(html, /url\(|@import|https?:/);
  assert.match(html, /<svg viewBox="0 0 400 208" role="img" aria-labelledby="reward-t reward-d"/);
  assert.match(html, /<title id="reward-t">Reward<\/title><desc id="reward-d">reward: /);
  assert.match(html, /data-filter="learned"/);
  assert.match(html, /lr: 0\.05/);
  assert.match(html, /npx rlvr train .*recipe\.yaml/);
  assert.ok(html.length < 400_000, `${html.length} characters`);
});

test("renderReport: text of completions, reasons and names is escaped", () => {
  const data = readRun(run);
  const html = renderReport([{ ...data, name: "<img src=x>" }], null);
  assert.ok(!html.includes("<script>alert(1)</script>"));
  assert.ok(html.includes("&lt;script&gt;alert(1)&lt;/script&gt; &amp; "));
  assert.ok(!html.includes("<b>enough</b>"));
  assert.ok(html.includes("&lt;b&gt;enough&lt;/b&gt;"));
  assert.ok(!html.includes("<img"));
  assert.equal(html.match(/<script>/g)!.length, 1, "only the page's own script");
});

test("renderReport: tokens are coloured by their entropy when the tokenizer is at hand", () => {
  const data = readRun(run);
  const html = renderReport([data], (ids) => ids.map((id) => `t${id}.`).join(""));
  const row = data.pairs[0]!.before;
  const level = Math.min(9, Math.floor(row.entropy[0]! / 0.2));
  assert.ok(html.includes(`<i class="e${level}">t${row.ids[0]}.</i>`));
});

test("renderReport: several runs stand side by side", () => {
  const data = readRun(run);
  const html = renderReport([data, { ...data, name: "second" }]);
  assert.match(html, /<h1>2 runs<\/h1>/);
  assert.match(html, /<li>.*second<\/li>/);
});

test("gainOf: first and last evaluation, paired over the problems", () => {
  const gain = gainOf(readRun(run))!;
  assert.equal(gain.steps, 40);
  assert.ok(gain.after.value > gain.before.value);
  assert.equal(gain.difference!.problems, 12);
  assert.ok(Math.abs(gain.difference!.mean - (gain.after.value - gain.before.value)) < 1e-12);
});

test("pairedDifference: mean and interval by hand", () => {
  // differences of shares: .5, 0, .5, 1 → mean .5, deviation sqrt(.5 / 3) = .408248, standard error .204124, t(3) = 3.182446;
  // the upper end, 1.15, is no difference of shares
  const result = pairedDifference({ samples: 2, correct: [0, 1, 1, 0] }, { samples: 2, correct: [1, 1, 2, 2] })!;
  assert.equal(result.mean, 0.5);
  assert.ok(Math.abs(result.low - (0.5 - 3.182446 * 0.204124)) < 1e-5);
  assert.equal(result.high, 1);
  // three non-zero differences of one sign: 2 of 8 sign patterns are as extreme, p = .25
  assert.ok(Math.abs(result.p - 0.25) < 0.02, `${result.p}`);
  assert.equal(pairedDifference({ samples: 1, correct: [1] }, { samples: 1, correct: [1] }), null);
  assert.equal(pairedDifference({ samples: 1, correct: [1, 0] }, { samples: 1, correct: [1, 0] })!.p, 1);
});

test("ticks: round numbers that enclose the range", () => {
  assert.deepEqual(ticks(0, 1, 4), [0, 0.25, 0.5, 0.75, 1]);
  assert.deepEqual(ticks(0.31, 0.69, 4), [0.3, 0.4, 0.5, 0.6, 0.7]);
  assert.deepEqual(ticks(-3, 7, 4), [-5, -2.5, 0, 2.5, 5, 7.5]);
});

test("movingAverage: the mean over the neighbours, fewer at the ends", () => {
  assert.deepEqual(
    movingAverage(
      [
        [0, 0],
        [1, 3],
        [2, 6],
      ],
      1,
    ),
    [
      [0, 1.5],
      [1, 3],
      [2, 4.5],
    ],
  );
});

test("renderChart: the description says where the curve starts and ends; no values, no chart", () => {
  const html = renderChart({
    id: "x",
    title: "A & B",
    note: "n",
    series: [
      {
        label: "s",
        points: [
          [1, 0.5],
          [2, 0.25],
          [3, 1],
        ],
      },
    ],
    percent: true,
  });
  assert.match(html, /<desc id="x-d">s: 50 % at step 1, 100 % at step 3, between 25 % and 100 %\.<\/desc>/);
  assert.match(html, /A &amp; B/);
  assert.equal(renderChart({ id: "x", title: "t", note: "n", series: [{ label: "s", points: [] }] }), "");
});

test("number, points, duration, evenly: small formats", () => {
  assert.deepEqual(
    [number(0.000123, 3), number(1234567, 3), number(0.5, 3), number(-2.3456, 3)],
    ["1.2e−4", "1\u2009234\u2009567", "0.5", "−2.35"],
  );
  assert.deepEqual([points(0.301), points(-0.02)], ["+30.1", "−2.0"]);
  assert.deepEqual([duration(45), duration(185), duration(7800)], ["45 s", "3 m 05 s", "2 h 10 m"]);
  assert.deepEqual(evenly([0, 1, 2, 3, 4, 5, 6], 3), [0, 3, 6]);
});

test("statusLine: what matters, and only what was measured", () => {
  const line = statusLine(
    12,
    120,
    { reward: 0.4123, entropy: 0.33, "completions/mean_length": 48.2, "training_tok/s": 5210.4 },
    64,
    "pass@1 41.2 %",
  );
  assert.equal(
    line,
    "step 12/120 · reward 0.412 · entropy 0.330 · length 48 · 5210 tok/s · 1 m 04 s left · pass@1 41.2 %",
  );
  assert.equal(statusLine(2, 2, { loss: 1.5 }, 0, ""), "step 2/2 · loss 1.500");
});
