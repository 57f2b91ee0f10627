import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createReward, foldSteps, judgeSteps, lastTry } from "../../src/rewards/index.ts";
import type { Task } from "../../src/rollout/index.ts";

const reward = createReward({ name: "countdown", weight: 1 });

function task(numbers: number[], target: number, format: "steps" | "question" | null): Task {
  return { id: "t", set: "countdown", prompt: "", answer: null, data: format ? { numbers, target, format } : {} };
}

async function judge(text: string, numbers: number[], target: number, format: "steps" | "question" = "question") {
  return await reward.score({ task: task(numbers, target, format), text, stop: "eos", tokens: 9 });
}

test("countdown: every graded candidate inside an answer tag is judged as labelled", async () => {
  const lines = readFileSync(new URL("../../data/countdown/items.jsonl", import.meta.url), "utf8")
    .trimEnd()
    .split("\n");
  for (const line of lines) {
    const { id, numbers, target, candidates } = JSON.parse(line);
    for (const { kind, answer, expect } of candidates) {
      if (expect === "either") continue;
      const { outcome } = await judge(`<think>1+1</think> Well: <answer>${answer}</answer>`, numbers, target);
      assert.equal(outcome === "correct", expect === "accept", `${id} ${kind}`);
    }
  }
});

test("countdown: the last closed answer tag after the thoughts counts", async () => {
  const outcomes = await Promise.all(
    [
      "<answer>8*2</answer>",
      "<answer>8+2</answer> no: <answer>8*2</answer>",
      "<answer>8*2</answer> or <answer>8+2</answer>",
      "<answer>8*2</answer> or <answer>8+",
      "<think><answer>8*2</answer></think> I do not know",
      "<think><answer>8+2</answer></think><answer> 2*8 </answer>",
      "8*2",
      "<answer>8*2",
      "8*2</answer>",
      "</answer><answer>",
    ].map(async (text) => (await judge(text, [2, 8], 16)).outcome),
  );
  const none = "unparseable";
  assert.deepEqual(outcomes, ["correct", "correct", "wrong", "correct", none, "correct", none, none, none, none]);
});

test("countdown: a task of another set is an error of the reward, not a score", () => {
  assert.throws(
    () => reward.score({ task: task([], 0, null), text: "", stop: "eos", tokens: 0 }),
    /task t is not a countdown task/,
  );
});

test("countdown: traces of the steps format", async () => {
  const outcome = async (text: string) => (await judge(text, [4, 7, 3], 14, "steps")).outcome;
  assert.equal(await outcome("7-4=3,3+3=6 no7*3=21,4*21=84 no3+4=7,7+7=14 yes"), "correct");
  assert.equal(await outcome("3+4=7,7+7=14"), "correct");
  assert.equal(await outcome("3+4=7,7+7=14 no"), "wrong");
  assert.equal(await outcome("3+4=7,7+7=14 yes no"), "wrong");
  assert.equal(await outcome("7+7=14 yes"), "wrong"); // the second 7 is not at hand
  assert.equal(await outcome("3+4=7 yes"), "wrong"); // two values left over
  assert.equal(await outcome("3+4=8,8+7=15 yes"), "wrong"); // false arithmetic
  assert.equal(await outcome("4*3=12,12+7=19 yes"), "wrong"); // another value
  assert.equal(await outcome("7/3=2,4+2=6 yes"), "wrong"); // 7/3 is not whole
  assert.equal(await outcome(""), "wrong");
});

test("judgeSteps: a completion that did not end by itself is wrong", () => {
  const text = "3+4=7,7+7=14";
  assert.equal(judgeSteps(text, [4, 7, 3], 14, "eos").score, 1);
  assert.equal(judgeSteps(text, [4, 7, 3], 14, "length").score, 0);
  assert.equal(judgeSteps(text, [4, 7, 3], 14, "length").reason, "was cut off before it ended");
});

test("judgeSteps: dividing by zero is never right", () => {
  assert.equal(judgeSteps("5-5=0,1/0=0", [5, 5, 1], 0, "eos").outcome, "wrong");
  assert.equal(judgeSteps("5-5=0,0/1=0", [5, 5, 1], 0, "eos").outcome, "correct");
});

test("lastTry: the part after the last rejected try", () => {
  assert.equal(lastTry("1+2=3 no2*2=4 yes"), "2*2=4");
  assert.equal(lastTry("1+2=3 no2*2=4 no"), "2*2=4");
  assert.equal(lastTry("1+2=3"), "1+2=3");
});

test("foldSteps: a try becomes one bracketed expression", () => {
  assert.equal(foldSteps("7-4=3,3+3=6"), "((7-4)+3)");
  assert.equal(foldSteps("1+2=3,4+5=9,3*9=27"), "((1+2)*(4+5))");
});
