import assert from "node:assert/strict";
import { test } from "node:test";
import { dataRows, judge, pairsByFamily } from "./support.ts";

for (const [family, pairs] of pairsByFamily()) {
  test(`math: ${family}, each pair as mathematics and the reading rules say`, () => {
    assert.ok(pairs.length >= 10);
    for (const { gold, text, isEqual } of pairs) {
      const { outcome, rule, parsed } = judge(gold, text);
      assert.equal(outcome === "correct", isEqual, `${gold} against ${text}: ${outcome} by ${rule}, read ${parsed}`);
    }
  });
}

const judged = dataRows().map((row) => ({ row, outcome: judge(row.gold, row.answer).outcome }));
const isRight = ({ row, outcome }: (typeof judged)[number]): boolean => (outcome === "correct") === row.equal;

test("math: every certain row of data/math-equivalence.jsonl is judged as labelled", () => {
  const certain = judged.filter(({ row }) => row.label === "certain");
  assert.equal(certain.length, 606);
  assert.deepEqual(
    certain.filter((item) => !isRight(item)).map(({ row }) => row.id),
    [],
  );
});

test("math: of the convention rows at least 131 of 132 are judged as labelled, and no wrong one is called correct", () => {
  const convention = judged.filter(({ row }) => row.label === "convention");
  assert.equal(convention.length, 132);
  assert.ok(convention.filter(isRight).length >= 131);
  assert.deepEqual(
    convention.filter(({ row, outcome }) => !row.equal && outcome === "correct").map(({ row }) => row.id),
    [],
  );
});

test("math: no row of the data file is an error or a timeout", () => {
  assert.deepEqual(
    judged.filter(({ outcome }) => outcome === "error" || outcome === "timeout").map(({ row }) => row.id),
    [],
  );
});
