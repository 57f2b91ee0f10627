import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareAnswers } from "../../../src/rewards/math/index.ts";
import { expressions } from "./expressions.ts";
import { dataRows, isSame, judge, pairsByFamily } from "./support.ts";

const RUNS = { numRuns: 150, seed: 11 };
const numbers = expressions([]);
const functions = expressions(["x", "y"]);

test("math: every expression is equal to itself and to itself written in another way", () => {
  for (const generated of [numbers, functions])
    fc.assert(
      fc.property(generated, ({ plain, other }) => {
        assert.ok(isSame(plain, plain), plain);
        assert.ok(isSame(plain, other), `${plain} against ${other}`);
      }),
      RUNS,
    );
});

test("math: gold and answer exchanged have the same outcome, equal or not", () => {
  fc.assert(
    fc.property(functions, functions, ({ plain: a, other }, { plain: b }) => {
      for (const [gold, answer] of [
        [a, b],
        [a, other],
        [a, `${other} + 1`],
      ] as const)
        assert.equal(isSame(gold, answer), isSame(answer, gold), `${gold} against ${answer}`);
    }),
    RUNS,
  );
});

test("math: an expression is not equal to itself plus something that is not 0", () => {
  const shift = fc.constantFrom("+ 1", "- \\frac{1}{1000}", "+ 10^{-30}", "+ \\pi", "- x");
  fc.assert(
    fc.property(functions, shift, ({ plain }, added) => {
      assert.ok(!isSame(plain, `${plain} ${added}`), `${plain} ${added}`);
    }),
    RUNS,
  );
});

test("math: lists and sets are equal in any order, tuples only in their own", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 6 }), (items) => {
      const turned = [...items].reverse();
      assert.ok(isSame(items.join(", "), turned.join(", ")));
      assert.ok(isSame(`\\{${items.join(",")}\\}`, turned.join(" \\text{ and } ")));
      assert.ok(!isSame(`(${items.join(",")})`, `(${turned.join(",")})`));
      assert.ok(!isSame(items.join(", "), turned.slice(1).join(", ")));
    }),
    RUNS,
  );
});

/** Other ways to set the same answer. */
const FORMATS: readonly ((answer: string) => string)[] = [
  (answer) => ` ${answer}  `,
  (answer) => `${answer}.`,
  (answer) => `$${answer}$`,
  (answer) => `\\(${answer}\\)`,
  (answer) => `\\[ ${answer} \\]`,
  (answer) => `\\displaystyle ${answer}`,
  (answer) => `{${answer}}`,
  (answer) => answer.replaceAll("\\frac", "\\dfrac"),
  (answer) => answer.replaceAll("\\frac", "\\tfrac"),
  (answer) => answer.replaceAll("(", "\\left(").replaceAll(")", "\\right)"),
  (answer) => answer.replaceAll("(", "\\bigl( ").replaceAll(")", " \\bigr)"),
  (answer) => answer.replaceAll(" + ", "+").replaceAll(" - ", "\\, - \\,"),
];

test("math: spaces, dollars, dfrac, left and right, braces and a full stop never change the outcome", () => {
  fc.assert(
    fc.property(functions, functions, fc.boolean(), ({ plain, other }, another, equal) => {
      const answer = equal ? other : another.plain;
      const { outcome } = compareAnswers(plain, answer);
      for (const format of FORMATS)
        assert.equal(compareAnswers(plain, format(answer)).outcome, outcome, `${plain} against ${format(answer)}`);
    }),
    { numRuns: 60, seed: 5 },
  );
});

const LAYOUTS: readonly ((boxed: string) => string)[] = [
  (boxed) => `$\\boxed{${boxed}}$`,
  (boxed) => `$$\\boxed{ ${boxed} }$$.`,
  (boxed) => `\\[\n\\boxed{${boxed}}.\n\\]`,
  (boxed) => `The answer is $\\boxed{${boxed}}$, as was to be shown.`,
  (boxed) => `<think>\nMaybe \\boxed{0}.\n</think>\n\n**Final answer:** $\\boxed{${boxed}}$`,
  (boxed) => `\\boxed{${boxed.replaceAll("\\frac", "\\dfrac")}}`,
];

test("math: what stands around a box never changes the outcome, for any family", () => {
  for (const [family, pairs] of pairsByFamily())
    for (const { gold, text, isEqual } of pairs.filter((_, i) => i % 3 === 0)) {
      const [, content] = /^So we get \$\\boxed\{(.*)\}\$\.$/.exec(text) ?? [];
      if (content === undefined) continue;
      for (const layout of LAYOUTS)
        assert.equal(
          judge(gold, layout(content)).outcome === "correct",
          isEqual,
          `${family}: ${gold}, ${layout(content)}`,
        );
    }
});

test("math: every gold answer of the data file is equal to itself", () => {
  for (const gold of new Set(dataRows().map((row) => row.gold))) assert.ok(isSame(gold, gold), gold);
});
