import assert from "node:assert/strict";
import { test } from "node:test";
import { ObjectiveConfig } from "../../src/trainers/config.ts";
import { runCase } from "../../src/trainers/conformance.ts";
import { caseProblem } from "../../src/trainers/conformance-files.ts";
import { openObjective } from "../../src/trainers/objective.ts";
import { type CaseRow, caseOf, evaluate, near, one } from "../support/objective-case.ts";

const rows = (): CaseRow[] => [
  { group: 0, reward: 1, tokens: [0, 1].map((o) => ({ z: [1, 0.5, -1], o, old: [0.8, 0.7, -1.2], turn: o })) },
  { group: 0, reward: 0, tokens: [{ z: [0, 0.4, 2], o: 2, old: [0.3, 0.1, 1.5], turn: 0 }] },
];

test("conformance: whatever is written at masked positions is read by nothing, turns and draws included", async () => {
  const given = caseOf(rows(), { control: { name: "epo", variant: "released", gateTurn: null, leftPad: false } });
  const batch = given.batch!;
  batch.turns![1]![1] = -7.5;
  batch.chosen = [
    [0, 0],
    [0, 3],
  ];
  assert.equal(caseProblem({ ...given, expect: { loss: 0 } }), null);
  const { loss, metrics } = await runCase(given, "float64");
  const clean = await evaluate(rows(), { control: given.control });
  assert.deepEqual([loss, metrics], [clean.loss, clean.metrics]);
  batch.turns![0]![1] = -7.5; // a live token
  assert.match(
    caseProblem({ ...given, expect: { loss: 0 } })!,
    /^batch\.turns\[0\]\[1\]: must be a turn index, or -1, /,
  );
});

test("siren: numbers that overflow in the slot after a row's end reach no other term, in both float types", async () => {
  const control = { name: "siren", padLeak: true, coefficient: 1 };
  for (const estimator of ["k2", "full"])
    for (const floatType of ["float64", "float32"] as const) {
      const objective = { kl: { estimator, coefficient: 0.1 } };
      const withReference = rows().map((row) => ({
        ...row,
        tokens: row.tokens.map((token) => ({ ...token, reference: [0.5, 0, 0.1] })),
      }));
      const given = caseOf(withReference, { objective, control, state: { anchor: 0.3 } });
      const plain = await runCase(given, floatType);
      const batch = given.batch!;
      batch.refLogp = batch.tokens.map((row) => row.map(() => -1));
      const expected = await runCase(given, floatType);
      batch.refLogits![1]![1] = [1e300, -1e300, 1e300];
      batch.refLogp[1]![1] = 1e300;
      batch.oldLogp = undefined;
      assert.deepEqual(await runCase(given, floatType), expected, `${estimator}, ${floatType}`);
      assert.notDeepEqual(plain.terms, estimator === "full" ? null : expected.terms);
    }
});

test("aepo: the number of candidates counts whatever the threshold, and none of them is a wrong row", async () => {
  const plan = async (options: object, candidates: number, entropy: number) => {
    const { batch: _none, ...given } = caseOf([], { control: { name: "aepo", ...options }, state: { entropy } });
    return ((await runCase({ ...given, candidates }, "float64")).knobs as Record<string, number>).auxiliaryRows;
  };
  assert.equal(await plan({ threshold: 0.9 }, 61, 0.3), 60);
  assert.equal(await plan({ threshold: 0.9 }, 61, 0.7), 30);
  assert.equal(await plan({ threshold: -5, maxRows: 100 }, 7, 0.3), 7);
});

test("aepo: a case with a batch and an auxiliary pool has the results of both", async () => {
  const auxiliaryPool = { groups: [0, 0, 0], rewards: [0, 1, 0] };
  const given = caseOf(rows(), { control: { name: "aepo" }, state: { entropy: 0.3 } });
  const { chosenRows, knobs, loss } = await runCase({ ...given, auxiliaryPool }, "float64");
  assert.deepEqual([chosenRows, knobs], [[1], { temperature: 1.2, auxiliaryRows: 1 }]);
  assert.equal(typeof loss, "number");
});

test("importance: auxiliary rows keep weight 1, others are corrected", async () => {
  const importance = { name: "token-tis", cap: 10 };
  const batch = (mismatch: number) => [
    one([1, 0], 0, { group: 0, reward: 1, mismatch: 0.5 }),
    one([0.3, 0], 1, { group: 0, reward: 0, mismatch, auxiliary: true }),
  ];
  const run = (mismatch: number) => evaluate(batch(mismatch), { objective: { importance }, control: { name: "aepo" } });
  assert.deepEqual((await run(1)).dLogits, (await run(-2)).dLogits);
  near((await run(1)).terms.policy, (-Math.exp(0.5) * 1 - 1) / 2);
});

test("conformance: an importance correction without the sampler's log-probs is named", () => {
  const given = caseOf(rows(), { objective: { importance: { name: "token-tis" } } });
  assert.equal(
    caseProblem({ ...given, expect: { loss: 0 } }),
    "batch.rolloutLogp: is missing, objective.importance needs it",
  );
});

test("epo released: with gateTurn null every micro-batch is open, also one without a live token", async () => {
  const empty = { group: 1, reward: 0, tokens: [{ z: [0, 0, 0], o: 0, live: false }] };
  const options = { microBatches: [[0, 1], [2]], state: { history: [] } };
  const gate = async (gateTurn: number | null): Promise<number> => {
    const control = { name: "epo", variant: "released", gateTurn };
    return (await evaluate([...rows(), empty], { ...options, control })).metrics["epo/gate_open"]!;
  };
  assert.deepEqual([await gate(null), await gate(1), await gate(2)], [1, 0.5, 0]);
});

test("options at the border of their range are defined: ratio 0 keeps one token, topP 0 none or the most probable one", async () => {
  const forking = await evaluate(rows(), { control: { name: "forking-tokens", ratio: 0 } });
  assert.equal(
    forking.selected!.flat().reduce((a, b) => a + b),
    1,
  );
  for (const variant of ["released", "paper"]) {
    const { metrics } = await evaluate(rows(), {
      control: { name: "siren", variant, topP: 0, coefficient: 1 },
      state: { anchor: 0.5 },
    });
    near(metrics["siren/term"], 0.25);
  }
  const weights = { name: "epo", variant: "released", smoothWeights: true, weightSteps: 0 };
  assert.equal((await evaluate(rows(), { control: weights, step: 5 })).metrics["epo/weight"], 1);
});

test("loss metrics: importance weights as used, and the share of tokens at the dual clip", async () => {
  const tokens = [-1, 0, 0.5, 1].map((mismatch, o) => ({ z: [1, 0.5, 0, -1], o, mismatch, logRatio: o === 3 ? 2 : 0 }));
  const loss = { name: "clip", dualClip: 3 };
  const { metrics } = await evaluate([{ reward: -1, tokens }], {
    objective: { loss, importance: { name: "token-tis", cap: 2 } },
  });
  near(metrics["sampling/importance_sampling_ratio/min"], Math.exp(-1), 1e-12);
  near(metrics["sampling/importance_sampling_ratio/mean"], (Math.exp(-1) + 1 + Math.exp(0.5) + 2) / 4, 1e-12);
  assert.equal(metrics["sampling/importance_sampling_ratio/max"], 2);
  assert.equal(metrics["actor/pg_clipfrac_lower"], 0.25); // exp(2) is above 3
  const plain = await evaluate([{ reward: -1, tokens }]);
  assert.deepEqual(Object.keys(plain.metrics).sort(), [
    "clip_ratio/high_mean",
    "clip_ratio/low_mean",
    "clip_ratio/region_mean",
  ]);
});

test("openObjective: bounds of an importance mask that nothing is between are refused", async () => {
  const objective = ObjectiveConfig.parse({ importance: { name: "token-mis", low: 3 } });
  await assert.rejects(openObjective({ objective, control: null, oldIsCurrent: true }), {
    name: "ConfigError",
    message: "objective.importance: low (3) must be at most high (2), or every token is masked",
  });
});
