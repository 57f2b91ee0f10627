import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../src/utils/errors.ts";
import { judge } from "./judge.ts";

const verdict = (scripts: string[], text: string, options = {}) =>
  judge({ name: "language", scripts, share: 1, ...options }, text);

const TEXTS: [scripts: string[], text: string][] = [
  [["Latin"], "The answer is 5, naïve façade – Ærø."],
  [["Cyrillic"], "Ответ: 5 рублей"],
  [["Han"], "答案是五。"],
  [["Han", "Hiragana", "Katakana"], "データは正しいので、答えは五です。"],
  [["Hangul"], "정답은 5입니다."],
  [["Arabic"], "الجواب هو ٥"],
  [["Devanagari"], "उत्तर पाँच है"],
];

test("language: a text in its own scripts has the full score, in the others' none", () => {
  for (const [scripts, text] of TEXTS) {
    assert.equal(verdict(scripts, text).score, 1, text);
    for (const [others] of TEXTS)
      if (!others.some((script) => scripts.includes(script)))
        assert.equal(verdict(others, text).score, 0, `${others}: ${text}`);
  }
});

test("language: the score is the share of the letters over the share wanted, 1 at most", () => {
  assert.equal(verdict(["Latin"], "abc где").score, 0.5);
  assert.equal(verdict(["Latin"], "abc где", { share: 0.8 }).score, 0.625); // 0.5 / 0.8
  assert.equal(verdict(["Latin"], "abc где", { share: 0.5 }).outcome, "correct");
  assert.equal(verdict(["Latin"], "abc где").reason, "50.0 % of 6 letters are Latin");
});

test("language: digits, marks, mathematical letters and a text without letters count for nothing", () => {
  for (const text of ["", "5 + 5 = 10", "𝑥 = 5", "…"]) assert.equal(verdict(["Han"], text).score, 1, text);
});

test("language: formulas, LaTeX commands, tags and fenced code don't count unless asked", () => {
  const text =
    "<think>因为 $x + abc$ 和 \\[ y \\cdot z \\] 以及 \\boxed{5}</think>\n```python\nprint(5)\n```\n所以答案是五";
  assert.equal(verdict(["Han"], text).score, 1);
  assert.ok(verdict(["Han"], text, { skipMath: false }).score < 0.5);
});

test("language: thoughts and answer can be looked at apart", () => {
  const text = "<think>Let me think.</think>答案是五";
  assert.equal(verdict(["Han"], text, { part: "answer" }).score, 1);
  assert.equal(verdict(["Latin"], text, { part: "thoughts" }).score, 1);
  assert.equal(verdict(["Latin"], "<think>Let me", { part: "thoughts" }).parsed, "100.0 %");
});

test("language: a name that is no script is refused", () => {
  for (const script of ["English", "latin", "Latin}"])
    assert.throws(
      () => verdict([script], ""),
      (error) =>
        error instanceof ConfigError &&
        error.message.includes(`${JSON.stringify(script)}, which is no name of a Unicode script`),
    );
});

test("language: hostile texts of a megabyte are judged", () => {
  for (const piece of ["$", "$$", "\\[", "\\[\\", "```", "`", "<", "\\", "\u202e\u200b", "a$\n"])
    assert.ok(verdict(["Latin"], piece.repeat(1e6 / piece.length)).score >= 0, JSON.stringify(piece));
});
