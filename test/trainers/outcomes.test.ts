import assert from "node:assert/strict";
import { test } from "node:test";
import type { Outcome, RubricResult, ScoredTerm } from "../../src/rewards/index.ts";
import { FilterConfig, ObjectiveConfig } from "../../src/trainers/config.ts";
import { dropFailedGroups, groupsWithSignal, judge, type ScoredCompletion } from "../../src/trainers/group-filter.ts";
import { rewardMetrics } from "../../src/trainers/rollout-metrics.ts";
import { placeRows } from "../../src/trainers/step-rows.ts";

type Verdicts = Readonly<Record<string, readonly [outcome: Outcome, score: number, weight: number]>>;

/** What a rubric says of these verdicts. */
function result(verdicts: Verdicts): RubricResult {
  const terms = Object.fromEntries(
    Object.entries(verdicts).map(([name, [outcome, score, weight]]): [string, ScoredTerm] => [
      name,
      { outcome, score, weight, reason: "", ms: 0 },
    ]),
  );
  const weighted = Object.values(terms).filter(({ weight }) => weight !== 0);
  const judged = weighted.every(({ outcome }) => outcome === "correct" || outcome === "wrong");
  const reward = judged ? weighted.reduce((sum, { weight, score }) => sum + weight * score, 0) : null;
  return { reward, outcome: weighted[0]!.outcome, terms };
}

function row(group: number, member: number, verdicts: Verdicts, outcomes: object = {}): ScoredCompletion {
  const completion = { group, member, ids: [1, 2, 3], stop: "eos" };
  return judge(completion as never, result(verdicts), FilterConfig.parse({ outcomes }), 8);
}

const main = (outcome: Outcome): Verdicts => ({ main: [outcome, outcome === "correct" ? 1 : 0, 1] });

test("judge: what could not be judged is masked by default, whatever the outcome", () => {
  for (const outcome of ["unparseable", "timeout", "error"] as const) {
    const { use, reward, scored } = row(0, 0, main(outcome));
    assert.deepEqual([use, reward, scored.reward], ["unscorable", null, null]);
  }
});

test("judge: an outcome that counts as wrong trains with score 0; what the other rewards gave stays", () => {
  const verdicts: Verdicts = { main: ["unparseable", 0, 1], format: ["correct", 1, 0.25], seen: ["error", 0, 0] };
  const { use, reward, scored } = row(0, 0, verdicts, { unparseable: "wrong" });
  assert.deepEqual([use, reward, scored.reward, scored.outcome], ["trained", 0.25, 0.25, "unparseable"]);
  assert.equal(row(0, 0, verdicts, { timeout: "wrong" }).use, "unscorable", "another outcome's policy");
});

test("judge: a failed reward counts as 0, also when it claims a score", () => {
  assert.equal(row(0, 0, { main: ["error", 0.7, 1] }, { error: "wrong" }).reward, 0);
});

test("judge: several failures take the strictest policy; a failed metric of weight 0 changes nothing", () => {
  const both: Verdicts = { a: ["timeout", 0, 1], b: ["unparseable", 0, 1] };
  assert.equal(row(0, 0, both, { timeout: "wrong", unparseable: "mask" }).use, "unscorable");
  assert.equal(row(0, 0, both, { timeout: "wrong", unparseable: "wrong" }).reward, 0);
  assert.equal(row(0, 0, { a: ["correct", 1, 1], b: ["error", 0, 0] }, { error: "drop-group" }).use, "trained");
});

test("dropFailedGroups: the whole group leaves the loss, others stay, and it has no signal for dynamic sampling", () => {
  const outcomes = { error: "drop-group" } as const;
  const rows = [
    row(0, 0, main("correct"), outcomes),
    row(0, 1, main("wrong"), outcomes),
    row(0, 2, main("error"), outcomes),
    row(1, 0, main("correct"), outcomes),
    row(1, 1, main("wrong"), outcomes),
    row(1, 2, main("timeout"), outcomes),
  ];
  const filter = FilterConfig.parse({ outcomes });
  const dropped = dropFailedGroups(rows, filter);
  assert.deepEqual(
    dropped.map(({ use }) => use),
    ["failed-group", "failed-group", "unscorable", "trained", "trained", "unscorable"],
  );
  assert.deepEqual([...groupsWithSignal(dropped)], [1]);
  const objective = ObjectiveConfig.parse({ advantage: { name: "dr-grpo" }, filter: { outcomes } });
  const placed = placeRows({ rows: dropped, auxiliary: [] }, objective, null, null);
  assert.deepEqual(
    placed.all.map(({ advantage }) => advantage),
    [0, 0, 0, 0.5, -0.5, 0],
  );
  assert.equal(placed.training.length, 2);
});

test("rewardMetrics: shares of the variance add up to 1, with a term that counts as wrong too", () => {
  const outcomes = { unparseable: "wrong" } as const;
  const rows = [
    row(0, 0, { main: ["correct", 1, 1], form: ["wrong", 0, 0.5] }, outcomes),
    row(0, 1, { main: ["unparseable", 0, 1], form: ["correct", 1, 0.5] }, outcomes),
    row(0, 2, { main: ["wrong", 0, 1], form: ["wrong", 0, 0.5] }, outcomes),
    row(0, 3, { main: ["error", 0, 1], form: ["correct", 1, 0.5] }, outcomes),
  ];
  const metrics = rewardMetrics({
    completions: rows.map(({ completion }) => completion),
    scored: rows.map(({ scored }) => scored),
    advantages: [[1], [0], [-1], [0]],
    masked: rows.map(({ use }) => use !== "trained"),
  });
  // rewards 1, .5, 0 of mean .5: centred .5, 0, -.5; main 1, 0, 0 centred 2/3, -1/3, -1/3: (1/3 + 1/6) / .5 = 1; form: 0
  assert.ok(Math.abs((metrics["rewards/main/signal_share"] as number) - 1) < 1e-12);
  assert.ok(Math.abs(metrics["rewards/form/signal_share"] as number) < 1e-12);
  assert.deepEqual(
    ["correct", "wrong", "unparseable", "timeout", "error"].map((name) => metrics[`reward_outcome/${name}`]),
    [0.25, 0.25, 0.25, 0, 0.25],
  );
  assert.equal(metrics["signal/masked_completions"], 0.25);
  assert.equal(metrics.reward, 0.5);
});
