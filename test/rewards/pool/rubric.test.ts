import assert from "node:assert/strict";
import { test } from "node:test";
import { createRubric, type Reward, rubric } from "../../../src/rewards/index.ts";
import type { Scorable } from "../../../src/rewards/types.ts";

const completion = (text: string): Scorable => ({
  task: { id: "t", set: "s", prompt: "", answer: "yes", data: {} },
  text,
  stop: "eos",
  tokens: 1,
});
const constant = (name: string, score: number): Reward => ({
  name,
  score: () => ({ outcome: "correct", score, reason: "" }),
});

test("rubric: the weighted sum of the scores; weight 0 is a metric only", async () => {
  const { reward, terms } = await rubric([
    { reward: constant("a", 1), weight: 1 },
    { reward: constant("b", 0.5), weight: -0.5 },
    { reward: constant("c", 1), weight: 0 },
  ]).score(completion(""));
  assert.equal(reward, 0.75); // 1·1 − 0.5·0.5
  assert.deepEqual(Object.keys(terms), ["a", "b", "c"]);
});

test("rubric: what can't be judged has no reward, unless it has no weight", async () => {
  const nan = constant("nan", Number.NaN);
  const good = { reward: constant("a", 1), weight: 1 };
  assert.equal((await rubric([good, { reward: nan, weight: 1 }]).score(completion(""))).reward, null);
  const { reward, terms, outcome } = await rubric([{ reward: nan, weight: 0 }, good]).score(completion(""));
  assert.deepEqual([reward, outcome, terms.nan!.outcome], [1, "correct", "error"]);
});

test("rubric: an asynchronous reward has a deadline, one that bounds itself has none", async () => {
  const score: Reward["score"] = () =>
    new Promise((resolve) => setTimeout(() => resolve({ outcome: "correct", score: 1, reason: "" }), 60));
  const outcomeOf = async (reward: Reward) =>
    (await rubric([{ reward, weight: 1 }], { deadlineMs: 5 }).score(completion(""))).outcome;
  assert.equal(await outcomeOf({ name: "slow", score }), "timeout");
  assert.equal(await outcomeOf({ name: "slow", score, isBounded: true }), "correct");
});

test("createRubric: a pattern that backtracks without end is killed, cheap rewards need no thread", async () => {
  const cheap = createRubric([{ name: "exact-match", weight: 1, from: "text", ignoreCase: false }]);
  assert.equal((await cheap.score(completion("yes"))).reward, 1);
  assert.equal(cheap.stats(), null);
  const mixed = createRubric([
    { name: "exact-match", weight: 1, from: "text", ignoreCase: false },
    { name: "format", weight: 0, style: "pattern", pattern: "^(a+)+$", ended: false },
  ]);
  const [fine, hung] = await Promise.all([
    mixed.score(completion("yes")),
    mixed.score(completion(`${"a".repeat(60)}b`)),
  ]);
  assert.deepEqual([fine.reward, fine.terms.format!.outcome], [1, "wrong"]);
  assert.deepEqual([hung.reward, hung.terms.format!.outcome], [0, "timeout"]);
  assert.equal(mixed.stats()!.threadsKilled, 1);
  await mixed.close();
});
