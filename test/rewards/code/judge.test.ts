import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeCode } from "../../../src/rewards/code/judge.ts";
import { CodeOptions } from "../../../src/rewards/code/options.ts";
import { quickJsRunner, type Verdict } from "../../../src/rewards/index.ts";
import type { Scorable } from "../../../src/rewards/types.ts";
import type { Json } from "../../../src/rollout/types.ts";
import { answer } from "./support.ts";

const judge = (completion: Scorable, options: Partial<CodeOptions> = {}): Promise<Verdict> =>
  judgeCode(quickJsRunner(), completion, CodeOptions.parse({ timeoutMs: 20_000, totalMs: 60_000, ...options }));
const told = ({ outcome, score, reason }: Verdict): [string, number, string] => [outcome, score, reason];

const SQUARES: Json = [1, 2, 3, 4].map((n) => ({ call: "square", args: [n], expected: n * n }));
/** Right for 1 and 3. */
const HALF = answer("javascript", "const square = (x) => (x % 2 ? x * x : 0);", SQUARES);

test("judgeCode: all tests must pass, and the first that fails ends it", async () => {
  assert.deepEqual(told(await judge(answer("javascript", "const square = (x) => x * x;", SQUARES))), [
    "correct",
    1,
    "passed 4 of 4 tests",
  ]);
  assert.deepEqual(told(await judge(HALF)), [
    "wrong",
    0,
    "passed 1 of 4 tests; test 2: square(…): returned 0, expected 4",
  ]);
});

test("judgeCode: with partial credit the score is the share of tests passed", async () => {
  assert.deepEqual(told(await judge(HALF, { partialCredit: true })), [
    "wrong",
    0.5,
    "passed 2 of 4 tests; test 2: square(…): returned 0, expected 4",
  ]);
  const none = answer("javascript", "const square = () => -1;", SQUARES);
  assert.deepEqual((await judge(none, { partialCredit: true })).score, 0);
});

test("judgeCode: with partial credit, tests of both kinds count in their order", async () => {
  const tests: Json = [
    { input: "2", output: "2\n" },
    { call: "f", args: [], expected: 1 },
    { call: "f", args: [], expected: 2 },
    { input: "3", output: "4" },
    { call: "f", args: [], expected: 1 },
  ];
  // prints its input: right, wrong; f counts its calls, and starts again with each group of calls: 1, 2, then 1
  const code = "print(readAll()); let n = 0; const f = () => ++n;";
  const verdict = await judge(answer("javascript", code, tests), { partialCredit: true });
  assert.deepEqual(told(verdict), ["wrong", 0.8, 'passed 4 of 5 tests; test 4: printed "3\\n", expected "4"']);
});

test("judgeCode: with partial credit, a call that does not end costs its own test only", async () => {
  const code = "const square = (x) => { if (x === 2) for (;;); return x * x; };";
  const verdict = await judge(answer("javascript", code, SQUARES), { partialCredit: true, timeoutMs: 150 });
  assert.deepEqual([verdict.outcome, verdict.score], ["wrong", 0.75]);
  assert.match(verdict.reason, /^passed 3 of 4 tests; test 2: square\(…\): took longer than 150 ms$/);
});

test("judgeCode: a program that only exceeds its time is late, not wrong", async () => {
  const spin = answer("javascript", "const square = () => { for (;;); };", SQUARES);
  for (const partialCredit of [false, true]) {
    const verdict = await judge(spin, { timeoutMs: 30, totalMs: 80, partialCredit });
    assert.deepEqual([verdict.outcome, verdict.score], ["timeout", 0]);
    assert.match(verdict.reason, /^passed 0 of 4 tests; test 1: square\(…\): took longer than 30 ms$/);
  }
});

test("judgeCode: all tests together have a limit too", async () => {
  const tests = Array.from({ length: 50 }, () => ({ input: "", output: "1" }));
  const spin = "print(1); for (;;);";
  const verdict = await judge(answer("javascript", spin, tests), { timeoutMs: 100, totalMs: 150, partialCredit: true });
  assert.deepEqual([verdict.outcome, verdict.score], ["timeout", 0]);
});

test("judgeCode: only the first tests count with a limit of tests", async () => {
  assert.deepEqual(told(await judge(HALF, { maxTests: 1 })), ["correct", 1, "passed 1 of 1 tests"]);
});

test("judgeCode: output is bounded by the option, in bytes", async () => {
  const tests = [{ input: "", output: "a".repeat(1000) }];
  const code = "print('a'.repeat(1000));"; // 1001 bytes with the end of the line
  assert.equal((await judge(answer("javascript", code, tests), { outputKb: 1 })).outcome, "correct");
  const more = await judge(answer("javascript", `${code} print('a'.repeat(100));`, tests), { outputKb: 1 });
  assert.match(more.reason, /printed more than 1024 bytes$/);
});

const says = (text: string): Scorable => ({ ...answer("javascript", "", SQUARES), text });
const RIGHT = "const square = (x) => x * x;";

test("judgeCode: the program is the last closed block of its language, after the thoughts", async () => {
  const WRONG = "const square = (x) => x;";
  const RUNS: readonly (readonly [text: string, outcome: string])[] = [
    [`\`\`\`js\n${WRONG}\n\`\`\`\nbetter:\n~~~javascript title="a"\n${RIGHT}\n~~~`, "correct"],
    [`\`\`\`\n${RIGHT}\n\`\`\``, "correct"],
    [`\`\`\`js\n${RIGHT}\n\`\`\`\nIt prints:\n\`\`\`\n${WRONG}\n\`\`\`\n\`\`\`python\n1\n\`\`\``, "correct"],
    [`<think>\`\`\`js\n${RIGHT}\n\`\`\`</think>\`\`\`js\n${WRONG}\n\`\`\``, "wrong"],
    [`\`\`\`\`js\n${RIGHT}\n/*\n\`\`\`\n*/\n\`\`\`\``, "correct"],
    [`\`\`\`js\r\n${RIGHT}\r\n\`\`\`\r\n`, "correct"],
    [`\`\`\`js\n${RIGHT}`, "unparseable"],
    [`    \`\`\`js\n${RIGHT}\n    \`\`\``, "unparseable"],
    [`\`\`\`python\n${RIGHT}\n\`\`\``, "unparseable"],
    [RIGHT, "unparseable"],
    ["```js\n\n```", "unparseable"],
    [`<think>\`\`\`js\n${RIGHT}\n\`\`\``, "unparseable"],
  ];
  for (const [text, outcome] of RUNS) assert.equal((await judge(says(text))).outcome, outcome, text);
});

test("judgeCode: the whole answer is the program where that is asked", async () => {
  assert.equal((await judge(says(RIGHT), { code: "whole" })).outcome, "correct");
  assert.equal((await judge(says(`<think>hm</think>${RIGHT}`), { code: "whole" })).outcome, "correct");
  assert.match(told(await judge(says(`\`\`\`js\n${RIGHT}\n\`\`\``), { code: "whole" })).toString(), /^wrong,0,.*Error/);
  assert.deepEqual(told(await judge(says(" \n"), { code: "whole" })), [
    "unparseable",
    0,
    "there is no closed block of javascript code",
  ]);
});

test("judgeCode: a megabyte of fences or of program is judged at once", async () => {
  for (const text of ["`".repeat(2 ** 20) + "x".repeat(300), "```\n".repeat(2 ** 18), "~~~ ` ".repeat(2 ** 17)])
    assert.equal((await judge(says(text))).outcome, "unparseable");
  const long = await judge(says(`\`\`\`js\n${"1;".repeat(150_000)}\n\`\`\``));
  assert.deepEqual(told(long), ["wrong", 0, "the program is longer than 200000 characters"]);
});
