import assert from "node:assert/strict";
import { test } from "node:test";
import { compareByKind } from "../../src/run/by-kind.ts";
import type { EvaluationRecord } from "../../src/run/folder.ts";
import { kindSection } from "../../src/run/report/by-kind.ts";
import type { KindScores } from "../../src/trainers/types.ts";

const scores = (kind: string, correct: readonly number[], value: number): KindScores => ({
  ...{ kind, problems: correct.length, samples: 2, correct },
  ...{ value, low: value - 0.1, high: value + 0.1 },
});

const record = (step: number, byKind?: readonly KindScores[]): EvaluationRecord => ({
  ...{ step, samples: 2, correct: [], metrics: {} },
  ...(byKind && { byKind }),
});

const BEFORE = [scores("<boil>", [0, 1, 1, 0], 0.25), scores("find", [2], 0.5)];
const AFTER = [scores("<boil>", [1, 1, 2, 2], 0.75), scores("find", [1], 0.4)];

test("compareByKind: each kind before and after, the difference paired over its own problems, by hand", () => {
  const [boil, find] = compareByKind({ byKind: BEFORE }, { byKind: AFTER });
  assert.deepEqual([boil!.kind, boil!.problems], ["<boil>", 4]);
  assert.deepEqual([boil!.before, boil!.after.value], [{ value: 0.25, low: 0.15, high: 0.35 }, 0.75]);
  // differences of shares: .5, 0, .5, 1 → mean .5, standard error sqrt(.5 / 3) / 2 = .204124, t(3) = 3.182446; no difference of shares is above 1
  const { mean, low, high, problems } = boil!.difference!;
  assert.deepEqual([mean, problems], [0.5, 4]);
  assert.ok(Math.abs(low - (0.5 - 3.182446 * 0.204124)) < 1e-5);
  assert.equal(high, 1);
  assert.equal(find!.difference, null, "one problem says nothing about the spread");
});

test("compareByKind: a kind in one of the two only is left out; folders without kinds have no comparison", () => {
  assert.deepEqual(
    compareByKind({ byKind: BEFORE }, { byKind: [AFTER[1]!, scores("melt", [1], 0.5)] }).map(({ kind }) => kind),
    ["find"],
  );
  assert.deepEqual(compareByKind(record(0), record(4)), []);
  assert.deepEqual(compareByKind(record(0), { byKind: AFTER }), []);
  assert.deepEqual(compareByKind({ byKind: BEFORE }, undefined), []);
});

test("kindSection: before, after and change of every kind, names escaped; bold where the interval does not hold 0", () => {
  const html = kindSection({ evaluations: [record(0, BEFORE), record(2), record(4, AFTER)] });
  assert.match(html, /<h2>By task<\/h2>/);
  const rows = html.match(/<tr><th scope="row">.*<\/tr>/g)!;
  assert.equal(rows.length, 2);
  assert.equal(
    rows[0],
    '<tr><th scope="row">&lt;boil&gt;<small>4 problems</small></th>' +
      "<td>25.0\u2009%<small>15.0 – 35.0</small></td><td>75.0\u2009%<small>65.0 – 85.0</small></td>" +
      "<td>+50.0<small>−15.0 to +100.0</small></td></tr>",
  );
  assert.match(rows[1]!, /<small>1 problem<\/small>.*<td>–<\/td><\/tr>$/);
  assert.doesNotMatch(html, /class="sure"/);
  // differences 1, 1, 1, .5 → mean .875, standard error .125, from .477 on
  const sure = kindSection({ evaluations: [record(0, BEFORE), record(4, [scores("<boil>", [2, 3, 3, 1], 1)])] });
  assert.match(sure, /<td class="sure">\+87\.5<small>\+47\.7 to \+100\.0<\/small><\/td>/);
});

test("kindSection: of a run with one evaluation, that; nothing where problems are not of several kinds", () => {
  const html = kindSection({ evaluations: [record(0, BEFORE)] });
  assert.match(html, /<th scope="col">task<\/th><th scope="col">pass@1<\/th><\/tr>/);
  assert.match(html, /<td>25\.0\u2009%<small>15\.0 – 35\.0<\/small><\/td><\/tr>/);
  assert.equal(kindSection({ evaluations: [record(0), record(4)] }), "");
  assert.equal(kindSection({ evaluations: [] }), "");
});
