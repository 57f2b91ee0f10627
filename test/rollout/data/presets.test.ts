import assert from "node:assert/strict";
import { test } from "node:test";
import { goldAnswer, guessPreset, type Row } from "../../../src/rollout/data/index.ts";
import { lastBoxed, numberAfterHashes } from "../../../src/rollout/data/presets.ts";

function row(values: Record<string, unknown>): Row {
  return { where: "x.jsonl, line 1", values };
}

test("guessPreset: the published columns of the usual sets", () => {
  const cases: [Record<string, unknown>, string | undefined][] = [
    [{ question: "How many?", answer: "So 3.\n#### 1,200" }, "gsm8k"],
    [{ question: "How many?", answer: "3" }, "plain"],
    [{ question: "How many?", answer: "a list of #### signs, and 3 words" }, "plain"],
    [{ problem: "p", level: "Level 3", type: "Algebra", solution: "so \\boxed{2}" }, "math"],
    [{ problem: "p", answer: "2", solution: "so \\boxed{2}" }, "math-500"],
    [{ problem: "p", solution: "s", answer: 7, uuid: "u", generations: [] }, "math-500"],
    [
      {
        ...{ data_source: "math_dapo", ability: "MATH", extra_info: { index: 3 } },
        prompt: [{ role: "user", content: "p" }],
        reward_model: { ground_truth: "34", style: "rule" },
      },
      "verl",
    ],
    [{ prompt: "p", completion: "c" }, undefined],
    [{ prompt: "p", reward_model: null }, undefined],
  ];
  assert.deepEqual(
    cases.map(([values]) => guessPreset(row(values))?.name),
    cases.map(([, name]) => name),
  );
});

test("lastBoxed: the last box, braces balanced", () => {
  const cases: [string, string | null][] = [
    ["so \\boxed{1} and \\boxed{ \\frac{1}{2} }.", "\\frac{1}{2}"],
    ["$\\boxed{\\{1, 2\\}}$", "\\{1, 2\\}"],
    ["\\boxed{a_{b_{c}}} = 1", "a_{b_{c}}"],
    ["\\fbox{7}", "7"],
    ["\\boxed {7}", "7"],
    ["is $\\boxed 5$", "5"],
    ["\\boxed{1} then \\boxed{2", null],
    ["\\boxed{}", null],
    ["\\boxed{\\\\}", "\\\\"],
    ["no box", null],
    ["\\boxed", null],
    ["\\boxed{7\\", null],
  ];
  assert.deepEqual(
    cases.map(([text]) => lastBoxed(text)),
    cases.map(([, gold]) => gold),
  );
  assert.equal(lastBoxed(`\\boxed{${"{".repeat(200_000)}${"}".repeat(200_000)}}`)?.length, 400_000);
});

test("numberAfterHashes: GSM8K's answers, without separators", () => {
  const cases: [string, string | null][] = [
    ["#### 18", "18"],
    ["#### 1 #### -2,125.50 \n", "-2125.50"],
    ["18", null],
    ["#### eighteen", null],
    ["####", null],
  ];
  assert.deepEqual(
    cases.map(([text]) => numberAfterHashes(text)),
    cases.map(([, gold]) => gold),
  );
});

test("goldAnswer: a gold answer that is not there in its form names file, line and field", () => {
  assert.throws(
    () => goldAnswer(row({ solution: "the answer is 7" }), "solution", "last-box"),
    /^DataError: x\.jsonl, line 1, field "solution": must hold a closed \\boxed\{…\}, got "the answer is 7"$/,
  );
  assert.throws(
    () => goldAnswer(row({ answer: "7" }), "answer", "after-hashes"),
    /field "answer": must end with "#### number", got "7"$/,
  );
});
