import { test } from "node:test";
import { checkBandit } from "../support/contract-bandit.ts";
import { checkContract, checkForgetsNothing } from "../support/contract-control.ts";
import { checkEdges } from "../support/contract-edges.ts";
import type { Subject } from "../support/contract-subject.ts";

const WIDE = { loss: { name: "clip-wide" } };
const ANCHOR = { anchor: 0.6 };

/** Every control in every variant and ablation, with options that make it act on the batch of the contract. */
const CONTROLS: readonly Subject[] = [
  {
    name: "entropy-bonus",
    control: { name: "entropy-bonus", coefficient: 0.1 },
    off: { control: { name: "entropy-bonus", coefficient: 0 } },
    bandit: { control: { name: "entropy-bonus", coefficient: 0.01 } },
    split: "invariant",
  },
  {
    name: "adaptive-entropy",
    control: { name: "adaptive-entropy", target: 5 },
    state: { coefficient: 0.05, enabled: 1 },
    off: { control: { name: "adaptive-entropy" }, state: { coefficient: 0, enabled: 1 } },
    split: "invariant",
  },
  {
    name: "target-entropy",
    control: { name: "target-entropy", target: 1, max: 1 },
    state: { coefficient: 0.05 },
    off: { control: { name: "target-entropy" }, state: { coefficient: 0 } },
    split: "invariant",
  },
  {
    name: "clip-cov",
    control: { name: "clip-cov", ratio: 1, low: 0.05 },
    off: { control: { name: "clip-cov", low: 1e8, high: 1e9 } },
    bandit: { control: { name: "clip-cov", ratio: 0.02 } },
    split: "invariant",
  },
  {
    name: "clip-cov by micro-batch",
    control: { name: "clip-cov", low: 0.05, scope: "micro-batch" },
    split: "differs",
  },
  {
    name: "kl-cov",
    control: { name: "kl-cov", ratio: 0.2 },
    // without its penalty it is −A r: the clipped loss whose bounds nothing reaches
    off: { control: { name: "kl-cov", coefficient: 0 }, base: { loss: { name: "clip", clipLow: 1, clipHigh: 1e9 } } },
    bandit: { control: { name: "kl-cov", ratio: 0.02 } },
    split: "invariant",
  },
  { name: "kl-cov by micro-batch", control: { name: "kl-cov", scope: "micro-batch" }, split: "differs" },
  {
    name: "forking-tokens",
    control: { name: "forking-tokens" },
    off: { control: { name: "forking-tokens", ratio: 1 } },
    split: "invariant",
  },
  {
    name: "forking-tokens by micro-batch",
    control: { name: "forking-tokens", scope: "micro-batch" },
    split: "differs",
  },
  {
    name: "entropy-advantage",
    control: { name: "entropy-advantage" },
    off: { control: { name: "entropy-advantage", alpha: 0 } },
    split: "invariant",
  },
  {
    name: "siren released",
    control: { name: "siren", coefficient: 1 },
    state: ANCHOR,
    off: { control: { name: "siren", coefficient: 0 } },
    bandit: { control: { name: "siren" } },
    split: "differs",
  },
  {
    name: "siren released with the slot after the end",
    control: { name: "siren", coefficient: 1, padLeak: true },
    state: ANCHOR,
    // no `off`: slots that the base objective does not have change the order of its sums, and with it the last bit
    bandit: { control: { name: "siren", padLeak: true } },
    split: "differs",
  },
  {
    name: "siren paper",
    control: { name: "siren", variant: "paper", coefficient: 1 },
    state: ANCHOR,
    off: { control: { name: "siren", variant: "paper", coefficient: 0 } },
    bandit: { control: { name: "siren", variant: "paper" } },
    split: "invariant",
  },
  {
    name: "siren without anchor",
    control: { name: "siren", coefficient: 0.1, withoutAnchor: true },
    split: "invariant",
    bandit: { control: { name: "siren", withoutAnchor: true } },
  },
  {
    name: "siren without top-p",
    control: { name: "siren", variant: "paper", coefficient: 1, withoutTopP: true },
    state: ANCHOR,
    split: "invariant",
    bandit: { control: { name: "siren", withoutTopP: true } },
  },
  {
    name: "siren without peak mask",
    control: { name: "siren", variant: "paper", coefficient: 1, withoutPeakMask: true },
    state: ANCHOR,
    split: "invariant",
    bandit: { control: { name: "siren", withoutPeakMask: true } },
  },
  {
    name: "siren with few tokens",
    control: { name: "siren", variant: "paper", coefficient: 1, topK: 2 },
    state: ANCHOR,
    split: "invariant",
    bandit: { control: { name: "siren", topK: 1 } },
  },
  {
    name: "epo paper",
    control: { name: "epo", coefficient: 0.1, alpha: 0.4, lowRatio: 0.5, highRatio: 1.2 },
    state: { history: [1, 1.2] },
    off: { control: { name: "epo", coefficient: 0 } },
    bandit: { control: { name: "epo", coefficient: 0.01 } },
    split: "invariant",
  },
  {
    name: "epo released",
    control: { name: "epo", variant: "released", coefficient: 0.1, gateTurn: 1, smoothWeights: true },
    state: { history: [[1, 1.2]] },
    off: { control: { name: "epo", variant: "released", coefficient: 0 } },
    bandit: { control: { name: "epo", variant: "released", coefficient: 0.01 } },
    split: "invariant",
  },
  {
    name: "aepo released",
    control: { name: "aepo" },
    auxiliary: true,
    off: { control: { name: "aepo" } },
    split: "invariant",
  },
  {
    name: "aepo scope",
    control: { name: "aepo", variant: "scope", alpha: 0.5 },
    auxiliary: true,
    off: { control: { name: "aepo", variant: "scope", alpha: 0 } },
    split: "invariant",
  },
  {
    name: "lp-reg released",
    objective: WIDE,
    control: { name: "lp-reg", kappa: 0.1, rho: 0.9 },
    off: { control: { name: "lp-reg", rho: 0 } },
    split: "invariant",
  },
  {
    name: "lp-reg released by micro-batch",
    objective: WIDE,
    control: { name: "lp-reg", kappa: 0.1, rho: 0.6, selection: "micro-batch" },
    split: "differs",
  },
  {
    name: "lp-reg paper",
    control: { name: "lp-reg", variant: "paper", kappa: 0.05, rho: 0.7 },
    off: { control: { name: "lp-reg", variant: "paper", beta: 0, ratioCap: null } },
    split: "invariant",
  },
  {
    name: "lp-reg paper with a fixed threshold",
    control: { name: "lp-reg", variant: "paper", threshold: "fixed", kappa: 0.05, rho: 0.7 },
    split: "invariant",
  },
];

for (const subject of CONTROLS) {
  test(`contract of ${subject.name}: finite, masked, padded, deterministic, differentiable, with JSON state, split as declared, off`, () =>
    checkContract(subject));
  test(`edges of ${subject.name}: defined and finite in both float types`, () => checkEdges(subject));
  test(`no signal under ${subject.name}: what rewards of a group all are makes no difference, nothing is forgotten`, () =>
    checkForgetsNothing(subject));
  test(`bandit with ${subject.name}: the right arm of two is learned`, async () => {
    await checkBandit(subject);
  });
}
