import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { createReward, type Verdict } from "../../src/rewards/index.ts";
import { goldNumber } from "../../src/rewards/numeric-answer.ts";
import type { Task } from "../../src/rollout/index.ts";

function task(answer: string | null): Task {
  return { id: "t", set: "file", prompt: "", answer, data: {} };
}

function judge(text: string, gold: string | null, lastNumber = true): Verdict {
  const reward = createReward({ name: "numeric-answer", weight: 1, lastNumber });
  return reward.score({ task: task(gold), text, stop: "eos", tokens: 9 }) as Verdict;
}

/** What was read as the answer; the outcome when nothing was. */
function read(text: string, lastNumber = true): string {
  const { outcome, parsed } = judge(text, "123456789", lastNumber);
  return parsed ?? outcome;
}

test("numeric-answer: every outcome has its score and a reason in words", () => {
  assert.deepEqual(judge("So it is 7.", "7"), { outcome: "correct", score: 1, reason: "7 is the answer", parsed: "7" });
  assert.deepEqual(judge("So it is 8.", "7"), { outcome: "wrong", score: 0, reason: "8 is not 7", parsed: "8" });
  assert.deepEqual(judge("I do not know", "7"), {
    outcome: "unparseable",
    score: 0,
    reason: "there is no number to be read as the answer",
  });
  assert.deepEqual(judge("The answer is 7 or 8.", "7"), {
    outcome: "wrong",
    score: 0,
    reason: 'the answer "7 or 8": there are several numbers in it',
  });
});

test("numeric-answer: a box beats the last other mark, which beats the last number", () => {
  assert.equal(read("\\boxed{1} #### 2 <answer>3</answer> The answer is 4. And 5"), "1");
  assert.equal(read("\\boxed{1} then \\boxed{6}. The answer is 4"), "6");
  assert.equal(read("<answer>3</answer>\n#### 2\nThe answer is 4. And 5"), "4");
  assert.equal(read("The answer is 4. And 5\n#### 2\n<answer>3</answer> 7"), "3");
  assert.equal(read("The answer is 4. <answer>3</answer>\n#### 2\n7 9"), "2");
  assert.equal(read("3 + 4 = 7, twice that is 14. Good"), "14");
  assert.equal(read("Answer: 4\nAnswer: 5"), "5");
  assert.equal(read("the final ANSWER IS:\n\n**12**"), "12");
});

test("numeric-answer: a mark without a number is passed over", () => {
  assert.equal(read("2 + 2 = 4\nThe answer is simple."), "4");
  assert.equal(read("#### Step 2\nso 9 in all"), "9");
  assert.equal(read("\\boxed{} #### 3"), "3");
  assert.equal(read("\\boxed{5 or so it goes on"), "5");
  assert.equal(read("<answer>none</answer> 8"), "8");
  assert.equal(read("\\boxed{five}"), "unparseable");
});

test("numeric-answer: without the option lastNumber only marks count", () => {
  assert.equal(read("so 12", false), "unparseable");
  assert.equal(read("#### 12", false), "12");
  assert.equal(read("\\fbox{12}", false), "12");
});

test("numeric-answer: thoughts do not count, closed or not", () => {
  assert.equal(read("<think>\\boxed{1}</think> It is 2"), "2");
  assert.equal(read("<think>\\boxed{1} hm </think><think> 2"), "unparseable");
  assert.equal(read("3 <think> 4"), "3");
});

const NUMBERS: readonly (readonly [text: string, value: string])[] = [
  ["1,234,567", "1234567"],
  ["$1,234.50", "2469/2"],
  ["18 dollars", "18"],
  ["$18 per day", "18"],
  ["18$", "18"],
  ["5 €", "5"],
  ["-3", "-3"],
  ["−3", "-3"],
  ["-$5", "-5"],
  ["$-5$", "-5"],
  ["+7", "7"],
  [".5", "1/2"],
  ["5.", "5"],
  ["12.50", "25/2"],
  ["3/4", "3/4"],
  ["6/8", "3/4"],
  ["2 1/2", "5/2"],
  ["25%", "1/4"],
  ["12.5 percent", "1/8"],
  ["1.5e3", "1500"],
  ["8.629 \\times 10^6", "8629000"],
  ["377\\times 10^{-3}", "377/1000"],
  ["\\frac{3}{4}", "3/4"],
  ["-\\dfrac{10}{9}", "-10/9"],
  ["\\frac{-17}{-11}", "17/11"],
  ["\\frac34", "3/4"],
  ["2\\frac{1}{2}", "5/2"],
  ["8{,}629", "8629"],
  ["8,\\!580,\\!488", "8580488"],
  ["\\$12\\text{ per month}", "12"],
  ["x = 5", "5"],
  ["3 + 4 = 7", "7"],
  ["12 m^2", "12"],
  ["$\\left(\\frac{1}{3}\\right)$", "1/3"],
  ["**42**", "42"],
  ["144^\\circ", "144"],
];

test("numeric-answer: numbers as people and models write them, after every mark", () => {
  for (const [text, value] of NUMBERS) {
    assert.equal(read(`\\boxed{${text}}`), value, `box: ${text}`);
    assert.equal(read(`<answer> ${text} </answer>`), value, `tag: ${text}`);
    assert.equal(read(`The answer is ${text}`), value, `phrase: ${text}`);
    if (!text.startsWith("x")) assert.equal(read(`#### ${text}`), value, `hashes: ${text}`);
  }
});

test("numeric-answer: the last number of prose", () => {
  for (const [text, value] of [
    ["It equals -3", "-3"],
    ["5-3", "3"],
    ["x - 3", "3"],
    ["from 10-15 minutes", "15"],
    ["- 3 apples\n- 5 pears", "5"],
    ["the area is 12 m2", "12"],
    ["x^2 = 49", "49"],
    ["1, 2345", "2345"],
    ["it costs $7.", "7"],
    ["(12)", "12"],
    ["a=1, b=2;", "2"],
    ["3 apples and 1/2", "1/2"],
    ["take 50%!", "1/2"],
  ] as const)
    assert.equal(read(text), value, text);
});

test("numeric-answer: digits that do not make one number are wrong, whatever number stands before them", () => {
  for (const text of ["7 or rather 2^7", "so 7, no 5/0", "7: version 1.2.7", "3,7", "7 at 12:07", "\\sqrt{7}", "3(7)"])
    assert.equal(judge(text, "7").outcome, "wrong", text);
});

test("numeric-answer: hedges, bounds and formulas after a mark are wrong", () => {
  for (const content of [
    "7 or 8",
    "7, 8",
    "7 and 8",
    "not 7",
    "7 or any other number",
    "> 7",
    "\\neq 7",
    "\\pm 7",
    "\\geq 7",
    "7x",
    "x - 7",
    "7 - x",
    "7!",
    "7^1",
    "\\sqrt{7}",
    "7 \\pi",
    "3 + 4",
    "[7, 9)",
    "1/7/7",
  ])
    assert.equal(judge(`\\boxed{${content}}`, "7").outcome, "wrong", content);
  for (const text of ["The answer is 7 or 8", "#### 7 8", "The answer is 7 + 1", "The answer is not 7."])
    assert.equal(judge(text, "7").outcome, "wrong", text);
});

test("numeric-answer: the first number of a sentence that begins with the answer", () => {
  assert.equal(read("The answer is 18 dollars for 3 days."), "18");
  assert.equal(read("#### 18 (that is 3 a day)"), "18");
  assert.equal(read("The answer is 18. I hope that these 2 lines help"), "18");
  assert.equal(read("Answer: 17 + 5 equals 22"), "22");
});

test("numeric-answer: comparison is exact, and a per cent sign may be left out", () => {
  const right: readonly (readonly [answer: string, gold: string])[] = [
    ["0.5", "1/2"],
    ["6/8", "0.75"],
    ["1e2", "100"],
    ["1,000.0", "1000"],
    ["50%", "0.5"],
    ["50%", "50"],
    ["50", "50%"],
    ["0.5", "50\\%"],
    ["-0", "0"],
    [`${"9".repeat(60)}.0`, "9".repeat(60)],
  ];
  for (const [answer, gold] of right) assert.equal(judge(`\\boxed{${answer}}`, gold).outcome, "correct", answer);
  const false_: readonly (readonly [answer: string, gold: string])[] = [
    ["0.333", "1/3"],
    ["0.3333333333333333", "1/3"],
    ["3.14", "3.14159"],
    ["50%", "5"],
    ["0.5%", "50"],
    ["9007199254740993", "9007199254740992"],
    ["7", "-7"],
  ];
  for (const [answer, gold] of false_) assert.equal(judge(`\\boxed{${answer}}`, gold).outcome, "wrong", answer);
});

test("numeric-answer: a gold answer that is not a number is an error of the reward, not a score", () => {
  for (const gold of [null, "", "seven", "x + 7", "-x+7", "x^2 + y^2 = 529", "7 or 8", "x >= 5", "5/0"])
    assert.throws(() => judge("7", gold), /numeric-answer: the gold answer of task t is not a number: /, String(gold));
  for (const gold of ["7", "$1,200", "3/4", "x = 5", "28\\%", "\\frac{1}{2}", "6\\text{ m}"])
    assert.ok(goldNumber("t", gold).value, gold);
});

test("numeric-answer: the graded rows with a numeric gold answer", () => {
  const rows = readFileSync(new URL("../../data/math-equivalence.jsonl", import.meta.url), "utf8")
    .trimEnd()
    .split("\n")
    .map((line): { gold: string; answer: string; equal: boolean; label: string } => JSON.parse(line))
    .filter(({ gold, label }) => label === "certain" && isNumber(gold));
  const verdicts = rows.map(({ gold, answer, equal }) => ({ is: judge(answer, gold).outcome === "correct", equal }));
  const accepted = verdicts.filter(({ is, equal }) => is && !equal);
  const refused = verdicts.filter(({ is, equal }) => !is && equal);
  assert.ok(rows.length >= 250, `${rows.length} rows`);
  assert.equal(accepted.length, 0, "wrong answers accepted");
  // a repeating decimal, a sum left as it is, a decimal cut off after 16 digits: not numbers that this reward reads as equal
  assert.ok(refused.length <= 3, `${refused.length} right answers refused`);
});

function isNumber(gold: string): boolean {
  try {
    return goldNumber("t", gold).value !== null;
  } catch {
    return false;
  }
}

test("numeric-answer: what a number is written like does not matter (property)", () => {
  const number = fc.tuple(fc.integer({ min: -9_999_999, max: 9_999_999 }), fc.integer({ min: 1, max: 999 }));
  fc.assert(
    fc.property(number, fc.nat({ max: 5 }), ([n, d], form) => {
      const grouped = n.toLocaleString("en");
      const texts = [
        `${n}/${d}`,
        `\\frac{${n}}{${d}}`,
        `${n * 3}/${d * 3}`,
        `${grouped}/${d}`,
        `$${n}/${d}$`,
        ` ${n} / ${d} `,
      ];
      assert.equal(judge(`so \\boxed{${texts[form]}}.`, `${n}/${d}`).outcome, "correct");
      assert.equal(judge(`#### ${grouped}`, String(n)).outcome, "correct");
      assert.equal(judge(`The answer is ${n + 1}.`, String(n)).outcome, "wrong");
    }),
    { numRuns: 300 },
  );
});

test("numeric-answer: any text has an outcome (property)", () => {
  const piece = fc.constantFrom(
    ..."0 7 1,2 .5 $ % - − / ^ { } ( \\ = \n #### \\boxed{ \\frac{ <answer> </answer> answer:".split(" "),
    "answer is ",
    " ",
    "\\text{",
    "٣",
    "７",
    "e9",
    "<think>",
    "</think>",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 40 }), (pieces) => {
      const { outcome, score, reason } = judge(pieces.join(""), "7");
      assert.equal(score, outcome === "correct" ? 1 : 0);
      assert.ok(["correct", "wrong", "unparseable"].includes(outcome) && reason !== "");
    }),
    { numRuns: 1000 },
  );
});

test("numeric-answer: hostile texts of 100 kB and digits of other scripts end in an outcome", () => {
  const long = 100_000;
  for (const text of [
    "",
    "{".repeat(long),
    "\\boxed{".repeat(long / 7),
    `\\boxed{${"{".repeat(long)}`,
    "}".repeat(long),
    "9".repeat(long),
    "1,".repeat(long / 2),
    "1,111".repeat(long / 5),
    "1/".repeat(long / 2),
    "1 ".repeat(long / 2),
    "-".repeat(long),
    ".".repeat(long),
    " ".repeat(long),
    "\n".repeat(long),
    "####".repeat(long / 4),
    "#### ".repeat(long / 5),
    "answer is ".repeat(long / 10),
    "<answer>".repeat(long / 8),
    "</answer>".repeat(long / 9),
    "<think>".repeat(long / 7),
    "\\frac{1}{".repeat(long / 9),
    "\\text{".repeat(long / 6),
    "1e999 ".repeat(long / 6),
    "٣٤".repeat(long / 2),
    "７".repeat(long),
    "Ⅻ ½ ² ١",
    "\u0000\ud800\udfff",
  ])
    assert.notEqual(judge(text, "7").outcome, "correct", JSON.stringify(text.slice(0, 20)));
  assert.equal(judge(`${"7 ".repeat(long)}\\boxed{5}`, "5").outcome, "correct");
});
