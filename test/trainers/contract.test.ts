import { test } from "node:test";
import { checkBandit } from "../support/contract-bandit.ts";
import { checkContract, checkNoSignal } from "../support/contract-control.ts";
import { checkEdges } from "../support/contract-edges.ts";
import type { Subject } from "../support/contract-subject.ts";

const LOSSES = ["clip", "clip-higher", "clip-wide", "gspo", "cispo", "reinforce"];
const ADVANTAGES = ["grpo", "dr-grpo", "rloo", "batch-norm", "gigpo", "reinforce"];
const AGGREGATES = [
  { name: "token-mean" },
  { name: "seq-mean-token-mean" },
  { name: "seq-mean-token-sum" },
  { name: "constant", length: 6 },
];
const IMPORTANCE = ["token-tis", "sequence-tis", "token-mis", "sequence-mis"];

/** One part of the objective at a time, all others at their defaults. */
const PARTS: readonly Subject[] = [
  ...LOSSES.map((name): Subject => ({ name: `loss ${name}`, objective: { loss: { name } }, split: "invariant" })),
  ...ADVANTAGES.map(
    (name): Subject => ({
      name: `advantage ${name}`,
      objective: { advantage: { name } },
      split: "invariant",
    }),
  ),
  ...AGGREGATES.map(
    (aggregate): Subject => ({
      name: `aggregate ${aggregate.name}`,
      objective: { aggregate },
      split: "invariant",
    }),
  ),
  ...AGGREGATES.map(
    (aggregate): Subject => ({
      name: `aggregate ${aggregate.name} by micro-batch`,
      objective: { aggregate: { ...aggregate, denominator: "micro-batch" } },
      // rows are weighted by their share wherever they are; only a count of tokens depends on the split
      split: aggregate.name === "token-mean" ? "differs" : "invariant",
    }),
  ),
  ...["k1", "k2", "k3", "abs", "full"].map(
    (estimator): Subject => ({
      name: `kl ${estimator}`,
      objective: { kl: { estimator, coefficient: 0.1 } },
      off: { objective: { kl: { estimator, coefficient: 0 } }, control: null, base: {} },
      bandit: { objective: { kl: { estimator, coefficient: 0.01 } } },
      split: "invariant",
    }),
  ),
  ...IMPORTANCE.map(
    (name): Subject => ({
      name: `importance ${name}`,
      objective: { importance: { name } },
      split: "invariant",
    }),
  ),
];

for (const subject of PARTS) {
  test(`contract of ${subject.name}: finite, masked, padded, deterministic, differentiable, split as declared, off`, () =>
    checkContract(subject));
  test(`edges of ${subject.name}: defined and finite in both float types`, () => checkEdges(subject));
}

for (const subject of PARTS.filter(({ name }) => !name.startsWith("aggregate") && !name.startsWith("importance")))
  test(`bandit with ${subject.name}: the right arm of two is learned`, async () => {
    await checkBandit(subject);
  });

for (const loss of LOSSES)
  for (const advantage of ADVANTAGES.slice(0, 5))
    test(`no signal: ${loss} with ${advantage} has a gradient of exactly 0 where all rewards are equal`, () =>
      checkNoSignal({
        name: `${loss}, ${advantage}`,
        // a discount tells turns apart by their distance from an equal reward: that is GiGPO's signal
        objective: {
          loss: { name: loss },
          advantage: { name: advantage, ...(advantage === "gigpo" ? { gamma: 1 } : {}) },
        },
        split: "invariant",
      }));

for (const control of ["forking-tokens", "entropy-advantage", "clip-cov", "aepo", "lp-reg"])
  test(`no signal: ${control} adds nothing where all rewards are equal`, () =>
    checkNoSignal({ name: control, control: { name: control }, split: "invariant" }));
