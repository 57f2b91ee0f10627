import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlConfig, openControl, type TokenBatch } from "../../../src/entropy-control/index.ts";
import { groupAdvantages } from "../../../src/trainers/advantages.ts";
import { AdvantageConfig } from "../../../src/trainers/config.ts";
import { createRng } from "../../../src/utils/rng.ts";
import {
  type CaseRow,
  evaluate,
  logitsOfEntropy,
  logpAt,
  logpGradient,
  near,
  one,
  scaled,
} from "../../support/objective-case.ts";

const F4 = [1, 0.5, 0, -1];
const advantagesOf = (name: string, rewards: readonly number[], groups = rewards.map(() => 0), epsilon?: number) =>
  groupAdvantages(rewards, groups, AdvantageConfig.parse({ name, ...(epsilon === undefined ? {} : { epsilon }) }));

test("7.24 clip: the table at bounds .2/.28 with dual clip 3", async () => {
  const loss = { name: "clip", clipLow: 0.2, clipHigh: 0.28, dualClip: 3 };
  const table: [number, number, number][] = [
    ...(
      [
        [0.5, -0.5],
        [0.8, -0.8],
        [1, -1],
        [1.28, -1.28],
        [1.5, -1.28],
        [5, -1.28],
      ] as const
    ).map(([r, expected]): [number, number, number] => [1, r, expected]),
    ...(
      [
        [0.5, 0.8],
        [0.8, 0.8],
        [1, 1],
        [1.28, 1.28],
        [1.5, 1.5],
        [5, 3],
      ] as const
    ).map(([r, expected]): [number, number, number] => [-1, r, expected]),
  ];
  for (const [reward, r, expected] of table) {
    const { loss: got } = await evaluate([one(F4, 1, { reward, logRatio: Math.log(r) })], { objective: { loss } });
    near(got, expected, 1e-12, `A ${reward}, r ${r}`);
  }
});

test("7.24 advantages: GRPO, Dr.GRPO and RLOO of [1, 0, 0, 1, 0]", () => {
  const rewards = [1, 0, 0, 1, 0];
  const [high, low] = [1.0954431, -0.7302954];
  near(advantagesOf("grpo", rewards), [high, low, low, high, low], 5e-8);
  near(advantagesOf("dr-grpo", rewards), [0.6, -0.4, -0.4, 0.6, -0.4], 1e-15);
  near(advantagesOf("rloo", rewards), [0.75, -0.5, -0.5, 0.75, -0.5], 1e-15);
  assert.deepEqual(advantagesOf("reinforce", rewards), rewards);
  // x = R − group mean of two groups; unbiased deviation of x over the batch
  near(
    advantagesOf("batch-norm", [1, 0, 3, 1], [0, 0, 1, 1]),
    scaled([0.5, -0.5, 1, -1], 1 / Math.sqrt(2.5 / 3)),
    1e-7,
  );
});

test("7.24 advantages: of a group of equal rewards all are exactly 0, also with epsilon 0 and rewards that do not add up", () => {
  for (const name of ["grpo", "dr-grpo", "rloo", "batch-norm"])
    for (const reward of [0, 1, 0.1, -0.7, 1 / 3])
      for (const size of [2, 3, 5, 7]) {
        const rewards = new Array<number>(size).fill(reward);
        assert.deepEqual(
          advantagesOf(name, rewards).map(Math.abs),
          rewards.map(() => 0),
          `${name}, ${size} × ${reward}`,
        );
        if (name === "grpo" || name === "batch-norm")
          assert.deepEqual(
            advantagesOf(name, rewards, undefined, 0).map(Math.abs),
            rewards.map(() => 0),
            "epsilon 0",
          );
      }
});

const pair = (logRatio = 0): CaseRow[] => [
  { reward: 1, tokens: [0, 3].map((o) => ({ z: F4, o, logRatio })) },
  { reward: -0.5, tokens: [1, 2].map((o) => ({ z: F4, o, logRatio })) },
];

test("7.25 at ratio 1 GRPO, CISPO and GSPO have the same gradient -A grad l / n", async () => {
  const expected = pair().map(({ reward, tokens }) =>
    tokens.map(({ z, o }) => scaled(logpGradient(z, o), -reward! / 4)),
  );
  for (const name of ["clip", "clip-higher", "cispo", "gspo", "reinforce"]) {
    const aggregate = { name: name === "gspo" ? "seq-mean-token-mean" : "token-mean" };
    const { dLogits } = await evaluate(pair(), { objective: { loss: { name }, aggregate } });
    near(dLogits, expected, 1e-14, name);
  }
});

test("7.25 GSPO: with unequal lengths it differs from the token mean by the weights only", async () => {
  const rows = pair();
  const longer = [rows[0]!, { ...rows[1]!, tokens: [...rows[1]!.tokens, { z: F4, o: 0 }] }];
  const objective = { loss: { name: "gspo" }, aggregate: { name: "seq-mean-token-mean" } };
  const { dLogits } = await evaluate(longer, { objective });
  near(dLogits[0]![0], scaled(logpGradient(F4, 0), -1 / 2 / 2), 1e-14);
  near(dLogits[1]![2], scaled(logpGradient(F4, 0), 0.5 / 2 / 3), 1e-14);
});

test("7.26 CISPO: at r = 3 and cap .2 the coefficient is -1.2 A, not 0", async () => {
  const { dLogits } = await evaluate([one(F4, 2, { reward: 0.7, logRatio: Math.log(3) })], {
    objective: { loss: { name: "cispo" } },
  });
  near(dLogits[0]![0], scaled(logpGradient(F4, 2), -1.2 * 0.7), 1e-12);
});

test("7.27 GSPO: the ratio of log-ratios [2e-4, -1e-4, 5e-4] is 1.00020002, the gradient of a token -A s / n", async () => {
  const tokens = [2e-4, -1e-4, 5e-4].map((logRatio, o) => ({ z: F4, o, logRatio }));
  const objective = { loss: { name: "gspo" }, aggregate: { name: "seq-mean-token-mean" } };
  const { loss, dLogits } = await evaluate([{ reward: 2, tokens }], { objective });
  near(loss, -2 * 1.00020002, 2e-8);
  tokens.forEach(({ z, o }, t) => {
    near(dLogits[0]![t], scaled(logpGradient(z, o), (-2 * Math.exp(2e-4)) / 3), 1e-12);
  });
});

/** Rows of n tokens with distinct entropies in one row. */
const distinct = (n: number): CaseRow[] => [
  {
    reward: 1,
    tokens: Array.from({ length: n }, (_, t) => ({ z: logitsOfEntropy(0.1 + (1.2 * ((t * 37) % n)) / n), o: 0 })),
  },
];
const openCov = (config: object) => openControl(ControlConfig.parse(config), { loss: { name: "clip" } });

/** The slots of rows as a control sees them. */
function batchOf(rows: readonly CaseRow[]): TokenBatch & { logp: Float64Array } {
  let at = 0;
  const places = rows.map(({ tokens, reward = 0 }, group) => {
    const start = at;
    at += tokens.length;
    return { start, end: at, group, reward, auxiliary: false };
  });
  const logp = Float64Array.from(rows.flatMap(({ tokens }) => tokens.map(({ z, o }) => logpAt(z, o))));
  return {
    ...{ rows: places, microBatches: [rows.map((_, i) => i)], temperature: 1, logp, oldLogp: logp },
    live: new Uint8Array(at).fill(1),
    turn: new Int32Array(at),
    advantage: Float64Array.from(rows.flatMap(({ tokens, reward = 0 }) => tokens.map(() => reward))),
  };
}

const countOf = (selected: readonly (readonly number[])[] | undefined): number =>
  selected!.flat().filter((bit) => bit === 1).length;

test("7.28 forking tokens keep ceil(0.2 n); SIREN's strict quantile keeps other counts", async () => {
  for (const [n, forking, strict] of [
    [5, 1, 1],
    [6, 2, 1],
    [7, 2, 2],
    [11, 3, 2],
    [16, 4, 3],
    [101, 21, 20],
    [1, 1, 0],
  ] as const) {
    const rows = distinct(n);
    assert.equal(countOf((await evaluate(rows, { control: { name: "forking-tokens" } })).selected), forking, `n ${n}`);
    const siren = { control: { name: "siren", topP: 1.1 }, state: { anchor: 0 } };
    assert.equal(countOf((await evaluate(rows, siren)).selected), strict, `SIREN, n ${n}`);
  }
});

test("7.28 of 12,345 tokens KL-Cov takes 24 at k = 2e-3 and Clip-Cov 2 at 2e-4", async () => {
  const rng = createRng("cov");
  const rows: CaseRow[] = [1, -1].map((reward, i) => ({
    reward,
    tokens: Array.from({ length: i === 0 ? 6172 : 6173 }, () => ({ z: [3 * rng.normal(), 0], o: rng.int(0, 1) })),
  }));
  const kl = await evaluate(rows, { control: { name: "kl-cov" } });
  assert.equal(countOf(kl.selected), 24);
  const { control } = await openCov({ name: "clip-cov", low: 0, high: 100 });
  const batch = batchOf(rows);
  const draws: number[] = [];
  control.select!({ batch, current: { logp: batch.logp, entropy: batch.logp, values: {} }, old: {} }, null, {
    ...{ step: 0, totalSteps: 1, clip: { low: 1, high: 1 }, weights: () => new Float64Array(0) },
    draw: (candidates, count) => {
      draws.push(count);
      return candidates.slice(0, count);
    },
  });
  assert.deepEqual(draws, [2]);
});

test("7.28 Clip-Cov leaves the denominator, forking tokens change it", async () => {
  const rows: CaseRow[] = [
    {
      reward: 1,
      tokens: [
        { z: [2, 0, 0, 0], o: 0 },
        { z: [0, 0, 0, 1], o: 0 },
      ],
    },
    {
      reward: -1,
      tokens: [
        { z: [0, 1, 0, 0], o: 1 },
        { z: [0, 0, 3, 0], o: 0 },
      ],
    },
  ];
  const base = await evaluate(rows);
  const cov = await evaluate(rows, {
    control: { name: "clip-cov", low: 0, high: 5, ratio: 0.25 },
    chosen: [
      [1, 0],
      [0, 0],
    ],
  });
  assert.deepEqual(cov.selected, [
    [1, 0],
    [0, 0],
  ]);
  near(
    cov.dLogits,
    base.dLogits.map((row, i) => row.map((dz, t) => (i + t === 0 ? dz.map(() => 0) : [...dz]))),
    1e-15,
  );
  const forking = await evaluate(rows, { control: { name: "forking-tokens", ratio: 0.5 } });
  assert.equal(countOf(forking.selected), 2);
  forking.selected!.forEach((row, i) => {
    row.forEach((bit, t) => {
      near(forking.dLogits[i]![t], scaled(base.dLogits[i]![t]!, 2 * bit), 1e-15, "two of four: twice the weight");
    });
  });
});

test("7.29 entropy-shaped advantage: the values at alpha .4, kappa 2, and no gradient into H", async () => {
  for (const [reward, h, expected] of [
    [1, 0.5, 1.2],
    [1, 5, 1.5],
    [-1, 0.5, -0.8],
    [-1, 2, -0.5],
    [-1, 5, -0.5],
  ] as const) {
    const z = logitsOfEntropy(h, 200); // ln 200 = 5.3
    const { dLogits } = await evaluate([one(z, 0, { reward })], { control: { name: "entropy-advantage" } });
    near(dLogits[0]![0], scaled(logpGradient(z, 0), -expected), 1e-9, `A ${reward}, H ${h}`);
  }
});

test("7.29 entropy-shaped advantage: no sign changes for kappa > 1; at kappa 1 a negative advantage may vanish", async () => {
  const rng = createRng("shaped");
  const rows = Array.from({ length: 300 }, () =>
    one(
      Array.from({ length: 6 }, () => 2 * rng.normal()),
      rng.int(0, 5),
      { reward: rng.normal() },
    ),
  );
  const advantage = async (kappa: number): Promise<number[]> => {
    const { dLogits } = await evaluate(rows, { control: { name: "entropy-advantage", alpha: 3, kappa } });
    return rows.map(
      ({ tokens: [token] }, i) => -300 * (dLogits[i]![0]![token!.o]! / logpGradient(token!.z, token!.o)[token!.o]!),
    );
  };
  const above = await advantage(1.01);
  rows.forEach(({ reward }, i) => {
    assert.equal(Math.sign(above[i]!), Math.sign(reward!), `A ${reward} became ${above[i]}`);
    assert.ok(above[i]! >= reward! - 1e-12);
  });
  const atOne = await advantage(1);
  assert.ok(rows.some(({ reward }, i) => reward! < 0 && Math.abs(atOne[i]!) < 1e-12));
});
