import assert from "node:assert/strict";
import { test } from "node:test";
import { createReward, type RewardConfig, type Verdict } from "../../src/rewards/index.ts";

type From = Extract<RewardConfig, { name: "exact-match" }>["from"];

function judge(text: string, answer: string | null, from: From = "text", ignoreCase = false): Verdict {
  const reward = createReward({ name: "exact-match", weight: 1, from, ignoreCase });
  const task = { id: "t", set: "file", prompt: "", answer, data: {} };
  return reward.score({ task, text, stop: "eos", tokens: 9 }) as Verdict;
}

test("exact-match: equal up to blanks around and between words", () => {
  assert.deepEqual(judge(" new\n\n york ", "new york"), {
    outcome: "correct",
    score: 1,
    reason: "is the gold answer",
    parsed: "new york",
  });
  assert.equal(judge("new york", "  new   york\n").outcome, "correct");
  assert.deepEqual(judge("newyork", "new york"), {
    outcome: "wrong",
    score: 0,
    reason: 'is not "new york"',
    parsed: "newyork",
  });
  assert.equal(judge("new york.", "new york").outcome, "wrong");
});

test("exact-match: capital letters count unless they are to be ignored", () => {
  assert.equal(judge("New York", "new york").outcome, "wrong");
  assert.equal(judge("New York", "new YORK", "text", true).outcome, "correct");
  assert.equal(judge("ÉTÉ", "été", "text", true).outcome, "correct");
});

test("exact-match: where the answer is read", () => {
  const text = "<think>c</think> a \\boxed{b} <answer>c</answer>\nfinal: d\n e \n\n";
  for (const [from, answer] of [
    ["boxed", "b"],
    ["answer-tag", "c"],
    ["last-line", "e"],
    ["text", "a \\boxed{b} <answer>c</answer> final: d e"],
  ] as const) {
    assert.equal(judge(text, answer, from).outcome, "correct", from);
    assert.equal(judge(text, "z", from).outcome, "wrong", from);
  }
});

test("exact-match: what is not there is unparseable", () => {
  assert.deepEqual(judge("b", "b", "boxed"), { outcome: "unparseable", score: 0, reason: "there is no boxed" });
  assert.equal(judge("<think><answer>b</answer></think> b", "b", "answer-tag").outcome, "unparseable");
  assert.equal(judge("\\boxed{b", "b", "boxed").outcome, "unparseable");
  for (const from of ["text", "last-line"] as const) assert.equal(judge(" \n ", "b", from).outcome, "unparseable");
});

test("exact-match: a task without gold answer is an error of the reward, not a score", () => {
  assert.throws(() => judge("b", null), /exact-match: task t has no gold answer/);
});

test("exact-match: hostile texts of 100 kB are judged", () => {
  for (const piece of ["\\boxed{", "<answer>", " ", "\n", "{}", "\u2028", "😀"])
    for (const from of ["text", "boxed", "answer-tag", "last-line"] as const)
      assert.equal(judge(piece.repeat(100_000 / piece.length), "b", from).score, 0, `${from} ${piece}`);
});
