import assert from "node:assert/strict";
import { test } from "node:test";
import { createReward, createRubric, type RewardConfig, type Verdict } from "../../src/rewards/index.ts";
import type { StopReason, Task } from "../../src/rollout/index.ts";

const task: Task = { id: "t", set: "file", prompt: "", answer: null, data: {} };

type Style = Extract<RewardConfig, { name: "format" }>["style"];

function judge(style: Style, text: string, { pattern = null as string | null, ended = true, stop = "eos" } = {}) {
  const reward = createReward({ name: "format", weight: 1, style, pattern, ended });
  return reward.score({ task, text, stop: stop as StopReason, tokens: 9 }) as Verdict;
}

/** Texts with the form and texts without it. */
const CASES: Readonly<Record<Exclude<Style, "pattern">, readonly [good: string[], bad: string[]]>> = {
  boxed: [
    ["\\boxed{5}", "so \\fbox{x}.", "\\boxed {\\frac{1}{2}}", "\\boxed{1} \\boxed{", "<think>a</think>\\boxed{}"],
    ["", "5", "\\boxed", "\\boxed{", "\\boxed{{5}", "boxed{5}", "\\boxed{5\\}", "<think>\\boxed{5}</think> 5"],
  ],
  "answer-tag": [
    ["<answer>5</answer>", "well <answer></answer> then", "<answer>a<answer>b</answer>"],
    ["", "<answer>5", "5</answer>", "</answer><answer>", "<answer >5</answer>", "<think><answer>5</answer></think>"],
  ],
  "think-answer": [
    ["<think>a</think><answer>5</answer>", " <think></think>\n\n<answer>\n</answer> \n"],
    [
      "",
      "<answer>5</answer>",
      "<think>a</think>5",
      "x<think>a</think><answer>5</answer>",
      "<think>a</think>so <answer>5</answer>",
      "<think>a</think><answer>5</answer>.",
      "<think>a<think>b</think><answer>5</answer>",
      "<think>a</think><answer>5</answer><answer>6</answer>",
      "<answer>5</answer><think>a</think>",
      "<think>a<answer></think>5</answer>",
    ],
  ],
  hashes: [
    ["#### 5", "so\n####5\nyes", "####\t-1"],
    ["", "####", "####\n5", "### 5", "so #### 5", "#### ####", "<think>\n#### 5\n</think> 5"],
  ],
};

for (const [style, [good, bad]] of Object.entries(CASES))
  test(`format: ${style}`, () => {
    for (const text of good) assert.equal(judge(style as Style, text).outcome, "correct", JSON.stringify(text));
    for (const text of bad) {
      const { outcome, score, reason } = judge(style as Style, text);
      assert.deepEqual([outcome, score], ["wrong", 0], JSON.stringify(text));
      assert.match(reason, /^has no /);
    }
  });

test("format: a pattern is searched with Unicode classes; one that is none is refused when the reward is made", () => {
  const pattern = "^\\p{Lu}\\p{Ll}*: -?\\d+$";
  assert.equal(judge("pattern", "Élan: -5", { pattern }).outcome, "correct");
  assert.equal(judge("pattern", "élan: -5", { pattern }).outcome, "wrong");
  assert.throws(
    () => judge("pattern", "", { pattern: "(" }),
    /ConfigError|format: pattern is not a regular expression/,
  );
  assert.throws(() => judge("pattern", ""), /format: style pattern needs the option pattern/);
});

test("format: a completion cut off at the token limit has not the form, unless the option ended is off", () => {
  assert.equal(judge("boxed", "\\boxed{5}", { stop: "length" }).reason, "cut off at the token limit");
  assert.equal(judge("boxed", "\\boxed{5}", { stop: "string" }).outcome, "correct");
  assert.equal(judge("boxed", "\\boxed{5}", { stop: "length", ended: false }).outcome, "correct");
});

test("format: a pattern that backtracks without end is stopped by the rubric, hostile texts of 100 kB are judged", async (t) => {
  for (const style of Object.keys(CASES) as Style[])
    for (const piece of ["\\boxed{", "<answer>", "</answer>", "<think>", "#### ", "####\n", "{", "\n", "７", "\\"])
      assert.equal(judge(style, piece.repeat(100_000 / piece.length)).score, 0, `${style} ${JSON.stringify(piece)}`);
  const rubric = createRubric([{ name: "format", weight: 1, style: "pattern", pattern: "^(a+)+$", ended: true }]);
  t.after(() => rubric.close());
  const { outcome, reward } = await rubric.score({ task, text: `${"a".repeat(60)}b`, stop: "eos", tokens: 60 });
  assert.deepEqual([outcome, reward], ["timeout", null]);
});
