import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlConfig, type EntropyControl, openControl } from "../../../src/entropy-control/index.ts";
import { aggregationWeights } from "../../../src/trainers/aggregate.ts";
import { AggregateConfig, FilterConfig } from "../../../src/trainers/config.ts";
import { dropGroups, groupsWithSignal, judge, overlongPenalty } from "../../../src/trainers/group-filter.ts";
import { importanceWeights } from "../../../src/trainers/importance.ts";
import { klValue } from "../../../src/trainers/kl.ts";
import { createRng } from "../../../src/utils/rng.ts";
import {
  type CaseRow,
  evaluate,
  logpAt,
  logpGradient,
  near,
  one,
  scaled,
  softmax,
} from "../../support/objective-case.ts";

const F4 = [1, 0.5, 0, -1];

test("7.30 adaptive bonus: Skywork's trace of coefficient and gate", async () => {
  const control = { name: "adaptive-entropy" };
  let state: unknown = { coefficient: 0, enabled: 1 };
  const trace: number[] = [];
  const applied: number[] = [];
  for (const e of [0.15, 0.15, 0.1, 0.25, 0.3, 0.1]) {
    // the measured entropy is −ℓ_old: old logits [x, 0] whose first token has probability exp(−e)
    const p = Math.exp(-e);
    const old = [Math.log(p / (1 - p)), 0];
    const { state: next, knobs, terms, entropy } = await evaluate([one([0.3, 0], 0, { old })], { control, state });
    near(terms.control, -knobs!.coefficient! * entropy[0]![0]!, 1e-15);
    applied.push(knobs!.coefficient!);
    trace.push((next as { coefficient: number }).coefficient);
    state = next;
  }
  near(trace, [1e-4, 2e-4, 3e-4, 2e-4, 1e-4, 2e-4], 1e-15);
  near(applied, [0, 1e-4, 2e-4, 3e-4, 0, 0], 1e-15);
  const { coefficient, enabled } = state as { coefficient: number; enabled: number };
  near(coefficient * enabled, 2e-4, 1e-15);
});

const WEIGHTS = [0.36787944, 1, 1.64872127, 2];

test("7.30 importance: token weights of mismatches [-1, 0, .5, 1] under the cap 2, without gradient", async () => {
  const tokens = [-1, 0, 0.5, 1].map((mismatch, o) => ({ z: F4, o, mismatch }));
  const { dLogits, loss } = await evaluate([{ reward: 1, tokens }], {
    objective: { importance: { name: "token-tis", cap: 2 } },
  });
  tokens.forEach(({ z, o }, t) => {
    near(dLogits[0]![t], scaled(logpGradient(z, o), -WEIGHTS[t]! / 4), 1e-8);
  });
  near(loss, -WEIGHTS.reduce((a, b) => a + b, 0) / 4, 1e-8);
});

test("7.30 importance: without cap and mismatch the weight is 1; sequence and masked forms; huge log-ratios stay finite", () => {
  const oldLogp = Float64Array.of(-1, -2, -0.5, -900);
  const row = { start: 0, end: 4, group: 0, reward: 0, auxiliary: false };
  const batch = {
    ...{ rows: [row], microBatches: [[0]], oldLogp, temperature: 1, advantage: new Float64Array(4) },
    live: Uint8Array.of(1, 1, 1, 1),
    turn: new Int32Array(4),
  };
  const infinite = { name: "token-tis", cap: Number.POSITIVE_INFINITY } as const;
  assert.deepEqual([...importanceWeights(batch, oldLogp, infinite)], [1, 1, 1, 1]);
  const rolled = Float64Array.of(-1.2, -2, -0.5, -900);
  near(
    [...importanceWeights(batch, rolled, { name: "sequence-tis", cap: 2 })],
    [0, 0, 0, 0].map(() => Math.exp(0.2)),
    1e-12,
  );
  near([...importanceWeights(batch, rolled, { name: "token-mis", low: 0.5, high: 1.1 })], [0, 1, 1, 1], 1e-12);
  near([...importanceWeights(batch, rolled, { name: "sequence-mis", low: 0.5, high: 1.1 })], [0, 0, 0, 0], 1e-12);
  const huge = Float64Array.of(-1000, 1000, -0.5, 0);
  near([...importanceWeights(batch, huge, infinite)], [Math.exp(20), Math.exp(-20), 1, Math.exp(-20)], 1e-6);
});

test("7.31 KL estimators: values and derivatives at d = -1, 0, .5, 2", async () => {
  const table: [number, number, number][] = [
    [-1, 0.367879, 0.632121],
    [0, 0, 0],
    [0.5, 0.148721, -0.648721],
    [2, 4.389056, -6.389056],
  ];
  for (const [d, k3, slope] of table) {
    const expected = { k1: [-d, 1], k2: [d ** 2 / 2, -d], abs: [Math.abs(d), -Math.sign(d)], k3: [k3, slope] };
    for (const [estimator, [value, derivative]] of Object.entries(expected)) {
      // the reference has ℓ_ref = ℓ + d at the token: two tokens whose odds are those of exp(ℓ + d)
      const z = [-3, 0];
      const p = Math.exp(logpAt(z, 0) + d);
      const reference = [Math.log(p / (1 - p)), 0];
      const objective = { kl: { estimator, coefficient: 1 } };
      const { terms, dLogits } = await evaluate([one(z, 0, { reference })], { objective });
      near(terms.kl, value, 5e-7, `${estimator}, d ${d}`);
      near(dLogits[0]![0], scaled(logpGradient(z, 0), derivative!), 5e-7, `${estimator}', d ${d}`);
      near(klValue(estimator as "k1", d), terms.kl, 1e-12, "the value in the reward");
    }
  }
});

test("7.31 KL estimators: expected gradients at F4 are 0, that of KL(pi, ref) and that of KL(ref, pi)", async () => {
  const reference = [0.2, -0.3, 0.8, 0.1];
  const p = softmax(F4);
  const expectation = async (estimator: string): Promise<number[]> => {
    const rows = F4.map((_, o) => one(F4, o, { reference }));
    const { dLogits } = await evaluate(rows, { objective: { kl: { estimator, coefficient: 1 } } });
    return F4.map((_, j) => p.reduce((sum, x, o) => sum + 4 * x * dLogits[o]![0]![j]!, 0));
  };
  const forward = [0.19001107, 0.11524754, -0.20909321, -0.0961654];
  near(await expectation("k1"), [0, 0, 0, 0], 1e-15);
  near(await expectation("k2"), forward);
  near(await expectation("full"), forward);
  near(await expectation("k3"), [0.24322979, 0.14752633, -0.24610257, -0.14465355]);
});

test("7.32 overlong ramp at DAPO's lengths", () => {
  const at = (tokens: number): number => Math.abs(overlongPenalty(tokens, 20480, 4096));
  assert.deepEqual([100, 16384, 18432, 20480, 30000].map(at), [0, 0, 0.5, 1, 1]);
  assert.ok(overlongPenalty(18432, 20480, 4096) < 0);
});

test("7.32 dynamic sampling: 0/4 and 4/4 are dropped, 1 to 3 right ones kept, by the reward before the length penalty", () => {
  const filter = FilterConfig.parse({ zeroSignal: "drop", overlongCache: 4 });
  const rows = [0, 1, 2, 3, 4].flatMap((right, group) =>
    [0, 1, 2, 3].map((member) => {
      const ids = new Array<number>(member + 5).fill(1); // lengths differ, so shaped rewards do in every group
      return judge(
        { group, member, ids, stop: "eos" } as never,
        { reward: member < right ? 1 : 0, terms: {} } as never,
        filter,
        8,
      );
    }),
  );
  assert.equal(new Set(rows.slice(0, 4).map(({ reward }) => reward)).size, 4);
  assert.deepEqual([...groupsWithSignal(rows)], [1, 2, 3]);
  const uses = dropGroups(rows, 2).map(({ use }) => use);
  const of = (group: number): string[] => [...new Set(uses.slice(4 * group, 4 * group + 4))];
  assert.deepEqual([0, 1, 2, 3, 4].map(of), [["zero-signal"], ["trained"], ["trained"], ["surplus"], ["zero-signal"]]);
});

/** Two rows of four and two tokens; x as in §0.4. */
const FIXTURE = {
  rows: [
    { start: 0, end: 4, group: 0, reward: 0, auxiliary: false },
    { start: 4, end: 6, group: 0, reward: 0, auxiliary: false },
  ],
  microBatches: [[0, 1]],
  live: new Uint8Array(6).fill(1),
  turn: new Int32Array(6),
  advantage: new Float64Array(6),
  oldLogp: new Float64Array(6),
  temperature: 1,
};

test("7.33 aggregation: the fixture [[1, 2, 3, 4], [1, 1]] under every mean and denominator", () => {
  const x = [1, 2, 3, 4, 1, 1];
  for (const [config, expected] of [
    [{ name: "token-mean" }, 2],
    [{ name: "seq-mean-token-sum" }, 6],
    [{ name: "seq-mean-token-mean" }, 1.75],
    [{ name: "constant", length: 4 }, 1.5],
  ] as const)
    for (const denominator of ["mini-batch", "micro-batch"]) {
      const weights = aggregationWeights(FIXTURE, AggregateConfig.parse({ ...config, denominator }));
      near(
        weights.reduce((sum, w, t) => sum + w * x[t]!, 0),
        expected,
        1e-15,
        `${config.name}, ${denominator}`,
      );
    }
  const equal = { ...FIXTURE, live: Uint8Array.of(1, 1, 0, 0, 1, 1) };
  assert.deepEqual(
    aggregationWeights(equal, AggregateConfig.parse({ name: "token-mean" })),
    aggregationWeights(equal, AggregateConfig.parse({ name: "seq-mean-token-mean" })),
  );
});

function randomRows(): CaseRow[] {
  const rng = createRng("invariance");
  return [2, 5, 1, 4, 3, 6].map((length, i) => ({
    ...{ group: Math.floor(i / 3), reward: [1, 0, 0.5, 0, 0, 1][i]! },
    tokens: Array.from({ length }, () => ({
      z: Array.from({ length: 5 }, () => 1.5 * rng.normal()),
      o: rng.int(0, 4),
      logRatio: 0.3 * rng.normal(),
    })),
  }));
}
const SPLITS = [
  [[0, 1, 2, 3, 4, 5]],
  [
    [0, 1],
    [2, 3],
    [4, 5],
  ],
  [[5], [4, 0, 2], [1, 3]],
  [[0], [1], [2], [3], [4], [5]],
];

/** Largest change of the gradient over the splits. */
async function spreadOver(objective: object, control: object | null, state?: unknown): Promise<number> {
  const all = await Promise.all(
    SPLITS.map((microBatches) =>
      evaluate(randomRows(), {
        objective: { advantage: { name: "grpo" }, ...objective },
        control,
        microBatches,
        state,
      }),
    ),
  );
  const first = all[0]!.dLogits.flat(2);
  return Math.max(...all.flatMap(({ dLogits }) => dLogits.flat(2).map((x, i) => Math.abs(x - first[i]!))));
}

test("7.34 micro-batch invariance: GRPO's family and the naive bonus with mini-batch denominators", async () => {
  for (const loss of ["clip", "gspo", "cispo", "reinforce"])
    for (const aggregate of [{ name: "token-mean" }, { name: "seq-mean-token-mean" }, { name: "constant", length: 6 }])
      for (const control of [null, { name: "entropy-bonus", coefficient: 0.1 }])
        assert.ok(
          (await spreadOver({ loss: { name: loss }, aggregate }, control)) < 1e-15,
          `${loss}, ${aggregate.name}`,
        );
  const micro = { aggregate: { name: "token-mean", denominator: "micro-batch" } };
  assert.ok((await spreadOver(micro, null)) > 1e-3);
});

test("7.34 micro-batch invariance: SIREN, 80/20, Clip-Cov, KL-Cov and Lp-Reg follow the split only where configured to", async () => {
  const anchor = { anchor: 0.2 };
  for (const [inBatch, inMicro, state] of [
    [{ name: "siren", variant: "paper", coefficient: 1 }, { name: "siren", coefficient: 1 }, anchor],
    [{ name: "forking-tokens" }, { name: "forking-tokens", scope: "micro-batch" }],
    [
      { name: "kl-cov", ratio: 0.1 },
      { name: "kl-cov", ratio: 0.1, scope: "micro-batch" },
    ],
    [
      { name: "lp-reg", kappa: 0.2, rho: 0.6, beta: 10 },
      { name: "lp-reg", kappa: 0.2, rho: 0.6, beta: 10, selection: "micro-batch" },
    ],
  ] as const) {
    assert.ok((await spreadOver({}, inBatch, state)) < 1e-15, `${inBatch.name} over the mini-batch`);
    assert.ok((await spreadOver({}, inMicro, state)) > 1e-4, `${inMicro.name} in the micro-batch`);
  }
});

test("7.34 micro-batch invariance: Clip-Cov's candidates follow the split only where configured to", async () => {
  const rows = randomRows();
  const logp = Float64Array.from(rows.flatMap(({ tokens }) => tokens.map(({ z, o }) => logpAt(z, o))));
  let at = 0;
  const places = rows.map(({ tokens, reward = 0, group = 0 }) => {
    at += tokens.length;
    return { start: at - tokens.length, end: at, group, reward, auxiliary: false };
  });
  const advantage = Float64Array.from(rows.flatMap(({ tokens, reward = 0 }) => tokens.map(() => reward - 0.4)));
  const kept = (control: EntropyControl, microBatches: number[][]): string => {
    const batch = {
      ...FIXTURE,
      rows: places,
      microBatches,
      advantage,
      oldLogp: logp,
      live: new Uint8Array(at).fill(1),
    };
    const draw = (candidates: readonly number[]): readonly number[] => candidates;
    const context = { step: 0, totalSteps: 1, clip: { low: 1, high: 1 }, weights: () => logp, draw };
    const current = { logp, entropy: logp, values: {} };
    return control.select!({ batch, current, old: {} }, null, context).policyFactor!.join("");
  };
  for (const scope of ["mini-batch", "micro-batch"]) {
    const config = ControlConfig.parse({ name: "clip-cov", ratio: 1, low: 0.05, high: 5, scope });
    const { control } = await openControl(config, { loss: { name: "clip" } });
    const results = new Set(SPLITS.map((split) => kept(control, split)));
    assert.equal(results.size === 1, scope === "mini-batch", scope);
  }
});
