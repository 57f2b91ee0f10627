import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "./judge.ts";

const verdict = (text: string, options = {}) => judge({ name: "repetition", n: 2, threshold: 0, ...options }, text);
const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);

test("repetition: the score is the share of different n-grams", () => {
  near(verdict("a b c d").score, 1); // ab bc cd
  near(verdict("a b a b a").score, 2 / 4); // ab ba ab ba
  near(verdict("so so so so so").score, 1 / 4);
  near(verdict("So so SO").score, 1 / 2); // case makes no difference
  near(verdict("a b c a b c", { n: 3 }).score, 3 / 4); // abc bca cab abc
  assert.equal(verdict("a b a b a").reason, "50.0 % of the 2-grams are repeated");
});

test("repetition: up to the threshold the score is 1, then it falls linearly to 0", () => {
  // r = 1/2: (1 − 1/2) / (1 − t)
  near(verdict("a b a b a", { threshold: 0.5 }).score, 1);
  near(verdict("a b a b a", { threshold: 0.25 }).score, 2 / 3);
  assert.equal(verdict("a b a b a", { threshold: 0.5 }).outcome, "correct");
  assert.equal(verdict("a b a b a", { threshold: 0.25 }).outcome, "wrong");
});

test("repetition: a text of fewer than n units repeats nothing", () => {
  for (const text of ["", "one", " \n "]) assert.equal(verdict(text).score, 1);
});

test("repetition: marks are units, and letters of scripts that put no blanks between words", () => {
  near(verdict("!!!!!").score, 1 / 4);
  near(verdict("好好好好好").score, 1 / 4);
  near(verdict("学而时习之").score, 1);
  near(verdict("aaaaa").score, 1); // one word
});

test("repetition: only the part asked for is read", () => {
  const text = "<think>a a a a a</think>b c d";
  near(verdict(text, { part: "answer" }).score, 1);
  near(verdict(text, { part: "thoughts" }).score, 1 / 4);
});

test("repetition: farmed texts of a megabyte end near 0, whatever they are made of", () => {
  for (const piece of ["ha ", "the answer is 5. ", "!", "\u200b", "😀", "好"])
    assert.ok(verdict(piece.repeat(1e6 / piece.length)).score < 1e-3, JSON.stringify(piece));
});
