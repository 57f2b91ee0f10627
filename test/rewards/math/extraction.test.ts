import assert from "node:assert/strict";
import { test } from "node:test";
import { extractAnswer } from "../../../src/rewards/math/index.ts";
import { RewardError } from "../../../src/utils/errors.ts";
import { judge } from "./support.ts";

type Options = Parameters<typeof extractAnswer>[1];

/** What was taken as the answer and by which rule; null when nothing was. */
function taken(text: string, options: Partial<Options> = {}): string | null {
  const found = extractAnswer(text, { thinking: "after", from: "anything", wants: "mathematics", ...options });
  return found && `${found.rule}: ${found.content}`;
}

test("extractAnswer: a box beats marks, marks beat the last mathematics; the last of its kind counts", () => {
  assert.equal(taken("\\boxed{1} \\boxed{2} #### 3 The answer is 4. So 5."), "box: 2");
  assert.equal(taken("#### 3\nThe answer is 4. So 5."), "phrase: 4");
  assert.equal(taken("The answer is 4.\n#### 3\nSo 5."), "####: 3");
  assert.equal(taken("Answer: 4 <answer>6</answer> So 5."), "answer tag: 6");
  assert.equal(taken("We had 4, so 5 remain."), "last mathematics: 5");
  assert.equal(taken("\\frac{1}{2}"), "whole text: \\frac{1}{2}");
});

test("extractAnswer: boxes have balanced braces, may be fbox, nested or never closed; what joins two makes them one list", () => {
  assert.equal(taken("\\boxed{\\frac{1}{\\sqrt{2}}}}"), "box: \\frac{1}{\\sqrt{2}}");
  assert.equal(taken("\\fbox{7}"), "box: 7");
  assert.equal(taken("\\boxed {7}"), "box: 7");
  assert.equal(taken("\\boxed{\\boxed{7}}"), "box: \\boxed{7}");
  assert.equal(taken("\\boxed{7 and so on\nmore"), "open box: 7 and so on");
  assert.equal(taken("\\boxed{7} and $\\boxed{8}$"), "box: 7, 8");
  assert.equal(taken("\\boxed{7}. Then \\boxed{8}"), "box: 8");
  assert.equal(taken("\\boxed{\\{1\\}}"), "box: \\{1\\}");
  assert.equal(taken("\\boxed{50}\\%"), "box: 50\\%");
});

test("extractAnswer: thoughts count by option only, and those that never end hold no answer", () => {
  const thought = "<think>\\boxed{1}</think>So \\boxed{2}";
  assert.equal(taken(thought), "box: 2");
  assert.equal(taken("<think>\\boxed{1}</think>None."), null);
  assert.equal(taken("<think>\\boxed{1}</think>None.", { thinking: "anywhere" }), "box: 1");
  assert.equal(taken("<think>\\boxed{1} hm"), null);
});

test("extractAnswer: the option `from` says how much of a mark an answer needs", () => {
  assert.equal(taken("The answer is 4.", { from: "box" }), null);
  assert.equal(taken("The answer is 4.", { from: "marked" }), "phrase: 4");
  assert.equal(taken("So it is 4.", { from: "marked" }), null);
  assert.equal(taken("So \\boxed{4}.", { from: "box" }), "box: 4");
});

test("extractAnswer: reasons, remarks and conditions behind a phrase are cut off; hedges are not", () => {
  assert.equal(taken("The answer is 42 because 6 · 7 = 42."), "phrase: 42");
  assert.equal(taken("The answer is 42 (see above)."), "phrase: 42");
  assert.equal(taken("The answer is 42, but let me check."), "phrase: 42");
  assert.equal(taken("The answer is 42 or 43."), "phrase: 42 or 43");
  assert.equal(taken("The answer is $1$ and $2$."), "phrase: 1 , 2");
  assert.equal(taken("The answer is not 41 but 42."), "phrase: 42");
});

test("extractAnswer: numbers that words deny, bound or change are not taken for the answer", () => {
  assert.equal(taken("It is 43, not 42."), "last mathematics: 43");
  for (const text of [
    "It is at least 42.",
    "It is definitely not 42.",
    "It is the square of 42.",
    "It is 42 squared.",
    "It lies between 41 and 42.",
    "It is one in 42, or print(42)",
  ])
    assert.notEqual(judge("42", text).outcome, "correct", text);
});

test("extractAnswer: questions state nothing, comments of TeX and HTML and JSON for a program are no text", () => {
  assert.equal(taken("Is it 42?"), null);
  assert.equal(taken("It is 41. Or is it 42?"), "last mathematics: 41");
  assert.equal(taken("\\boxed{1} <!-- \\boxed{2} -->"), "box: 1");
  assert.equal(taken("so \\boxed{1} % \\boxed{2}"), "box: 1");
  assert.equal(taken('{"answer": 42}'), null);
});

test("math: outcomes, score, reason, rule and what was read", () => {
  const right = judge("\\frac{1}{2}", "So \\boxed{0.5}");
  assert.deepEqual(
    [right.outcome, right.score, right.rule, right.parsed, right.gold],
    ["correct", 1, "equal fractions", "0.5", "\\frac{1}{2}"],
  );
  assert.equal(right.reason, "equal to the gold answer (equal fractions)");
  const wrong = judge("2", "So \\boxed{3}");
  assert.deepEqual(
    [wrong.outcome, wrong.score, wrong.reason],
    ["wrong", 0, "not equal to the gold answer (different fractions)"],
  );
  const nothing = judge("2", "I do not know.");
  assert.deepEqual([nothing.outcome, nothing.reason], ["unparseable", "no answer was found in the text"]);
  assert.deepEqual(
    right.steps!.map(({ step }) => step),
    ["extraction", "gold", "answer", "kinds", "equal fractions"],
  );
});

test("math: options choose what is read; a task without a gold answer is an error that names it", () => {
  assert.equal(judge("4", "The answer is 4.", { from: "box" }).outcome, "unparseable");
  assert.equal(judge("4", "<think>\\boxed{4}</think>", { thinking: "anywhere" }).outcome, "correct");
  assert.throws(
    () => judge(null, "4"),
    (error) => error instanceof RewardError && /task t has no gold answer/.test(error.message),
  );
  assert.throws(() => judge(" ", "4"), /the gold answer of task t can't be read: it is empty/);
});
