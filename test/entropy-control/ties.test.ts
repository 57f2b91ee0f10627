import assert from "node:assert/strict";
import { test } from "node:test";
import { createRng } from "../../src/utils/rng.ts";
import { evaluate } from "../support/objective-case.ts";

const TYPES = ["float64", "float32"] as const;
/** Rows of these start at different places between multiples of 16 bytes. */
const VOCABULARIES = [5, 7, 9, 14];

/** Three rows of eight tokens whose distributions are the same bits. */
function equalRows(vocab: number) {
  const rng = createRng(`ties ${vocab}`);
  const z = Array.from({ length: vocab }, () => 2 * rng.normal());
  const old = z.map((x) => x + 0.1 * rng.normal());
  return [1, 0, 1].map((reward, group) => ({
    ...{ group, reward },
    tokens: Array.from({ length: 8 }, () => ({ z, o: 0, old })),
  }));
}

for (const floatType of TYPES) {
  test(`entropy: equal distributions have equal bits wherever they lie, whatever the size of the vocabulary (${floatType})`, async () => {
    for (const vocab of VOCABULARIES) {
      const { entropy } = await evaluate(equalRows(vocab), { floatType });
      assert.equal(new Set(entropy.flat()).size, 1, `vocabulary ${vocab}`);
    }
  });

  test(`siren: of equal entropies none is above the quantile, whatever the size of the vocabulary (${floatType})`, async () => {
    for (const vocab of VOCABULARIES)
      for (const options of [{ topP: 0.9 }, { withoutTopP: true }]) {
        const control = { name: "siren", coefficient: 1, ...options };
        const { metrics } = await evaluate(equalRows(vocab), { floatType, control, state: { anchor: 0.4 } });
        assert.equal(metrics["siren/kept_frac"], 0, `vocabulary ${vocab}, ${JSON.stringify(options)}`);
        assert.ok(Math.abs(metrics["siren/term"]! - 0.16) < 1e-7);
      }
  });

  test(`forking-tokens: of equal entropies the earlier tokens are kept, whatever the size of the vocabulary (${floatType})`, async () => {
    for (const vocab of VOCABULARIES) {
      const { selected } = await evaluate(equalRows(vocab), { floatType, control: { name: "forking-tokens" } });
      // 5 of 24
      assert.deepEqual(selected!.flat().indexOf(0), 5, `vocabulary ${vocab}`);
      assert.equal(
        selected!.flat().reduce((a, b) => a + b, 0),
        5,
      );
    }
  });
}

test("kl-cov: where all advantages are equal every covariance is 0, and the first token is taken", async () => {
  const rng = createRng("equal advantages");
  // six times -0.4 over 6 is not -0.4 in floating point; the first token is not the one that rounding prefers
  for (const reward of [-0.4, 0.1, 0.7]) {
    const tokens = Array.from({ length: 6 }, () => ({ z: [rng.normal(), rng.normal(), 0], o: rng.int(0, 2) }));
    const { selected, metrics } = await evaluate([{ reward, tokens }], { control: { name: "kl-cov" } });
    assert.deepEqual(selected, [[1, 0, 0, 0, 0, 0]], `reward ${reward}`);
    assert.equal(Math.abs(metrics["kl-cov/cov_mean"]!), 0);
  }
});
