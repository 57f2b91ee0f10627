import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../src/utils/errors.ts";
import { judge } from "./judge.ts";

const score = (options: object, tokens: number): number => judge({ name: "length", ...options }, "", { tokens }).score;

test("length: the score falls linearly from the target to 0 at min and at max, and stays in [0, 1]", () => {
  const options = { target: 100, min: 20, max: 300 };
  // below: (n − 20) / 80; above: (300 − n) / 200
  const expected = [
    [1, 0],
    [20, 0],
    [40, 0.25],
    [60, 0.5],
    [100, 1],
    [150, 0.75],
    [250, 0.25],
    [300, 0],
    [9999, 0],
  ];
  for (const [tokens, value] of expected) assert.equal(score(options, tokens!), value, `${tokens} tokens`);
});

test("length: without min shorter is as good, without max longer is", () => {
  assert.deepEqual([score({ target: 100, max: 200 }, 1), score({ target: 100, max: 200 }, 150)], [1, 0.5]);
  assert.deepEqual([score({ target: 100, min: 0 }, 25), score({ target: 100, min: 0 }, 5000)], [0.25, 1]);
});

test("length: only the full score is correct, and the reason names both lengths", () => {
  const { outcome, reason, parsed } = judge({ name: "length", target: 8, max: 16 }, "", { tokens: 12 });
  assert.deepEqual([outcome, reason, parsed], ["wrong", "12 tokens, 8 are wanted", "12"]);
  assert.equal(judge({ name: "length", target: 8, max: 16 }, "", { tokens: 8 }).outcome, "correct");
});

test("length: bounds that leave no slope are refused, naming option and value", () => {
  const bad: [object, RegExp][] = [
    [{ target: 8 }, /^length: needs min, max or both/],
    [{ target: 8, min: 8 }, /^length: min must be below target \(8\), got 8/],
    [{ target: 8, max: 8 }, /^length: max must be above target \(8\), got 8/],
  ];
  for (const [options, message] of bad)
    assert.throws(
      () => score(options, 1),
      (error) => error instanceof ConfigError && message.test(error.message),
    );
});

test("length: a completion whose tokens were not counted can't be judged", () => {
  assert.throws(
    () => score({ target: 8, max: 16 }, 0),
    /^RewardError: length: the completion of task t has no tokens counted/,
  );
});
