import assert from "node:assert/strict";
import { test } from "node:test";
import { completeRecipe, RecipeSchema } from "../../src/run/recipe.ts";
import type { RunData } from "../../src/run/report/data.ts";
import { rewardSpecs } from "../../src/run/report/reward-curves.ts";
import { rewardsSection } from "../../src/run/report/rewards.ts";
import type { SampleRow } from "../../src/trainers/types.ts";

const recipe = completeRecipe(
  RecipeSchema.parse({
    model: "seedling",
    tasks: { train: { name: "countdown" } },
    rewards: [{ name: "countdown" }, { name: "format", weight: 0.25 }, { name: "exact-match", weight: 0 }],
    objective: { filter: { outcomes: { unparseable: "wrong" } } },
    optimizer: { name: "adamw", lr: 0.1 },
    steps: 2,
  }),
);

/** Metrics of a step; shares of the outcomes and of the variance. */
const row = (step: number, correct: number, share: number, more: object = {}) => ({
  step,
  "reward_outcome/correct": correct,
  "reward_outcome/wrong": 0.5,
  "reward_outcome/unparseable": 0.5 - correct,
  "reward_outcome/timeout": 0,
  "reward_outcome/error": 0,
  "signal/frac_useful_groups": share === 0 ? 0 : 1,
  "rewards/countdown/mean": correct,
  "rewards/countdown/signal_share": share,
  "rewards/format/mean": 0.5,
  "rewards/format/signal_share": 1 - share,
  "rewards/exact-match/mean": 0.125,
  "rewards/exact-match/signal_share": 0,
  "hack/judge-text": 0,
  "hack/many-answers": correct,
  ...more,
});

const flagged = {
  ...{ step: 2, task: "countdown/<7>", group: 0, member: 3, text: "<b>1</b>".repeat(200) },
  rewards: { countdown: { outcome: "correct", score: 1, reason: "" } },
  flags: { "many-answers": "4 answers: 1 | <i>" },
} as unknown as SampleRow;

const run = {
  recipe,
  rows: [{ step: 0 }, row(1, 0, 0), row(2, 0.25, 0.75), row(3, 0.5, 0.25)],
  flagged: new Map([["many-answers", { count: 9, rows: [flagged] }]]),
} as unknown as RunData;

/** The texts of the cells of the row that a name begins. */
function cells(html: string, name: string): string[] {
  const found = new RegExp(`<th scope="row">${name}</th>(.*?)</tr>`).exec(html);
  assert.ok(found, `no row ${name}`);
  return [...found[1]!.matchAll(/<td[^>]*>(.*?)<\/td>/g)].map(([, text]) => text!.replaceAll("\u2009", " "));
}

test("rewardsSection: outcomes with what the recipe does with them, terms with their share of the variance", () => {
  const html = rewardsSection(run);
  assert.deepEqual(cells(html, "correct"), ["0.0 %", "50.0 %", "25.0 %", "trains"]);
  assert.deepEqual(cells(html, "unparseable"), ["50.0 %", "0.0 %", "25.0 %", "counts as 0"]);
  assert.deepEqual(cells(html, "timeout").at(-1), "masked");
  // mean of .75 and .25: the first step has no signal
  assert.deepEqual(cells(html, "countdown"), ["1", "0", "0.5", "0.25", "50.0 %"]);
  assert.deepEqual(cells(html, "format"), ["0.25", "0.5", "0.5", "0.5", "50.0 %"]);
  assert.deepEqual(cells(html, "exact-match"), ["0: metric only", "0.125", "0.125", "0.125", "0.0 %"]);
});

test("rewardsSection: detectors that ran, how often they saw something, and escaped rows that show it", () => {
  const html = rewardsSection(run);
  assert.deepEqual(cells(html, "judge-text").slice(1), ["none", "0.0 %", "0.0 %"]);
  assert.deepEqual(cells(html, "many-answers").slice(1), ["2 of 3", "50.0 %", "50.0 %"]);
  assert.doesNotMatch(html, /<th scope="row">test-tampering/, "it applied to nothing");
  assert.match(html, /step 2 · countdown\/&lt;7&gt; · completion 3 · correct/);
  assert.match(html, /<b>seen<\/b> 4 answers: 1 \| &lt;i&gt;/);
  assert.match(html, /9 completions/);
  assert.ok(!html.includes("<b>1</b>") && html.length < 9000);
});

test("rewardsSection: a curriculum's levels; nothing for a run without rewards", () => {
  const levels = (level: number, rate: object) => ({ "curriculum/gcd/level": level, ...rate });
  const rows = [row(1, 0, 0, levels(0, { "curriculum/gcd/pass_rate": 1 })), row(2, 0, 0, levels(0.5, {}))];
  assert.deepEqual(cells(rewardsSection({ ...run, rows }), "gcd"), ["0", "0.5", "100.0 %"]);
  assert.equal(rewardsSection({ ...run, rows: [{ step: 1 }] }), "");
});

test("rewardSpecs: charts for what was logged, and no more lines than can be told apart", () => {
  const ids = (names: string[]) => rewardSpecs(names).map(({ id }) => id);
  assert.deepEqual(ids(["rewards/a/mean", "rewards/a/signal_share", "reward"]), [], "one term is the reward itself");
  assert.deepEqual(ids(["rewards/a/mean", "rewards/b/mean", "hack/judge-text"]), ["reward-terms", "hacks"]);
  const families = Array.from({ length: 7 }, (_, i) => `curriculum/f${i}/level`);
  assert.deepEqual([ids(families.slice(1)), ids(families)], [["curriculum"], []]);
});
