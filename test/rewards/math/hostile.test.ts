import assert from "node:assert/strict";
import { test } from "node:test";
import { openRubric, RewardConfig } from "../../../src/rewards/index.ts";
import { compareAnswers, extractAnswer, goldProblem } from "../../../src/rewards/math/index.ts";
import { dataRows, isSame, judge } from "./support.ts";

const many = (text: string, count: number): string => text.repeat(count);

/** None of these is 47; what matters is that each has an outcome, soon, and that none is an exception. */
const HOSTILE: readonly string[] = [
  many("{", 100_000),
  many("}", 100_000),
  many("\\boxed{", 50_000),
  many("\\boxed{1", 30_000),
  `\\boxed{${many("(", 1400)}1${many(")", 1400)}}`,
  `\\boxed{${many("\\frac{1}{1+", 200)}1${many("}", 200)}}`,
  `\\boxed{${many("\\sqrt{", 400)}2${many("}", 400)}}`,
  `\\boxed{${many("|", 900)}}`,
  `\\boxed{${many("-", 2999)}1}`,
  `\\boxed{${many("2^", 900)}2}`,
  `\\boxed{${many("9^{", 50)}9${many("}", 50)}}`,
  `\\boxed{${many("x^", 600)}x}`,
  "\\boxed{9^{9^{9}}}",
  "\\boxed{9^{9^{9^{9}}}+1}",
  "\\boxed{((9^9)^9)^9}",
  "\\boxed{10^{10^{10}}-10^{10^{10}}}",
  "\\boxed{1e999999}",
  `\\boxed{${many("9", 2900)}^{${many("9", 50)}}}`,
  "\\boxed{1000000!}",
  "\\boxed{(((10!)!)!)!}",
  "\\boxed{10!!!!!!!!!!}",
  "\\boxed{\\binom{10^{12}}{10^{11}}}",
  "\\boxed{\\binom{\\binom{100}{50}}{\\binom{90}{45}}}",
  "\\boxed{\\sum_{k=1}^{10^{15}} k!}",
  "\\boxed{\\sum_{i=1}^{2000}\\sum_{j=1}^{2000}\\sum_{k=1}^{2000} ijk}",
  "\\boxed{\\prod_{k=1}^{2000} \\sum_{i=1}^{k} \\sin(i)}",
  `\\boxed{${many("(x+y+z)^{50}", 40)}}`,
  `\\boxed{(${many("x+", 700)}x)^{3000}}`,
  `\\boxed{${many("\\sin(", 55)}x${many(")", 55)}}`,
  `\\boxed{${many("\\pm 1", 300)}}`,
  `\\boxed{\\{${many("1,", 1400)}1\\}}`,
  `\\boxed{${many("x=1,", 600)}}`,
  `\\boxed{[1,2]${many("\\cup[3,4]", 300)}}`,
  `\\boxed{\\begin{pmatrix}${many("1&", 1000)}1\\end{pmatrix}}`,
  `\\boxed{${many("\\begin{pmatrix}", 100)}}`,
  `\\boxed{\\begin{vmatrix}${many(`${many("x&", 9)}x\\\\`, 10)}\\end{vmatrix}}`,
  `\\boxed{\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}^{99999}}`,
  `\\boxed{\\text{${many("a", 2900)}}}`,
  `\\boxed{${many("\\text{", 400)}48${many("}", 400)}}`,
  `\\boxed{0.${many("3", 2900)}}`,
  "\\boxed{0.\\overline{123456789012345678901234567890}}",
  `\\boxed{47${many("\u0000", 50)}8}`,
  "\\boxed{\u202e74\u202c8}",
  "\\boxed{4\u200b8}",
  "\\boxed{٤٨}",
  "\\boxed{४८}",
  "\\boxed{４８}",
  "\\boxed{\ud800}",
  "\\boxed{\\unicode{48}\\x\\y\\z}",
  "\\boxed{constructor}",
  "\\boxed{__proto__}",
  "\\boxed{\\toString{x}}",
  "\\boxed{\\frac}",
  "\\boxed{\\frac{}{}}",
  "\\boxed{\\sqrt}",
  "\\boxed{\\sqrt[0]{2}}",
  "\\boxed{1/0}",
  "\\boxed{0^{-1}}",
  "\\boxed{0/0}",
  "\\boxed{\\log_1 2}",
  "\\boxed{\\ln 0}",
  "\\boxed{\\tan\\frac{\\pi}{2}}",
  "\\boxed{_}",
  "\\boxed{^}",
  "\\boxed{&&&}",
  "\\boxed{\\\\\\\\}",
  "\\boxed{$$$$$}",
  `#### ${many("#### ", 20_000)}`,
  many("The answer is ", 20_000),
  many("answer: answer = ", 20_000),
  many("is is is ", 30_000),
  many("a.b! c? ", 30_000),
  many("not ", 50_000),
  many("<think>", 20_000),
  many("</think>", 20_000),
  many("<answer>", 20_000),
  many("<!-- ", 20_000),
  many("$1", 40_000),
  many("\\(", 40_000),
  many("% x\n", 20_000),
  many(" ", 200_000),
  many("\n", 200_000),
  many("1 ", 100_000),
  many("1,", 100_000),
  many("(1,", 60_000),
  many("lorem ipsum 12 dolor ", 50_000), // 1 MB
  many("\\frac{1}{2} ", 20_000),
  many("🧮", 40_000),
];

/** Far above what the slowest one needs on a busy machine, far below what one that hangs would take. */
const FAR_TOO_LONG_MS = 20_000;

test("math: no hostile text is an exception, endless, or correct", () => {
  for (const text of HOSTILE) {
    const start = performance.now();
    const { outcome, score } = judge("47", text);
    assert.ok(performance.now() - start < FAR_TOO_LONG_MS, text.slice(0, 60));
    assert.notEqual(outcome, "correct", text.slice(0, 60));
    assert.equal(score, 0);
  }
});

test("math: hostile texts as gold answers are bounded, too, and equal to themselves or said to be unreadable", () => {
  for (const text of HOSTILE) {
    const gold = /^\\boxed\{(.*)\}$/s.exec(text)?.[1] ?? text.slice(0, 2900);
    if (gold.trim() === "" || gold.length > 3000) continue;
    const { outcome } = compareAnswers(gold, "47");
    assert.notEqual(outcome, "correct", gold.slice(0, 60));
  }
});

test("math: huge expressions are equal only to themselves written in another order", () => {
  assert.ok(isSame("9^{9^{9^{9}}}", "9^{9^{9^{9}}}"));
  assert.ok(!isSame("9^{9^{9^{9}}}", "9^{9^{9^{8}}}"));
  assert.ok(isSame("3+(10!)!!", "(10!)!!+3"));
  assert.ok(!isSame("(10!)!", "(10!)!+1"));
  assert.ok(isSame("(x+1)^{5000}(y-2)", "(y-2)(1+x)^{5000}"));
  assert.ok(!isSame("(x+1)^{5000}", "(x+1)^{5001}"));
});

test("math: invisible characters and digits of other scripts change nothing", () => {
  for (const answer of ["4\u200b7", "\u202a47\u202c", "47\u0000", "\ufeff47", "٤٧", "४७", "４７", "𝟒𝟕", "4\u00ad7"])
    assert.equal(judge("47", `\\boxed{${answer}}`).outcome, "correct", JSON.stringify(answer));
  assert.equal(judge("74", "\\boxed{\u202e47\u202c}").outcome, "wrong"); // what counts is the text, not the way it is shown
});

test("math: extraction of a text of 1 MB looks at its end only", () => {
  const text = `${many("The answer is 46. ", 60_000)}\\boxed{47}`;
  assert.deepEqual(extractAnswer(text, { thinking: "after", from: "anything", wants: "mathematics" }), {
    content: "47",
    rule: "box",
  });
});

test("math: a gold answer that can't be read is named with what was not understood", () => {
  assert.equal(goldProblem(""), "it is empty");
  assert.equal(goldProblem("\\frac{1}{2"), "} was expected, not the end");
  assert.match(goldProblem("\\foo{2}+1")!, /\\foo is not known/);
  assert.match(goldProblem("1 +")!, /the end was not expected/);
  for (const gold of ["5", "\\frac{1}{2}", "A", "(B)", "\\text{Monday}", "no solution", "x > 3", "[1,2)", "\\{\\}"])
    assert.equal(goldProblem(gold), null, gold);
});

test("math: all adversarial rows of the data file end through the pool of verifiers, within its deadline", async () => {
  const rows = dataRows().filter(({ family }) => family === "adversarial");
  assert.equal(rows.length, 79);
  const rubric = await openRubric([RewardConfig.parse({ name: "math" })]);
  try {
    const outcomes = await Promise.all(
      rows.map(async ({ gold, answer }, i) => {
        const task = { id: String(i), set: "file", prompt: "", answer: gold, data: {} };
        return (await rubric.score({ task, text: answer, stop: "eos", tokens: 1 })).terms.math!.outcome;
      }),
    );
    rows.forEach(({ id, equal, label }, i) => {
      assert.ok(outcomes[i] !== "timeout" && outcomes[i] !== "error", `${id}: ${outcomes[i]}`);
      if (label === "certain") assert.equal(outcomes[i] === "correct", equal, id);
    });
  } finally {
    await rubric.close();
  }
});
