import assert from "node:assert/strict";
import { test } from "node:test";
import { createRubric, RewardConfig } from "../../src/rewards/index.ts";
import { ConfigError } from "../../src/utils/errors.ts";
import { judge } from "./judge.ts";

const verdict = (options: object, text: string, answer: string | null = null) =>
  judge({ name: "regex", ...options }, text, { answer });

test("regex: must be found, or must not", () => {
  const pattern = "^Answer: \\p{Lu}$";
  assert.equal(verdict({ pattern }, "Answer: B").outcome, "correct");
  assert.equal(verdict({ pattern }, "Answer: b").outcome, "wrong");
  assert.equal(verdict({ pattern }, "So\nAnswer: B\n").outcome, "wrong");
  assert.equal(verdict({ pattern, flags: "m" }, "So\nAnswer: B\n").outcome, "correct");
  assert.equal(verdict({ pattern, expect: "no-match" }, "Answer: b").outcome, "correct");
  assert.equal(verdict({ pattern, expect: "no-match" }, "Answer: B").outcome, "wrong");
});

test("regex: the last match's group is compared with the gold answer", () => {
  const options = { pattern: "answer is (\\w+)", flags: "i", expect: "gold" };
  assert.equal(verdict(options, "The answer is 4. No: the Answer is 5.", "5").outcome, "correct");
  assert.deepEqual(
    [verdict(options, "the answer is 4", "5").outcome, verdict(options, "the answer is 4", "5").parsed],
    ["wrong", "4"],
  );
  assert.equal(verdict(options, "it is 5", "5").outcome, "unparseable");
  assert.equal(verdict({ pattern: "\\d+", expect: "gold" }, "4 and 5", "5").outcome, "correct"); // no group: the whole match
  assert.throws(() => verdict(options, "the answer is 4"), /regex: task t has no gold answer/);
});

test("regex: thoughts are left out by default, and two answers of one reward don't disturb each other", () => {
  assert.equal(verdict({ pattern: "5" }, "<think>5</think>6").outcome, "wrong");
  assert.equal(verdict({ pattern: "5", part: "thoughts" }, "<think>5</think>6").outcome, "correct");
});

test("regex: what is no expression, or has other flags, is refused", () => {
  assert.throws(
    () => verdict({ pattern: "(" }, ""),
    (error) => error instanceof ConfigError && /^regex: pattern is not a regular expression/.test(error.message),
  );
  assert.ok(!RewardConfig.safeParse({ name: "regex", pattern: "a", flags: "g" }).success);
});

test("regex: an expression that backtracks without end is a timeout after its own deadline", async (t) => {
  const config = RewardConfig.parse({ name: "regex", pattern: "^(a+)+$", deadlineMs: 200 });
  const rubric = createRubric([config], { lanes: 1 });
  t.after(() => rubric.close());
  const task = { id: "t", set: "s", prompt: "", answer: null, data: {} };
  const of = (text: string) => rubric.score({ task, text, stop: "eos", tokens: 1 });
  const [hung, fine] = await Promise.all([of(`${"a".repeat(60)}b`), of("aaa")]);
  assert.deepEqual(
    [hung.outcome, hung.reward, hung.terms.regex!.reason],
    ["timeout", null, "no verdict within 200 ms"],
  );
  assert.deepEqual([fine.outcome, fine.reward], ["correct", 1]);
});
