import assert from "node:assert/strict";
import { test } from "node:test";
import { scoreAnswer } from "../../../src/rewards/generated/index.ts";
import { createReward } from "../../../src/rewards/index.ts";
import { FAMILY_NAMES, makeItem, taskOfRow } from "../../../src/rollout/tasks/generated/index.ts";

/** Texts that no family has as its answer. */
const HOSTILE: readonly string[] = [
  " ".repeat(1_000_000),
  "1".repeat(1_000_000),
  "$".repeat(5000),
  "\\boxed{".repeat(700),
  "2 × ".repeat(1200),
  "2^9".repeat(1500),
  "9^9^9^9^9",
  `2${" ".repeat(4000)}x`,
  ",".repeat(5000),
  "-".repeat(5000),
  "(".repeat(100_000),
  `${"1+".repeat(999)}1`,
  `1,${"000,".repeat(1200)}`,
  "1e999",
  "-1e-999",
  "1e99999999999999999999",
  "NaN",
  "Infinity",
  "[[[[",
  "'\"'\"",
  "['1', '2'",
  "\u0000\u202e\u200b٣",
  "__import__('os').system('ls')",
  "<answer>1<answer>",
  "require('process').exit()",
  "constructor",
  "1/0",
  "0/0",
  "\\frac{1}{0}",
];

for (const family of FAMILY_NAMES) {
  const items = Array.from({ length: 40 }, (_, i) => makeItem(family, 31_337 * i, "default")!);

  test(`${family}: no text breaks the scorer, and none of them is right`, () => {
    for (const { answer, metadata } of items.slice(0, 5)) {
      for (const text of HOSTILE) {
        const { outcome, score, reason } = scoreAnswer(text, { family, answer, metadata });
        assert.ok(outcome === "wrong" || outcome === "unparseable", `${text.slice(0, 40)}: ${outcome}`);
        assert.equal(score, 0);
        assert.ok(reason.length > 0 && reason.length < 400, `${reason.length} characters of reason`);
      }
    }
  });

  test(`${family}: marks and blanks around an answer never change the verdict; another problem's answer is wrong`, () => {
    // an expression is read as it stands; the others may be set off as mathematics or in bold
    const marks = family === "countdown" ? [] : ["$A$", "\\(A\\)", "\\boxed{A}", "**A**", "`A`", "$\\boxed{ A }$"];
    items.forEach(({ answer, metadata }, i) => {
      const problem = { family, answer, metadata };
      const other = items[(i + 1) % items.length]!.answer;
      for (const mark of ["A", "  A ", "\n\tA\r\n", ...marks]) {
        assert.equal(
          scoreAnswer(
            mark.replace("A", () => answer),
            problem,
          ).outcome,
          "correct",
          mark,
        );
        if (other === answer) continue;
        assert.notEqual(
          scoreAnswer(
            mark.replace("A", () => other),
            problem,
          ).outcome,
          "correct",
          `${mark} ${other}`,
        );
      }
    });
  });
}

test("taskOfRow: a countdown row is judged by the reward countdown too", async () => {
  const task = taskOfRow({ id: "a", numbers: [2, 8], target: 16, candidates: [] });
  for (const reward of [
    createReward({ name: "countdown", weight: 1 }),
    createReward({ name: "reasoning-task", weight: 1, partialCredit: false }),
  ]) {
    const outcome = async (text: string) => (await reward.score({ task, text, stop: "eos", tokens: 1 })).outcome;
    assert.equal(await outcome("<answer>2*8</answer>"), "correct");
    assert.equal(await outcome("<answer>16</answer>"), "wrong");
  }
});
