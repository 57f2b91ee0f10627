import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "./judge.ts";

const verdict = (options: object, text: string, answer: string | null = null) =>
  judge({ name: "contains", ...options }, text, { answer });

test("contains: all, any or none of the texts", () => {
  const texts = ["one", "two"];
  const outcomes = (need: string) =>
    ["one two", "two only", "three"].map((text) => verdict({ texts, need }, text).outcome);
  assert.deepEqual(outcomes("all"), ["correct", "wrong", "wrong"]);
  assert.deepEqual(outcomes("any"), ["correct", "correct", "wrong"]);
  assert.deepEqual(outcomes("none"), ["wrong", "wrong", "correct"]);
});

test("contains: partial credit is the share of texts that are as they must be", () => {
  const texts = ["a", "b", "c", "d"];
  assert.equal(verdict({ texts, partialCredit: true }, "a b c").score, 0.75);
  assert.equal(verdict({ texts, partialCredit: true, need: "none" }, "a b c").score, 0.25);
  assert.equal(verdict({ texts }, "a b c").score, 0);
  assert.deepEqual(
    [verdict({ texts }, "a b").reason, verdict({ texts }, "a b").parsed],
    ["holds 2 of 4 texts", '["a","b"]'],
  );
  assert.throws(
    () => verdict({ texts, partialCredit: true, need: "any" }, ""),
    /partialCredit has no meaning with need: any/,
  );
});

test("contains: without texts the gold answer is looked for; a task without one can't be judged", () => {
  assert.equal(verdict({}, "the capital is Paris.", " Paris ").outcome, "correct");
  assert.equal(verdict({}, "the capital is paris.", "Paris").outcome, "wrong");
  assert.equal(verdict({ ignoreCase: true }, "the capital is paris.", "Paris").outcome, "correct");
  assert.throws(() => verdict({}, "x", null), /contains: task t has no gold answer/);
  assert.throws(() => verdict({}, "x", " "), /contains: task t has no gold answer/);
});

test("contains: thoughts are left out by default; composed and decomposed letters are the same", () => {
  assert.equal(verdict({ texts: ["5"] }, "<think>5</think>6").outcome, "wrong");
  assert.equal(verdict({ texts: ["5"], part: "text" }, "<think>5</think>6").outcome, "correct");
  assert.equal(verdict({ texts: ["caf\u00e9"] }, "cafe\u0301").outcome, "correct");
});
