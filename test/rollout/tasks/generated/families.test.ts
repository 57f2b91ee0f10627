import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { scoreAnswer } from "../../../../src/rewards/generated/index.ts";
import {
  FAMILY_NAMES,
  type FamilyName,
  type Item,
  LEVELS,
  makeItem,
} from "../../../../src/rollout/tasks/generated/index.ts";
import { formatRational, rational } from "../../../../src/utils/rational.ts";
import { canMake, evaluate, solve } from "./solvers.ts";

const DATA = process.env.RLVR_DATA;
const OWN_WORDS: readonly FamilyName[] = ["letter_counting", "spell_backward", "word_sorting"];

for (const family of FAMILY_NAMES.filter((name) => !OWN_WORDS.includes(name))) {
  const file = `${DATA}/reasoning-gym/${family}.jsonl`;
  const skip = existsSync(file) ? false : "set RLVR_DATA to the folder that holds reasoning-gym/*.jsonl";
  test(`${family}: seed and index give reasoning-gym's problem, bit for bit`, { skip }, () => {
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    assert.equal(lines.length, 50);
    for (const line of lines) {
      const row = JSON.parse(line);
      const item = makeItem(family, row.seed + row.index, "default");
      assert.equal(item?.question, row.question);
      assert.equal(item?.answer, row.answer);
      for (const [field, value] of Object.entries(item!.metadata)) assert.deepEqual(value, row.metadata[field], field);
    }
  });
}

/**
 * First 16 digits of the SHA-256 of "question\nanswer\n" of items 0 to 299 of seed 987654321, computed from what reasoning-gym 0.1.25 gives
 * (in the families with words: with this project's words in the place of its own).
 */
const DIGESTS: Readonly<Record<FamilyName, string>> = {
  chain_sum: "3aa27bb29f15c95d",
  decimal_chain_sum: "26aa3218f92d8062",
  products: "67d946c9c4c9ba60",
  basic_arithmetic: "cb09e23b510f06e8",
  gcd: "ebcadd69746999cc",
  lcm: "c235dcf0b7630ba8",
  count_bits: "668367dc27395617",
  base_conversion: "4cb755ab77f49e17",
  fraction_simplification: "2d1b468f9e6c4fff",
  prime_factorization: "1c9d6a143e4fbfd9",
  letter_counting: "b320d84cffa8faf9",
  spell_backward: "4131077b0bcba4c6",
  word_sorting: "13acb59c83ce8778",
  number_sorting: "b2f557a0ed64895c",
  countdown: "bbc047dc1c75bfd0",
  simple_equations: "3c02e80809a9b2b0",
};

for (const family of FAMILY_NAMES) {
  test(`${family}: 300 problems have the digest of reasoning-gym's`, () => {
    const hash = createHash("sha256");
    for (let i = 0; i < 300; i++) {
      const { question, answer } = makeItem(family, 987654321 + i, "default")!;
      hash.update(`${question}\n${answer}\n`);
    }
    assert.equal(hash.digest("hex").slice(0, 16), DIGESTS[family]);
  });
}

/** Well-posed problems of a level. */
function itemsOf(family: FamilyName, level: number | "default", count: number): Item[] {
  const items: Item[] = [];
  for (let i = 0n; items.length < count; i++) {
    const item = makeItem(family, i * 7_000_003n + 11n, level);
    if (item && !item.flaw) items.push(item);
  }
  return items;
}

const ALL_LEVELS = ["default", ...Array.from({ length: LEVELS }, (_, level) => level)] as const;

for (const family of FAMILY_NAMES.filter((name) => name !== "countdown")) {
  test(`${family}: a solver that reads the question alone finds the gold answer, at every level`, () => {
    for (const level of ALL_LEVELS) {
      for (const { question, answer, metadata } of itemsOf(family, level, 60)) {
        const solved = solve(family, question);
        assert.ok(solved !== null, question);
        const { outcome, reason } = scoreAnswer(solved, { family, answer, metadata });
        assert.equal(outcome, "correct", `level ${level}: ${question}: solved ${solved}, gold ${answer}: ${reason}`);
        assert.equal(scoreAnswer(answer, { family, answer, metadata }).outcome, "correct");
      }
    }
  });
}

test("countdown: the gold expression makes the target from all numbers, and a search over four numbers finds a way too", () => {
  for (const level of ALL_LEVELS) {
    const items = itemsOf("countdown", level, 60);
    for (const { question, answer, metadata } of items) {
      const [numbers, target] = [metadata.numbers as number[], metadata.target as number];
      assert.ok(question.includes(numbers.join(", ")) && question.includes(String(target)));
      assert.equal(formatRational(evaluate(answer)), String(target), answer);
      assert.equal(scoreAnswer(answer, { family: "countdown", answer, metadata }).outcome, "correct");
    }
    const small = items.map(({ metadata }) => metadata).filter(({ numbers }) => (numbers as number[]).length <= 4);
    for (const { numbers, target } of small.slice(0, 12)) {
      assert.ok(
        canMake(
          (numbers as number[]).map((n) => rational(n)),
          rational(target as number),
        ),
      );
    }
  }
  const hopeless = [1, 1, 1, 1].map((n) => rational(n));
  assert.equal(canMake(hopeless, rational(24)), false);
});

test("basic_arithmetic: problems whose gold answer is rounded are marked, the exact ones are not", () => {
  // 58 * -3 + 13 + -160 = -321, and -90 / 321 is no whole number; reasoning-gym's answer is -1
  const marked = Array.from({ length: 4000 }, (_, i) => makeItem("basic_arithmetic", i, "default")).filter(
    (item) => item?.flaw,
  );
  assert.ok(marked.length > 10 && marked.length < 120, String(marked.length));
  const wrongGold = marked.filter(
    (item) => formatRational(evaluate(item!.metadata.expression as string)) !== item!.answer,
  );
  assert.ok(wrongGold.length > marked.length / 2, `${wrongGold.length} of ${marked.length}`);
});

test("simple_equations: an equation without its unknown is marked", () => {
  const marked = Array.from({ length: 5000 }, (_, i) => makeItem("simple_equations", i, "default")).filter(
    (item) => item?.flaw,
  );
  assert.ok(marked.length > 0);
  for (const item of marked) assert.equal(solve("simple_equations", item!.question), null, item!.question);
});

test("base_conversion: zero is written 0 in every base", () => {
  // reasoning-gym 0.1.25 leaves the answer empty unless the base is 2 or 16
  const item = makeItem("base_conversion", 987654321 + 955, "default");
  assert.equal(item?.answer, "0");
  assert.match(item!.question, /hexadecimal number 0 to base-4/);
});

for (const family of FAMILY_NAMES) {
  test(`${family}: problems grow from level to level, and no single answer is right in most of them`, () => {
    const levels = Array.from({ length: LEVELS }, (_, level) => itemsOf(family, level, 250));
    const mean = (items: readonly Item[], size: (item: Item) => number) =>
      items.reduce((sum, item) => sum + size(item), 0) / items.length;
    const questions = levels.map((items) => mean(items, ({ question }) => question.length));
    const answers = levels.map((items) => mean(items, ({ answer }) => answer.length));
    for (let level = 1; level < LEVELS; level++) {
      assert.ok(questions[level]! > questions[level - 1]! - 0.5, `question length by level: ${questions}`);
    }
    assert.ok(questions[5]! > questions[0]! + 3 && answers[5]! > 1.2 * answers[0]!, `${questions} ${answers}`);
    levels.forEach((items, level) => {
      const counts = new Map<string, number>();
      for (const { answer } of items) counts.set(answer, (counts.get(answer) ?? 0) + 1);
      const most = Math.max(...counts.values()) / items.length;
      assert.ok(most < (level === 0 ? 0.6 : 0.5), `level ${level}: one answer is right in ${most} of all problems`);
      const different = new Set(items.map(({ key }) => key)).size;
      assert.ok(different >= (level === 0 ? 15 : 50), `level ${level}: ${different} different problems`);
    });
  });
}

test("makeItem: a level that is none is refused", () => {
  assert.throws(() => makeItem("gcd", 1, 6), /gcd: level 6 is outside 0\.\.5/);
});
