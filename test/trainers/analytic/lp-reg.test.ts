import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlConfig, openControl } from "../../../src/entropy-control/index.ts";
import { programLoss, runOnLogits } from "../../../src/trainers/conformance-passes.ts";
import {
  type CaseRow,
  type CaseToken,
  evaluate,
  logpAt,
  logpGradient,
  near,
  one,
  scaled,
  softmax,
} from "../../support/objective-case.ts";

const P = [0.6, 0.3, 0.09, 0.009, 0.001];
const OLD = P.map(Math.log);
const PROXY = [0.6 / 0.99, 0.3 / 0.99, 0.09 / 0.99, 0, 0];
const MOVED = OLD.map((x, v) => x + [0.3, -0.2, -0.5, 0.1, 0.2][v]!);
const WIDE = { loss: { name: "clip-wide" } };
const released = { name: "lp-reg", variant: "released", kappa: 0.02, rho: 1 };
const paper = { name: "lp-reg", variant: "paper", kappa: 0.02, rho: 1 };
/** One row of negative advantage; every token a candidate. */
const negative = (tokens: readonly CaseToken[]): CaseRow[] => [{ reward: -1, tokens }];

/** Coefficient of ∇ℓ that the regulariser adds to the token loss: the gradient with β = 1 less that with β = 0. */
async function pull(rows: readonly CaseRow[], control: object, row = 0, t = 0): Promise<number> {
  const count = rows.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const of = async (beta: number) =>
    (await evaluate(rows, { objective: WIDE, control: { ...control, beta } })).dLogits[row]![t]!;
  const [on, off] = [await of(1), await of(0)];
  const { z, o } = rows[row]!.tokens[t]!;
  const difference = on.map((x, v) => count * (x - off[v]!));
  const coefficient = difference[o]! / logpGradient(z, o)[o]!;
  near(difference, scaled(logpGradient(z, o), coefficient), 1e-12, "the pull goes along the log-prob");
  return coefficient;
}

test("7.18 Lp-Reg: the proxy of [.6, .3, .09, .009, .001] at kappa .02, its divergence and k3", async () => {
  const { control } = await openControl(ControlConfig.parse(released), { loss: { name: "clip" } });
  const { values } = await runOnLogits(
    programLoss(control.old!(null)!),
    {
      logits: Float64Array.from([...OLD, ...OLD, ...OLD, ...OLD, ...OLD]),
      ...{ tokens: [0, 1, 2, 3, 4], vocab: 5, temperature: 1, floatType: "float64", others: {} },
    },
    { features: {}, scalars: {} },
    false,
  );
  near(Array.from(values.values.proxyLogp!.subarray(0, 3), Math.exp), [0.606061, 0.30303, 0.090909], 5e-7);
  assert.deepEqual([...values.values.proxyLogp!.subarray(3)], [-1e4, -1e4]);
  near(values.values.proxyMass![0], 0.99, 1e-15);
  // the full divergence, on-policy: −log .99 (a second token that is likelier, so that the first lies below the quantile)
  const rows = negative([
    { z: OLD, o: 2 },
    { z: OLD, o: 0 },
  ]);
  const full = await evaluate(rows, { control: paper });
  assert.deepEqual(full.selected, [[1, 0]]);
  near(full.metrics["lp-reg/kl"], 0.0100503359, 1e-10);
  const sampled = await evaluate(rows, { objective: WIDE, control: released });
  near(sampled.metrics["lp-reg/kl"], 5.0674e-5, 1e-9);
  near(await pull(rows, released), -0.01010101, 1e-8);
});

test("7.19 Lp-Reg: the full divergence has the gradient pi - proxy; the sum of k3 over kept tokens alone has not", async () => {
  const p = softmax(MOVED);
  // the first token is below the quantile, the second is the likelier one
  const rows = negative([
    { z: MOVED, o: 2, old: OLD },
    { z: MOVED, o: 0, old: OLD },
  ]);
  const gradient = async (beta: number) => (await evaluate(rows, { control: { ...paper, beta } })).dLogits[0]![0]!;
  const [on, off] = [await gradient(1), await gradient(0)];
  const difference = on.map((x, v) => 2 * (x - off[v]!)); // each token weighs a half
  near(difference, [0.11624596, -0.08397976, -0.0422261, 0.00887062, 0.00108928]);
  near(
    difference,
    p.map((x, v) => x - PROXY[v]!),
    1e-12,
  );
  const divergence = (z: readonly number[]): number =>
    PROXY.reduce((sum, q, v) => sum + (q === 0 ? 0 : q * (Math.log(q) - logpAt(z, v))), 0);
  const measured = MOVED.map((_, v) => {
    const at = (h: number): number => divergence(MOVED.map((x, j) => (j === v ? x + h : x)));
    return (at(1e-5) - at(-1e-5)) / 2e-5;
  });
  near(difference, measured, 1e-9);

  const kept = [0, 1, 2];
  const sum = [0, 0, 0, 0, 0];
  for (const o of kept) {
    const coefficient = 1 - PROXY[o]! / p[o]!;
    if (coefficient < 0) {
      // released: a token below its proxy is pulled with exactly this coefficient
      const pair = negative([
        { z: MOVED, o, old: OLD },
        { z: MOVED, o: 0, old: OLD },
      ]);
      near(await pull(pair, released), coefficient, 1e-10);
    }
    for (const [v, x] of logpGradient(MOVED, o).entries()) sum[v]! += p[o]! * coefficient * x;
  }
  near(sum, [0.12344007, -0.08179804, -0.04174122, 0.00008835, 0.00001085]);
});

test("7.20 Lp-Reg: kappa 0 regularises nothing before the policy moves, afterwards every candidate below its old log-prob", async () => {
  const still = negative([0, 1, 2, 3, 4].map((o) => ({ z: OLD, o, old: OLD })));
  const all = { ...released, kappa: 0 };
  assert.deepEqual((await evaluate(still, { objective: WIDE, control: all })).selected, [[0, 0, 0, 0, 0]]);
  const moved = negative([0, 1, 2, 3, 4].map((o) => ({ z: MOVED, o, old: OLD })));
  const below = [0, 1, 2, 3, 4].map((o) => (logpAt(MOVED, o) < logpAt(OLD, o) ? 1 : 0));
  assert.deepEqual((await evaluate(moved, { objective: WIDE, control: all })).selected, [below]);
  assert.ok(below.includes(0) && below.includes(1));
  assert.deepEqual((await evaluate(moved, { objective: WIDE, control: { ...all, rho: 0 } })).selected, [
    [0, 0, 0, 0, 0],
  ]);
});

test("7.20 Lp-Reg: beta 0 is the loss clipped at 1.0/9.0 for every ratio", async () => {
  for (const reward of [1, -1]) {
    const tokens = [0.01, 0.3, 1, 5, 9.9, 12, 200].map((r) => ({ z: MOVED, o: 2, logRatio: Math.log(r) }));
    const rows = [{ reward, tokens }];
    const base = await evaluate(rows, { objective: WIDE });
    const { loss, dLogits } = await evaluate(rows, { objective: WIDE, control: { ...released, beta: 0 } });
    near(loss, base.loss, 1e-12);
    near(dLogits, base.dLogits as number[][][], 1e-12);
  }
});

test("7.20 Lp-Reg: 199 negative tokens at rho .01 give no candidate, 200 give two", async () => {
  const count = async (n: number): Promise<number> => {
    const tokens = Array.from({ length: n }, () => ({ z: MOVED, o: 2, old: OLD }));
    const { selected } = await evaluate(negative(tokens), { objective: WIDE, control: { ...released, rho: 0.01 } });
    return selected!.flat().filter((bit) => bit === 1).length;
  };
  assert.equal(await count(199), 0);
  assert.equal(await count(200), 2);
});

test("7.21 Lp-Reg: k3 stops pulling above d = 2.6108686", async () => {
  // kappa 0: the proxy is the old policy, so d = ℓ_old − ℓ. Logits [x, 0] against [0, 0].
  const at = async (d: number): Promise<number> => {
    const p = 0.5 * Math.exp(-d); // log .5 − log p = d
    const z = [Math.log(p / (1 - p)), 0];
    const tokens = [0, 1].map(() => ({ z, o: 0, old: [0, 0] }));
    return pull(negative(tokens), { ...released, kappa: 0 });
  };
  near(await at(2.62), 0, 1e-12);
  near(await at(2.6), 1 - Math.exp(2.6), 1e-9);
  near(await at(2.6108687), 0, 1e-12);
  near(await at(2.6108685), 1 - Math.exp(2.6108685), 1e-8);
});

test("7.22 Lp-Reg: tokens with A >= 0 are never selected, nor is a token outside the proxy", async () => {
  const token = { z: MOVED, o: 2, old: OLD }; // below its proxy
  for (const control of [released, { ...paper, rho: 0.9 }]) {
    for (const reward of [0, 1]) {
      const rows = [{ reward, tokens: [token, token, { z: MOVED, o: 0, old: OLD }] }];
      const { selected } = await evaluate(rows, { control });
      assert.deepEqual(selected, [[0, 0, 0]], `reward ${reward}`);
    }
    const filtered = { z: MOVED.map((x, v) => (v === 3 ? x - 2 : x)), o: 3, old: OLD };
    const { selected, metrics } = await evaluate(negative([filtered, token, { z: MOVED, o: 0, old: OLD }]), {
      control,
    });
    assert.deepEqual(selected, [[0, 1, 0]]);
    near(metrics["lp-reg/filtered_frac"], 1 / 3, 1e-12);
  }
});

test("7.23 Lp-Reg: its clip 1.0/9.0", async () => {
  for (const [reward, ratio, loss] of [
    [1, 1e-8, 0],
    [1, 1, -1],
    [1, 10, -10],
    [1, 12, -10],
    [-1, 12, 12],
  ] as const) {
    const { loss: got } = await evaluate([one([0, 0], 0, { reward, logRatio: Math.log(ratio) })], { objective: WIDE });
    near(got, loss, 1e-7, `A ${reward}, r ${ratio}`);
  }
});
