import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { scoreAnswer } from "../../../src/rewards/generated/index.ts";
import { createReward } from "../../../src/rewards/index.ts";
import { FAMILY_NAMES, type FamilyName, taskOfRow } from "../../../src/rollout/tasks/generated/index.ts";

const DATA = process.env.RLVR_DATA;
const reward = createReward({ name: "reasoning-task", weight: 1, partialCredit: false });

interface Row {
  readonly candidates: readonly { readonly kind: string; readonly answer: string; readonly expect: string }[];
}

function rowsOf(file: string | URL): Row[] {
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** Judges every candidate of every row; the number of those with a label. */
async function judgeAll(rows: readonly Row[]): Promise<number> {
  let labelled = 0;
  for (const row of rows) {
    const task = taskOfRow(row);
    for (const { kind, answer, expect } of row.candidates) {
      const text = `<think>a <answer>0</answer></think>\n<answer>${answer}</answer>`;
      const { outcome, score, reason } = await reward.score({ task, text, stop: "eos", tokens: 9 });
      assert.ok(["correct", "wrong", "unparseable"].includes(outcome), `${task.id} ${kind}: ${outcome}`);
      assert.equal(score, outcome === "correct" ? 1 : 0);
      assert.notEqual(reason, "");
      if (expect === "either") continue;
      labelled++;
      assert.equal(
        outcome === "correct",
        expect === "accept",
        `${task.id} ${kind} ${JSON.stringify(answer)}: ${reason}`,
      );
    }
  }
  return labelled;
}

for (const family of FAMILY_NAMES) {
  const file = `${DATA}/reasoning-gym/${family}.jsonl`;
  const skip = existsSync(file) ? false : "set RLVR_DATA to the folder that holds reasoning-gym/*.jsonl";
  test(`reasoning-task: every graded candidate of ${family} is judged as labelled`, { skip }, async () => {
    const rows = rowsOf(file);
    assert.equal(rows.length, 50);
    assert.ok((await judgeAll(rows)) > 350);
  });
}

test("reasoning-task: every graded countdown expression is judged as labelled", async () => {
  const rows = rowsOf(new URL("../../../data/countdown/items.jsonl", import.meta.url));
  assert.equal(await judgeAll(rows), 4982);
});

type Judged = readonly [answer: string, outcome: "correct" | "wrong" | "unparseable"];

function check(family: FamilyName, answer: string, metadata: unknown, judged: readonly Judged[]): void {
  for (const [text, outcome] of judged) {
    assert.equal(scoreAnswer(text, { family, answer, metadata }).outcome, outcome, `${family}: ${text.slice(0, 80)}`);
  }
}

test("numbers: exact value, in any usual way to write one number", () => {
  check("chain_sum", "-1234", {}, [
    ["-1234", "correct"],
    ["−1,234.00", "correct"],
    ["$-1234$", "correct"],
    ["**\\boxed{ -001234 }**", "correct"],
    ["-1.234e3", "correct"],
    ["-1234.0000001", "wrong"],
    ["-12,34", "unparseable"],
    ["1234", "wrong"],
    ["-1233 -1234", "unparseable"],
    ["-1234 or -1235", "unparseable"],
    ["1000 - 2234", "unparseable"],
    ["-１２３４", "unparseable"],
    ["-1234\u0000", "unparseable"],
    ["", "unparseable"],
    ["$$", "unparseable"],
    ["9".repeat(1_000_000), "unparseable"],
    ["1e999999999", "unparseable"],
    ["{".repeat(100_000), "unparseable"],
    ["\\boxed{".repeat(5000), "unparseable"],
  ]);
  check("decimal_chain_sum", "0.3", {}, [
    ["0.30", "correct"],
    [".3", "correct"],
    ["0.30000000000000004", "wrong"],
    ["3/10", "unparseable"],
  ]);
});

test("simple_equations: the unknown may be named, another letter may not", () => {
  check("simple_equations", "18", { variable: "r" }, [
    ["18", "correct"],
    ["r = 18", "correct"],
    ["r=17", "wrong"],
    ["x = 18", "unparseable"],
    ["r = r = 18", "unparseable"],
  ]);
});

test("base_conversion: digits of the target base in small letters", () => {
  check("base_conversion", "6b0", { decimal_value: 1712, target_base: 16 }, [
    ["6b0", "correct"],
    ["0006b0", "correct"],
    ["6B0", "unparseable"],
    ["0x6b0", "wrong"],
    ["1712", "wrong"],
    ["6b0 6b1", "unparseable"],
  ]);
  check("base_conversion", "0", { decimal_value: 0, target_base: 7 }, [
    ["0", "correct"],
    ["000", "correct"],
    ["", "unparseable"],
  ]);
});

test("fraction_simplification: lowest terms, a positive denominator", () => {
  check("fraction_simplification", "1/2", { simplified_numerator: 1, simplified_denominator: 2 }, [
    ["1/2", "correct"],
    ["\\(\\tfrac12\\)", "correct"],
    ["1⁄2", "correct"],
    ["2/4", "wrong"],
    ["-1/-2", "unparseable"],
    ["1/0", "wrong"],
    ["0.5", "unparseable"],
    ["1/2 = 2/4", "unparseable"],
    ["\\frac{1}{2}\\frac{1}{2}", "unparseable"],
  ]);
  check("fraction_simplification", "1/1", { simplified_numerator: 1, simplified_denominator: 1 }, [
    ["1/1", "correct"],
    ["1", "correct"],
    ["3/3", "wrong"],
  ]);
});

test("prime_factorization: primes only, product exact", () => {
  check("prime_factorization", "2 × 2 × 3", { number: 12 }, [
    ["3 × 2 × 2", "correct"],
    ["2^2 * 3", "correct"],
    ["12 = 2^{2} \\cdot 3", "correct"],
    ["12", "wrong"],
    ["4 × 3", "wrong"],
    ["1 × 2 × 2 × 3", "wrong"],
    ["2 × 3", "wrong"],
    ["2^99 × 3", "unparseable"],
    ["2^9^9^9^9", "unparseable"],
    ["2 × 2 × 3 ×", "unparseable"],
    ["999999999999989", "unparseable"],
    ["2, 2, 3", "unparseable"],
  ]);
  check("prime_factorization", "7", { number: 7 }, [["7", "correct"]]);
});

test("lists: same items in the same places, nothing more", () => {
  check("word_sorting", "", { sorted_words: ["FOR", "art", "can"] }, [
    ["FOR, art, can", "correct"],
    ["FOR\nart\ncan", "correct"],
    ['["FOR", "art", "can"]', "correct"],
    ["for, art, can", "wrong"],
    ["FOR, art, can, can", "wrong"],
    ["FOR, art, can,", "wrong"],
    ["FOR art can", "wrong"],
    ["", "unparseable"],
  ]);
  check("number_sorting", "", { sorted_numbers: ["-95.6", "-0.0", "56.3"] }, [
    ["['-95.6', '-0.0', '56.3']", "correct"],
    ["-95.60, 0, 56.3", "correct"],
    ["['-95.6', '-0.0', '56.31']", "wrong"],
    ["['-95.6', '56.3']", "wrong"],
    ["['-95.6', '-0.0', '56.3', '56.3']", "wrong"],
    ["['-95.6', nan, '56.3']", "unparseable"],
    ["sorted([-95.6, 56.3, -0.0])", "unparseable"],
  ]);
  check("spell_backward", "tac", { word: "cat" }, [
    ["tac", "correct"],
    ["'tac'", "correct"],
    ["TAC", "wrong"],
    ["t a c", "wrong"],
    ["cat", "wrong"],
    ["tactac", "wrong"],
    ["", "unparseable"],
  ]);
});

test("partial credit: the share of items in their places, below 1 for every wrong answer", () => {
  const score = (family: FamilyName, answer: string, metadata: unknown) =>
    scoreAnswer(answer, { family, answer: "", metadata, partialCredit: true }).score;
  assert.equal(score("spell_backward", "tax", { word: "cat" }), 2 / 3);
  assert.equal(score("spell_backward", "tactac", { word: "cat" }), 1 / 2);
  assert.equal(score("word_sorting", "a, b", { sorted_words: ["a", "b", "c", "d"] }), 1 / 2);
  assert.equal(score("number_sorting", "[1, 3, 2]", { sorted_numbers: ["1.0", "2.0", "3.0"] }), 1 / 3);
});

test("reasoning-task: without a tag there is no answer; a task that lacks its fields is an error", async () => {
  const row = { family: "gcd", seed: 1, index: 2, question: "?", answer: "6", metadata: {} };
  const task = taskOfRow(row);
  const outcome = async (text: string) => (await reward.score({ task, text, stop: "eos", tokens: 1 })).outcome;
  assert.equal(task.id, "gcd/1/2");
  assert.equal(await outcome("6"), "unparseable");
  assert.equal(await outcome("<answer>5</answer> no <answer>6</answer>"), "correct");
  assert.equal(await outcome("<answer>6</answer> no <answer>5</answer>"), "wrong");
  assert.equal(await outcome("<think><answer>6</answer></think>"), "unparseable");
  const bad = taskOfRow({ ...row, family: "countdown" });
  assert.throws(() => reward.score({ task: bad, text: "<answer>6</answer>", stop: "eos", tokens: 1 }), {
    name: "RewardError",
    message: /countdown: metadata\.numbers/,
  });
  const foreign = { ...task, data: {} };
  assert.throws(() => reward.score({ task: foreign, text: "", stop: "eos", tokens: 1 }), /not a generated task/);
  assert.throws(
    () => scoreAnswer("6", { family: "gcd", answer: "six", metadata: {} }),
    /gcd: the gold answer six is no number/,
  );
});

test("taskOfRow: a row without its fields is refused with the field's name", () => {
  assert.throws(() => taskOfRow({ family: "gcd", seed: 1 }), {
    name: "DataError",
    message: /reasoning-gym row: index/,
  });
  assert.throws(() => taskOfRow({ id: "x", numbers: [] }), { name: "DataError", message: /countdown row .*: numbers/ });
  assert.throws(() => taskOfRow(7), { name: "DataError", message: /row/ });
});
