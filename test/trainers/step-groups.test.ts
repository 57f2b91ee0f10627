import assert from "node:assert/strict";
import { test } from "node:test";
import { AdvantageConfig } from "../../src/trainers/config.ts";
import { perToken, statesOf, stepAdvantages } from "../../src/trainers/step-groups.ts";
import { evaluate, logpGradient, near } from "../support/objective-case.ts";

const gigpo = (more: object = {}) => AdvantageConfig.parse({ name: "gigpo", epsilon: 0, gamma: 0.5, ...more });

test("stepAdvantages: turns from one state are compared by their discounted returns, across the completions of a group", () => {
  const rows = [
    { group: 0, reward: 1, states: ["start", "door"] }, // returns 0.5, 1
    { group: 0, reward: 0, states: ["start"] }, // 0
    { group: 0, reward: 2, states: ["door", "start", "key"] }, // 0.5, 1, 2
  ];
  // start: 0.5, 0, 1: mean 0.5, unbiased std 0.5 → 0, −1, 1; door: 1, 0.5: mean 0.75, std √0.125 → ±√0.5; key is alone → 0
  const half = Math.SQRT1_2;
  near(stepAdvantages(rows, gigpo()), [[0, half], [-1], [-half, 1, 0]], 1e-12);
  near(stepAdvantages(rows, gigpo({ stepWeight: 2 })), [[0, 2 * half], [-2], [-2 * half, 2, 0]], 1e-12);
  near(stepAdvantages(rows, gigpo({ normalise: false })), [[0, 0.25], [-0.5], [-0.25, 0.5, 0]], 1e-12);
});

test("stepAdvantages: states of another group are other states, completions without a verdict count nowhere, equal returns give exactly 0", () => {
  const rows = [
    { group: 0, reward: 1, states: ["s"] },
    { group: 1, reward: 0, states: ["s"] },
    { group: 0, reward: null, states: ["s", "s"] },
    { group: 2, reward: 0.1, states: ["s"] },
    { group: 2, reward: 0.1, states: ["s"] },
    { group: 2, reward: 0.1, states: ["s"] },
  ];
  assert.deepEqual(stepAdvantages(rows, gigpo()), [[0], [0], [0, 0], [0], [0], [0]]);
});

test("stepAdvantages: other advantages have none", () => {
  assert.equal(stepAdvantages([{ group: 0, reward: 1, states: ["s"] }], AdvantageConfig.parse({ name: "grpo" })), null);
});

test("statesOf and perToken: one state a turn, each token gets its turn's advantage on top of the completion's", () => {
  assert.deepEqual(statesOf(Int32Array.of(0, 0, 1, 2)), ["", "", ""]);
  assert.deepEqual(statesOf(undefined), [""]);
  assert.deepEqual([...perToken(1, [0.5, -2], [0, 0, 1], 3)], [1.5, 1.5, -1]);
  assert.deepEqual([...perToken(1, [0.5], undefined, 2)], [1.5, 1.5]);
});

test("gigpo: the gradient of a token is that of its completion's and its turn's advantage together", async () => {
  const z = [0.3, -0.2, 0.1];
  const token = (o: number, turn: number) => ({ z, o, turn });
  const rows = [
    { group: 0, reward: 1, tokens: [token(0, 0), token(1, 1)] },
    { group: 0, reward: 0, tokens: [token(2, 0)] },
  ];
  const { dLogits } = await evaluate(rows, { objective: { advantage: gigpo({ normalise: false }) } });
  // episodes: ±0.5. One state for all turns: returns 0.5, 1 | 0, mean 0.5 → 0, 0.5 | −0.5. Loss −A r over 3 tokens, r = 1.
  const expected = (advantage: number, o: number) => logpGradient(z, o).map((x) => (-advantage * x) / 3);
  near(
    dLogits,
    [
      [expected(0.5, 0), expected(1, 1)],
      [expected(-1, 2), [0, 0, 0]],
    ],
    1e-9,
  );
});
