import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlConfig, openControl } from "../../../src/entropy-control/index.ts";
import { ObjectiveConfig } from "../../../src/trainers/config.ts";
import { runCase } from "../../../src/trainers/conformance.ts";
import type { ScoredCompletion } from "../../../src/trainers/group-filter.ts";
import { placeRows } from "../../../src/trainers/step-rows.ts";
import { createRng } from "../../../src/utils/rng.ts";
import {
  type CaseRow,
  caseOf,
  dot,
  entropyGradient,
  evaluate,
  logpAt,
  logpGradient,
  near,
  one,
  scaled,
  softmax,
} from "../../support/objective-case.ts";

const F4 = [1, 0.5, 0, -1];

function randomRows(): CaseRow[] {
  const rng = createRng("aepo");
  return [1, 0, 0, 1].map((reward, i) => ({
    ...{ group: Math.floor(i / 2), reward },
    tokens: Array.from({ length: 3 + i }, () => ({
      z: Array.from({ length: 4 }, () => rng.normal()),
      o: rng.int(0, 3),
      logRatio: 0.3 * rng.normal(),
    })),
  }));
}

test("7.13 AEPO: without an auxiliary row the loss and gradient are GRPO's to the last bit, in both forms", async () => {
  const objective = { advantage: { name: "grpo" } };
  const base = await evaluate(randomRows(), { objective });
  for (const control of [
    { name: "aepo" },
    { name: "aepo", variant: "scope" },
    { name: "aepo", variant: "scope", alpha: 0 },
  ]) {
    const { loss, dLogits } = await evaluate(randomRows(), { objective, control });
    assert.equal(loss, base.loss);
    assert.ok(dLogits.flat(2).every((x, i) => x === base.dLogits.flat(2)[i]));
  }
});

/** A completion of one token; only what placing rows looks at is of interest. */
function completion(group: number, member: number, reward: number): ScoredCompletion {
  const one = Float32Array.of(0);
  return {
    completion: {
      task: { id: `${group}`, prompt: "", data: {} } as never,
      ...{ group, member, promptIds: [0], ids: [1], logp: one, policyLogp: one, entropy: one, text: "", stop: "eos" },
    },
    scored: { reward, terms: {} } as never,
    reward,
    use: "trained",
  };
}

test("7.13 AEPO: s rows are replaced at the front, the batch keeps its size, row s is an original", async () => {
  const rows = [1, 0, 0, 1, 1, 1].map((reward, i) => completion(Math.floor(i / 3), i % 3, reward));
  const auxiliary = [0, 1, 0].map((reward, i) => completion(0, i, reward));
  const { control } = await openControl(ControlConfig.parse({ name: "aepo" }), { loss: { name: "clip" } });
  const objective = ObjectiveConfig.parse({});
  const placed = placeRows({ rows, auxiliary }, objective, control, { entropy: 0 });
  assert.equal(placed.training.length, rows.length);
  assert.deepEqual(
    placed.training.map((row) => [row.auxiliary, row.completion === rows[placed.training.indexOf(row)]?.completion]),
    [[true, false], ...[1, 2, 3, 4, 5].map(() => [false, true])],
  );
  assert.equal(placed.training[0]!.completion, auxiliary[1]!.completion);
  assert.equal(placed.training[0]!.advantage, 1);
  // the displaced row's group keeps its statistics: (0 - 1/3) / (std of [1, 0, 0] + 1e-6)
  near(placed.training[1]!.advantage, -1 / 3 / (Math.sqrt(1 / 3) + 1e-6), 1e-12);
  const none = placeRows({ rows, auxiliary: [0, 0, 0].map((r, i) => completion(0, i, r)) }, objective, control, {
    entropy: 0,
  });
  assert.deepEqual(
    none.training.map((row) => row.completion),
    rows.map((row) => row.completion),
  );
});

/** What the control plans in a state. */
async function planOf(control: object, entropy: number, more: object = {}) {
  const given = { ...caseOf([], { control: { name: "aepo", ...control }, state: { entropy } }), ...more };
  const { batch: _none, ...planOnly } = given;
  return (await runCase(planOnly, "float64")) as { knobs: Record<string, number>; chosenRows?: number[] };
}

test("7.14 AEPO: temperatures of the two controllers, and half of the rows above the target", async () => {
  for (const [entropy, temperature] of [
    [0, 1.2],
    [0.5, 1.2],
    [0.5000001, 0.8],
  ] as const)
    near((await planOf({}, entropy)).knobs.temperature, temperature, 0);
  assert.equal((await planOf({}, 0.5, { candidates: 61 })).knobs.auxiliaryRows, 60);
  assert.equal((await planOf({}, 0.5000001, { candidates: 61 })).knobs.auxiliaryRows, 30);
  assert.equal((await planOf({}, 0.5000001, { candidates: 0 })).knobs.auxiliaryRows, 0);
  for (const [entropy, temperature] of [
    [0, 1.2],
    [0.3, 1.2],
    [0.45, 1.05],
    [0.5, 1],
    [0.6, 0.9],
    [0.7, 0.8],
    [1, 0.8],
  ] as const)
    near((await planOf({ variant: "scope" }, entropy)).knobs.temperature, temperature, 1e-15);
});

test("7.15 AEPO: rows that qualify are the right ones of mixed groups; none is no error", async () => {
  const chosen = async (rewards: number[]) =>
    (await planOf({}, 0, { auxiliaryPool: { groups: rewards.map(() => 0), rewards } })).chosenRows;
  assert.deepEqual(await chosen([1, 1, 1, 1, 1]), []);
  assert.deepEqual(await chosen([0, 1, 0, 0, 0]), [1]);
  assert.deepEqual(await chosen([0, 0, 0, 0, 0]), []);
  assert.deepEqual(await chosen([]), []);
});

test("7.16 AEPO: the gradient of an auxiliary token at r = 1, above 1.2 and below 0.8", async () => {
  const ratios = [1, 1.3, 0.5];
  const tokens = ratios.map((r) => ({ z: F4, o: 2, logRatio: Math.log(r) }));
  const rows = [{ auxiliary: true, tokens }, one(F4, 0)]; // four tokens in all, the second row has A = 0
  const { dLogits } = await evaluate(rows, { control: { name: "aepo" } });
  [1, 0, 0.5].forEach((factor, t) => {
    near(dLogits[0]![t], scaled(logpGradient(F4, 2), -factor / 4), 1e-12, `r = ${ratios[t]}`);
  });
});

test("7.16 AEPO: the old log-prob of an auxiliary row is that of T = 1, whatever it was sampled at", async () => {
  const sampledAt = F4.map((x) => x / 1.2);
  const mismatch = logpAt(F4, 2) - logpAt(sampledAt, 2);
  assert.ok(Math.abs(mismatch) > 0.01);
  const rows = [one(F4, 2, { auxiliary: true, mismatch, old: F4 })];
  const { dLogits, metrics } = await evaluate(rows, { control: { name: "aepo" } });
  near(dLogits[0]![0], scaled(logpGradient(F4, 2), -1), 1e-12); // r = 1; with the other log-prob it would be exp(mismatch)
  assert.equal(metrics["aepo/temperature"], 1.2);
});

/** ∇ℓ(o) for every o of a vocabulary, from the graph: the gradient of −A ℓ with A = −1. */
async function scores(z: readonly number[]): Promise<number[][]> {
  const rows = z.map((_, o) => one(z, o, { reward: -z.length })); // the mean over V tokens takes the V away again
  const { dLogits } = await evaluate(rows, { objective: { loss: { name: "reinforce" } } });
  return dLogits.map((row) => [...row[0]!]);
}

test("7.17 AEPO: score identity at F4: the drift of samples at T is pi^T - pi and raises entropy for T > 1 only", async () => {
  const gradients = await scores(F4);
  const drift = (p: readonly number[]): number[] =>
    F4.map((_, j) => p.reduce((sum, x, o) => sum + x * gradients[o]![j]!, 0));
  near(drift(softmax(F4)), [0, 0, 0, 0], 1e-15);
  for (const [temperature, expected, inner] of [
    [1.2, [-0.0359159, 0.00130682, 0.0160151, 0.01859398], 0.01101876],
    [0.8, [0.05126028, -0.00634331, -0.02388452, -0.02103245], -0.0153458],
  ] as const) {
    const got = drift(softmax(F4.map((x) => x / temperature)));
    near(got, [...expected]);
    near(dot(got, entropyGradient(F4)), inner);
  }
});

test("7.17 AEPO: the drift's inner product with the entropy gradient has the sign of T - 1 for 5,000 random policies", () => {
  const rng = createRng("drift");
  for (let i = 0; i < 5000; i++) {
    const z = Array.from({ length: rng.int(2, 8) }, () => 2 * rng.normal());
    const p = softmax(z);
    for (const temperature of [0.8, 1.2]) {
      const drift = softmax(z.map((x) => x / temperature)).map((x, v) => x - p[v]!);
      assert.equal(Math.sign(dot(drift, entropyGradient(z))), Math.sign(temperature - 1), `${z} at ${temperature}`);
    }
  }
});
