import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CaseRow,
  type CaseToken,
  dot,
  entropyGradient,
  evaluate,
  logitsOfEntropy,
  near,
  one,
} from "../../support/objective-case.ts";

const HISTORY = { history: [0.6, 0.5, 0.4] };
const tokensOf = (entropies: readonly number[], more: Partial<CaseToken> = {}): CaseToken[] =>
  entropies.map((h) => ({ z: logitsOfEntropy(h), o: 1, ...more }));
/** d(loss)/dH of a token, from its gradient with respect to the logits. */
const slope = (dz: readonly number[], z: readonly number[]): number => {
  const dH = entropyGradient(z);
  return dot(dz, dH) / dot(dH, dH);
};

test("7.7 EPO: hinge around the mean of the history at three corridors, and the indicator", async () => {
  for (const [lowRatio, highRatio, expected] of [
    [0.5, 1.5, [0.15, 0, 0.45]],
    [0, 2, [0, 0, 0.2]],
    [0.8, 1.2, [0.3, 0, 0.6]],
  ] as const) {
    for (const [i, h] of [0.1, 0.5, 1.2].entries()) {
      const { metrics } = await evaluate([one(logitsOfEntropy(h), 0)], {
        ...{ step: 1, totalSteps: 10, state: HISTORY },
        control: { name: "epo", alpha: 1, lowRatio, highRatio },
      });
      near(metrics["epo/reference"], 0.5, 1e-15);
      near(metrics["epo/smooth_loss"], expected[i], 1e-12, `corridor (${lowRatio}, ${highRatio}), H ${h}`);
    }
  }
  // the step's own list enters the released history: the old policy has entropy 0.5 everywhere
  const rows = [{ tokens: tokensOf([0.1, 0.5, 1.2], { old: logitsOfEntropy(0.5) }) }];
  const { selected } = await evaluate(rows, {
    control: { name: "epo", variant: "released", lowRatio: 0.5, highRatio: 1.5, gateTurn: null, leftPad: false },
    state: { history: [[0.6], [0.5], [0.4]] },
  });
  assert.deepEqual(selected, [[1, 0, 1]]);
});

test("7.8 EPO: beta_k of K = 120 falls from 2 to 1.0025, and step 0 has no smoothing", async () => {
  const control = { name: "epo" };
  const at = (step: number) =>
    evaluate([one(logitsOfEntropy(1.2), 0)], { control, step, totalSteps: 120, state: HISTORY });
  for (const [step, beta] of [
    [0, 2],
    [30, 1.22313016],
    [60, 1.04978707],
    [120, 1.00247875],
  ] as const)
    near((await at(step)).knobs!.beta, beta);
  near((await at(0)).terms.control, -0.001 * 1.2, 1e-12);
  near((await at(60)).terms.control, -0.001 * (1.2 - 0.1 * (1 + Math.exp(-3)) * 0.2), 1e-12);
});

test("7.9 EPO: term -0.00056 and its slopes in H with alpha .1, beta 2, lambda .001", async () => {
  const tokens = tokensOf([0.1, 0.5, 1.2]);
  const { terms, dLogits } = await evaluate([{ tokens }], {
    ...{ step: 1, totalSteps: 2, state: HISTORY },
    control: { name: "epo", gamma: 0, lowRatio: 0.5, highRatio: 1.5 }, // gamma 0: beta is 2 at every step
  });
  near(terms.control, -0.00056, 1e-12);
  const slopes = tokens.map(({ z }, t) => slope(dLogits[0]![t]!, z));
  near(slopes[0], -4e-4, 1e-12);
  // at H = 0.5, inside the corridor
  near(slopes[1], -1e-3 / 3, 1e-12);
  near(slopes[2], -8e-4 / 3, 1e-12);
});

const indicator = { name: "epo", variant: "released", gateTurn: null, leftPad: false, lowRatio: 0.5, highRatio: 1.5 };
const corridorRows = (): CaseRow[] => [
  { reward: 1, tokens: tokensOf([0.1, 0.5, 1.2], { old: logitsOfEntropy(0.5) }) },
  { reward: -1, tokens: tokensOf([0.7, 1.3], { old: logitsOfEntropy(0.5) }) },
];

test("7.10 EPO: finite differences of the whole released loss are the gradient of the naive bonus, at every alpha", async () => {
  const rows = corridorRows();
  const bonus = await evaluate(rows, { control: { name: "entropy-bonus", coefficient: 0.1 } });
  for (const alpha of [0, 0.1, 5]) {
    const options = { control: { ...indicator, coefficient: 0.1, alpha } };
    const { dLogits, loss } = await evaluate(rows, options);
    near(dLogits, bonus.dLogits as number[][][], 1e-15);
    if (alpha > 0) assert.ok(loss > bonus.loss + 0.01 * alpha, "the penalty is in the value");
    for (const [i, t, v] of [
      [0, 0, 0],
      [0, 2, 1],
      [1, 1, 3],
    ] as const) {
      const at = async (h: number): Promise<number> => {
        const moved = corridorRows();
        const token = moved[i]!.tokens[t]!;
        const z = token.z.map((x, j) => (j === v ? x + h : x));
        const tokens = moved[i]!.tokens.map((other, k) => (k === t ? { ...token, z } : other));
        return (
          await evaluate(
            moved.map((row, k) => (k === i ? { ...row, tokens } : row)),
            options,
          )
        ).loss;
      };
      near(((await at(1e-5)) - (await at(-1e-5))) / 2e-5, dLogits[i]![t]![v], 1e-9);
    }
  }
});

test("7.10 EPO: lambda 0 is GRPO to the last bit, alpha 0 of the paper's form the nested bonus", async () => {
  const rows = corridorRows();
  const base = await evaluate(rows);
  for (const control of [
    { ...indicator, coefficient: 0 },
    { name: "epo", coefficient: 0 },
  ]) {
    const { loss, dLogits } = await evaluate(rows, { control, step: 1, totalSteps: 2 });
    assert.equal(loss, base.loss);
    assert.ok(dLogits.flat(2).every((x, i) => x === base.dLogits.flat(2)[i]));
  }
  // one turn each: the nested mean is the mean over rows of the mean over tokens
  const nested = { aggregate: { name: "seq-mean-token-mean" } };
  const bonus = await evaluate(rows, { objective: nested, control: { name: "entropy-bonus", coefficient: 0.01 } });
  const options = { objective: nested, step: 1, totalSteps: 2, state: HISTORY };
  const epo = await evaluate(rows, { ...options, control: { name: "epo", coefficient: 0.01, alpha: 0 } });
  near(epo.dLogits, bonus.dLogits as number[][][], 1e-15);
});

test("7.10 EPO: the released weights w(e) of 150 epochs", async () => {
  for (const [step, weight] of [
    [0, 1],
    [37, 0.874563],
    [75, 0.827067],
    [76, 0.768632],
    [100, 0.294304],
    [150, 0.03983],
  ] as const) {
    const control = { ...indicator, smoothWeights: true };
    near((await evaluate(corridorRows(), { control, step })).metrics["epo/weight"], weight, 5e-7);
  }
});

test("7.11 EPO: turns of one and three tokens, nested mean .5 against flat .25", async () => {
  const sure = [60, 0, 0, 0]; // entropy below 1e-20
  const tokens = [{ z: logitsOfEntropy(1), o: 1, turn: 0 }, ...[1, 2, 3].map(() => ({ z: sure, o: 0, turn: 1 }))];
  const nested = await evaluate([{ tokens }], { control: { name: "epo", coefficient: -1 } });
  near(nested.terms.control, 0.5, 1e-12);
  const flat = await evaluate([{ tokens }], { control: { name: "entropy-bonus", coefficient: -1 } });
  near(flat.terms.control, 0.25, 1e-12);
});

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === "object") {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

test("7.12 EPO: the loss leaves the history alone; the paper's reference excludes this step, the released one includes it", async () => {
  const rows = corridorRows();
  const paperState = deepFreeze({ history: [0.6, 0.5, 0.4] });
  const paper = await evaluate(rows, { control: { name: "epo" }, state: paperState, step: 1, totalSteps: 2 });
  near(paper.metrics["epo/reference"], 0.5, 1e-15);
  near((paper.state as { history: number[] }).history, [0.6, 0.5, 0.4, 0.5], 1e-12);
  const releasedState = deepFreeze({ history: [[0.9], [0.7]] });
  const released = await evaluate(rows, { control: indicator, state: releasedState });
  near(released.metrics["epo/reference"], (0.9 + 0.7 + 0.5) / 3, 1e-12);
  near((released.state as { history: number[][] }).history, [[0.9], [0.7], [0.5]], 1e-12);
  assert.deepEqual([paperState.history.length, releasedState.history.length], [3, 2]);
});
