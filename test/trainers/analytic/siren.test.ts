import assert from "node:assert/strict";
import { test } from "node:test";
import { quantileOf } from "../../../src/entropy-control/index.ts";
import { createRng } from "../../../src/utils/rng.ts";
import {
  type CaseRow,
  dot,
  entropyGradient,
  entropyOf,
  evaluate,
  logitsOfEntropy,
  near,
  one,
  scaled,
} from "../../support/objective-case.ts";

const F4 = [1, 0.5, 0, -1];
const NONE = [0, 0, 0, 0];
/** Rows of tokens with these entropies, nothing to gain. */
const rowsOf = (...rows: number[][]): CaseRow[] =>
  rows.map((row) => ({ tokens: row.map((h) => ({ z: logitsOfEntropy(h), o: 1 })) }));

test("7.1 entropy: its gradient at F4, through the bonus of coefficient -1 on one token", async () => {
  const { terms, dLogits, entropy } = await evaluate([one(F4, 0)], {
    control: { name: "entropy-bonus", coefficient: -1 },
  });
  near(entropy, [[1.19297912]]);
  near(terms.control, 1.19297912);
  near(dLogits[0]![0], [-0.21159513, 0.01540606, 0.09652999, 0.09965908]);
  near(dot(dLogits[0]![0]!, [1, 1, 1, 1]), 0, 1e-15);
});

/** H̃ and its gradient at F4: the term without anchor and masks, coefficient -1. */
async function nucleusAt(variant: "released" | "paper", topP: number) {
  const control = { name: "siren", variant, topP, coefficient: -1, withoutAnchor: true, withoutPeakMask: true };
  const { terms, dLogits } = await evaluate([one(F4, 0)], { control });
  return [terms.control, ...dLogits[0]![0]!];
}

test("7.2 SIREN: nucleus of F4 without the crossing token (released) and with it (paper)", async () => {
  const two = [0.66284732, -0.11750186, 0.11750186, 0, 0];
  const three = [1.02019134, -0.17216366, 0.04917541, 0.12298825, 0];
  const full = [1.19297912, -0.21159513, 0.01540606, 0.09652999, 0.09965908];
  for (const [topP, released, paper] of [
    [0.4, [0, ...NONE], [0, ...NONE]],
    [0.5, [0, ...NONE], two],
    [0.8, two, three],
    [0.9, two, three],
    [1.1, full, full],
  ] as const) {
    near(await nucleusAt("released", topP), [...released], 1e-8, `released, p ${topP}`);
    near(await nucleusAt("paper", topP), [...paper], 1e-8, `paper, p ${topP}`);
  }
  assert.deepEqual(
    (await nucleusAt("released", 0.4)).map((x) => Math.abs(x)),
    [0, ...NONE],
    "an empty set is exactly 0",
  );
});

test("7.3 SIREN: quantiles .82 and .56, one token of each row, term 3.125e-4 and its gradient 1.25e-3 on H", async () => {
  near(quantileOf([0.1, 0.9, 0.2, 0.8, 0.3], 0.8), 0.82, 1e-15);
  near(quantileOf([0.5, 0.4, 0.6], 0.8), 0.56, 1e-15);
  const rows = rowsOf([0.1, 0.9, 0.2, 0.8, 0.3], [0.5, 0.4, 0.6]);
  const { terms, selected, dLogits, metrics } = await evaluate(rows, {
    control: { name: "siren", topP: 1.1, coefficient: 0.005 },
    state: { anchor: 0.5 },
  });
  assert.deepEqual(selected, [
    [0, 1, 0, 0, 0],
    [0, 0, 1, 0, 0],
  ]);
  near(metrics["siren/h_agg"], 0.75, 1e-12);
  near(terms.control, 3.125e-4, 1e-12);
  const expected = rows.map((row, i) =>
    Array.from({ length: 5 }, (_, t) =>
      selected![i]![t] === 1 ? scaled(entropyGradient(row.tokens[t]!.z), 1.25e-3) : NONE,
    ),
  );
  near(dLogits, expected, 1e-12);
});

test("7.4 SIREN: the peak mask twice is the peak mask, random rows with ties", async () => {
  const rng = createRng("ties");
  const levels = [
    [0, 0, 0, 0],
    [0.4, 0, 0, 0],
    [0.8, 0.3, 0, 0],
    [1.2, 0, -2, 0],
    [3, 0, 0, 0],
  ];
  const zero = [9, 0, 0, 0]; // its first token has more than 0.8: an empty nucleus, entropy exactly 0
  const rows: CaseRow[] = Array.from({ length: 24 }, () => ({
    tokens: Array.from({ length: rng.int(1, 14) }, () => ({ z: rng.pick(levels), o: 0 })),
  }));
  const control = { name: "siren" };
  const state = { anchor: 0.3 };
  const { selected: once } = await evaluate(rows, { control, state });
  assert.ok(once!.flat().some((bit) => bit === 1));
  const masked = rows.map((row, i) => ({
    tokens: row.tokens.map((token, t) => (once![i]![t] === 1 ? token : { ...token, z: zero })),
  }));
  const { selected: twice } = await evaluate(masked, { control, state });
  assert.deepEqual(twice, once);
});

test("7.4 SIREN: of equal entropies nothing is kept, the term is c·anchor² and the gradient 0", async () => {
  const { selected, terms, dLogits } = await evaluate(rowsOf([0.5, 0.5, 0.5, 0.5], [0.5]), {
    control: { name: "siren", topP: 1.1 },
    state: { anchor: 0.4 },
  });
  assert.ok(selected!.flat().every((bit) => bit === 0));
  near(terms.control, 0.005 * 0.16, 1e-15);
  assert.ok(dLogits.flat(2).every((x) => x === 0));
});

test("7.4 SIREN: the slot after the last token enters with padLeak only", async () => {
  const tokens = [0.1, 0.9, 0.2, 0.8, 0.3].map((h) => ({ z: logitsOfEntropy(h), o: 1 }));
  const rows = [{ tokens: [...tokens, { z: logitsOfEntropy(1.1), o: 0, live: false }] }];
  const run = (padLeak: boolean) =>
    evaluate(rows, { control: { name: "siren", topP: 1.1, padLeak }, state: { anchor: 0.5 } });
  const fixed = await run(false);
  const leaking = await run(true);
  near(fixed.metrics["siren/h_agg"], 0.9, 1e-12);
  near(leaking.metrics["siren/h_agg"], (0.9 + 1.1) / 2, 1e-12);
  assert.deepEqual(fixed.selected, [[0, 1, 0, 0, 0, 0]]);
  assert.deepEqual(leaking.selected, [[0, 1, 0, 0, 0, 1]]);
  assert.ok(fixed.dLogits[0]![5]!.every((x) => x === 0));
  assert.ok(leaking.dLogits[0]![5]!.some((x) => x !== 0));
});

/** Two groups of two rows, random. */
function mixedRows(): CaseRow[] {
  const rng = createRng("mixed");
  return [1, 0, 0, 1].map((reward, i) => ({
    ...{ group: Math.floor(i / 2), reward },
    tokens: Array.from({ length: 6 }, () => ({
      z: Array.from({ length: 5 }, () => rng.normal()),
      o: rng.int(0, 4),
      logRatio: 0.1 * rng.normal(),
    })),
  }));
}

test("7.5 SIREN: coefficient 0 is Dr.GRPO to the last bit", async () => {
  const objective = { advantage: { name: "dr-grpo" }, aggregate: { name: "constant", length: 6 } };
  const base = await evaluate(mixedRows(), { objective });
  const siren = await evaluate(mixedRows(), { objective, control: { name: "siren", coefficient: 0 } });
  assert.equal(siren.loss, base.loss);
  assert.ok(siren.dLogits.flat(2).every((x, i) => x === base.dLogits.flat(2)[i]));
  assert.ok(base.dLogits.flat(2).some((x) => x !== 0));
});

test("7.5 SIREN: p > 1 without peak mask is the squared distance of the plain entropy; keepQuantile 0 is not", async () => {
  const rows = mixedRows();
  const h = rows.map(({ tokens }) => tokens.reduce((sum, { z }) => sum + entropyOf(z), 0) / tokens.length);
  const mean = h.reduce((a, b) => a + b, 0) / 4;
  const state = { anchor: 0.7 };
  const wide = { name: "siren", topP: 1.1, withoutPeakMask: true };
  const { terms, dLogits } = await evaluate(rows, { control: wide, state });
  near(terms.control, 0.005 * (mean - 0.7) ** 2, 1e-12);
  const full = await evaluate(rows, { control: { name: "siren", withoutTopP: true, withoutPeakMask: true }, state });
  near(full.dLogits, dLogits as number[][][], 1e-14);
  const { selected } = await evaluate(rows, { control: { name: "siren", topP: 1.1, keepQuantile: 0 }, state });
  assert.equal(selected!.flat().filter((bit) => bit === 0).length, 4, "the strict test drops each row's smallest");
});

test("7.5 SIREN: no gradient at the anchor; below it the term raises entropy, above it lowers it", async () => {
  const rows = mixedRows().map((row) => ({ ...row, reward: 0 }));
  const control = { name: "siren", topP: 1.1, withoutPeakMask: true };
  const h = (await evaluate(rows, { control, state: { anchor: 0 } })).metrics["siren/h_agg"]!;
  const slopeOfEntropy = async (anchor: number): Promise<number> => {
    const { dLogits } = await evaluate(rows, { control, state: { anchor } });
    return rows.reduce(
      (sum, row, i) => sum + row.tokens.reduce((part, { z }, t) => part - dot(dLogits[i]![t]!, entropyGradient(z)), 0),
      0,
    );
  };
  assert.equal(Math.abs(await slopeOfEntropy(h)), 0);
  assert.ok((await slopeOfEntropy(h + 0.1)) > 1e-6, "descent raises H below the anchor");
  assert.ok((await slopeOfEntropy(h - 0.1)) < -1e-6, "and lowers it above");
});

test("7.6 SIREN: the anchor is H of the whole first batch before any update", async () => {
  const rows = mixedRows();
  const control = { name: "siren" };
  const split = {
    control,
    microBatches: [
      [0, 2],
      [1, 3],
    ],
    state: { anchor: null },
  };
  const whole = await evaluate(rows, { control, state: { anchor: null } });
  const { anchor } = whole.state as { anchor: number };
  near(anchor, whole.metrics["siren/h_agg"]!, 1e-15);
  near(whole.terms.control, 0, 1e-15);
  assert.deepEqual((await evaluate(rows, split)).state, whole.state);
});

test("7.6 SIREN: micro-batches at a ± x add c((a - anchor)² + x²); the paper's form does not see them", async () => {
  const rows = rowsOf([0.9, 0.1], [0.5, 0.1]); // H of the rows 0.9 and 0.5: a = 0.7, x = 0.2
  const options = { microBatches: [[0], [1]], state: { anchor: 0.4 } };
  const control = { name: "siren", topP: 1.1, keepQuantile: 0.5 };
  near((await evaluate(rows, { control, ...options })).terms.control, 0.005 * (0.3 ** 2 + 0.2 ** 2), 1e-12);
  const paper = { ...control, variant: "paper" };
  near((await evaluate(rows, { control: paper, ...options })).terms.control, 0.005 * 0.3 ** 2, 1e-12);
});
