import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { evaluateExpression, judgeExpression } from "../../src/rewards/expression.ts";
import { formatRational } from "../../src/utils/rational.ts";

interface Item {
  readonly id: string;
  readonly numbers: number[];
  readonly target: number;
  readonly solution: string | null;
  readonly candidates: {
    readonly kind: string;
    readonly answer: string;
    readonly expect: "accept" | "reject" | "either";
    readonly value?: number | string;
  }[];
}

const items = readFileSync(new URL("../../data/countdown/items.jsonl", import.meta.url), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Item);

function resultOf(text: string): string {
  const result = evaluateExpression(text);
  return "problem" in result ? `problem: ${result.problem}` : formatRational(result.value);
}

test("evaluateExpression: precedence, brackets, left to right, fractions on the way", () => {
  assert.equal(resultOf("1+2*3"), "7");
  assert.equal(resultOf("(1+2)*3"), "9");
  assert.equal(resultOf("8-3-2"), "3");
  assert.equal(resultOf("24/4/2"), "3");
  assert.equal(resultOf("8/(3-8/3)"), "24"); // 8 / (1/3)
  assert.equal(resultOf("1/3+1/6"), "1/2");
  assert.equal(resultOf("10/8-4"), "-11/4");
  assert.equal(resultOf("-3+9"), "6");
  assert.equal(resultOf("2*(-3)"), "-6");
  assert.equal(resultOf("-2*3-(-4)"), "-2");
  assert.equal(resultOf("9 − 5 × 4 ÷ 2 · 1"), "-1");
  assert.equal(resultOf("\n\t 007 "), "7");
});

test("evaluateExpression: numbers come in the order they are written", () => {
  const result = evaluateExpression("(9-12)*9");
  assert.ok(!("problem" in result));
  assert.deepEqual(result.numbers, [9n, 12n, 9n]);
  assert.deepEqual(result.value, { numerator: -27n, denominator: 1n });
});

test("evaluateExpression: what is not an expression has a problem", () => {
  const texts = [
    "",
    " \n",
    "1+",
    "*2",
    "(1",
    "1)",
    ")(",
    "()",
    "2(3)",
    "(2)(3)",
    "1 2",
    "2**3",
    "2^3",
    "9^9^9^9",
    "1--2",
  ];
  texts.push(
    "3 - -4",
    "+3",
    "--1",
    "1.5",
    "1,000",
    "1e9",
    "eval('3')",
    "16 # 1+2",
    "[1+2]",
    "{1}",
    "x",
    "4 = 4",
    "1 ＋ 2",
  );
  texts.push(
    "９*３",
    "٣+١",
    "1\u0000+2",
    "1\u00a0+2",
    "1//2",
    "process.exit(1)",
    "1;2",
    "$5$",
    "🙂",
    "\ud800",
    "0x10",
    "1_0",
  );
  for (const text of texts) {
    const result = evaluateExpression(text);
    assert.ok("problem" in result && result.kind === "syntax", `${JSON.stringify(text)} must be refused`);
  }
});

test("evaluateExpression: dividing by zero is a problem of its own", () => {
  for (const text of ["1/0", "0/0", "1/(2-2)", "(1/(3-3))*0", "1/(1/2-2/4)"]) {
    assert.deepEqual(evaluateExpression(text), { problem: "divides by zero", kind: "division-by-zero" });
  }
});

test("evaluateExpression: hostile texts end at once", () => {
  const hostile = [
    "1".repeat(1_000_000),
    "1+".repeat(500_000),
    "(".repeat(100_000),
    `${"(".repeat(50_000)}1${")".repeat(50_000)}`,
    `${"(".repeat(999)}1${")".repeat(999)}`,
    "(".repeat(2000),
    "-".repeat(2000),
    "(-".repeat(1000),
    `9${"**9".repeat(500)}`,
    `1${"/9+1".repeat(499)}`,
    `9${"*9".repeat(999)}`,
    `${"9".repeat(1000)}/${"7".repeat(999)}`,
    " ".repeat(1_000_000),
    "\u0000".repeat(1900),
    `1${" ".repeat(1990)}!`,
  ];
  for (const text of hostile) {
    const start = performance.now();
    evaluateExpression(text);
    judgeExpression(text, [1, 9], 9);
    const ms = performance.now() - start;
    assert.ok(ms < 500, `${text.slice(0, 20)}… took ${ms} ms`);
  }
  assert.equal(resultOf(`${"(".repeat(999)}1${")".repeat(999)}`), "1");
});

test("evaluateExpression: agrees with JavaScript on expressions whose values are whole numbers", () => {
  const leaf = fc.nat({ max: 99 }).map(String);
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc
        .tuple(tie("tree"), fc.constantFrom("+", "-", "*"), tie("tree"), fc.boolean())
        .map(([left, sign, right, isBracketed]) =>
          isBracketed ? `(${left} ${sign} ${right})` : `${left}${sign}${right}`,
        ),
    ),
  }));
  fc.assert(
    fc.property(tree, (text) => {
      const exact = text.replace(/\d+/g, "$&n");
      const expected = new Function(`return ${exact}`)() as bigint; // our own text of digits, signs and brackets
      assert.equal(resultOf(text), String(expected));
    }),
    { numRuns: 300 },
  );
});

test("evaluateExpression: never throws, whatever the text", () => {
  const alphabet = fc.constantFrom(..."0123456789+-*/() .^=,xe\n−×÷·９\u0000");
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: alphabet, maxLength: 60 }), fc.string({ unit: "binary" })), (text) => {
      const result = evaluateExpression(text);
      assert.ok("problem" in result || result.value.denominator > 0n);
    }),
    { numRuns: 1000 },
  );
});

test("judgeExpression: every graded candidate of the countdown items is judged as labelled", () => {
  assert.equal(items.length, 498);
  let judged = 0;
  for (const { id, numbers, target, candidates } of items) {
    for (const { kind, answer, expect } of candidates) {
      if (expect === "either") continue;
      const { outcome, score, reason } = judgeExpression(answer, numbers, target);
      const label = `${id} ${kind} ${JSON.stringify(answer)}: ${outcome}, ${reason}`;
      assert.equal(outcome === "correct", expect === "accept", label);
      assert.equal(score, expect === "accept" ? 1 : 0, label);
      judged++;
    }
  }
  assert.equal(judged, 4982);
});

test("judgeExpression: every recorded solution is right, and recorded values are found", () => {
  for (const { numbers, target, solution, candidates } of items) {
    if (solution !== null) assert.equal(judgeExpression(solution, numbers, target).outcome, "correct");
    for (const { answer, value } of candidates) if (value !== undefined) assert.equal(resultOf(answer), String(value));
  }
});

test("judgeExpression: the reason says what is wrong", () => {
  const judge = (text: string) => {
    const { outcome, reason } = judgeExpression(text, [8, 4, 2], 16);
    return `${outcome}: ${reason}`;
  };
  assert.equal(judge("8*4/2"), "correct: makes 16");
  assert.equal(judge("8*4+2"), "wrong: makes 34, not 16");
  assert.equal(judge("8/(4*2)"), "wrong: makes 1, not 16");
  assert.equal(judge("2/(8*4)"), "wrong: makes 1/16, not 16");
  assert.equal(judge("8*2"), "wrong: 4 is not used");
  assert.equal(judge("16"), "wrong: 16 is not one of the numbers");
  assert.equal(judge("8+8"), "wrong: 8 is used more often than it is given");
  assert.equal(judge("8/(4-2-2)"), "wrong: divides by zero");
  assert.equal(judge("8^4"), 'unparseable: not an arithmetic expression: "^4" is no number, sign or bracket');
  assert.equal(judge("8(4*2"), "unparseable: not an arithmetic expression: there is no sign before (");
});
