import type { Graph, Value } from "../graph/index.ts";
import type { PolicyTokens } from "../policy/index.ts";
import type { KlConfig } from "./config.ts";

const MAX_DIFFERENCE = 20;
const MAX_K3 = 10;

/**
 * Estimators of the divergence from the reference with d = ℓ_ref − ℓ: k1 = −d, k2 = d²/2, k3 = exp(d) − d − 1 with d clamped to ±20 and the
 * value to ±10, abs = |d| (http://joschu.net/blog/kl-approx.html); full = KL(π ‖ π_ref) over the vocabulary. As a loss on on-policy samples
 * k2 has the gradient of KL(π ‖ ref), k3 that of KL(ref ‖ π), and k1 none in expectation.
 * @returns [c] nats
 */
export function klTerm(g: Graph, estimator: KlConfig["estimator"], tokens: PolicyTokens, refLogp: Value | null): Value {
  if (estimator === "full") {
    const { logProbabilities, reference } = tokens;
    const difference = g.sub(logProbabilities, reference!.logProbabilities);
    return g.reduceSum(g.mul(g.exp(logProbabilities), difference), [-1]);
  }
  const d = g.sub(refLogp!, tokens.logp);
  switch (estimator) {
    case "k1":
      return g.neg(d);
    case "k2":
      return g.mul(g.mul(d, d), 0.5);
    case "abs":
      return g.abs(d);
    case "k3": {
      const clamped = g.clip(d, -MAX_DIFFERENCE, MAX_DIFFERENCE);
      return g.clip(g.sub(g.sub(g.exp(clamped), clamped), 1), -MAX_K3, MAX_K3);
    }
  }
}

/** The same estimators of one token in plain numbers, for a penalty in the reward. @param d ℓ_ref − ℓ, nats */
export function klValue(estimator: Exclude<KlConfig["estimator"], "full">, d: number): number {
  switch (estimator) {
    case "k1":
      return -d;
    case "k2":
      return (d * d) / 2;
    case "abs":
      return Math.abs(d);
    case "k3": {
      const clamped = Math.max(-MAX_DIFFERENCE, Math.min(MAX_DIFFERENCE, d));
      return Math.max(-MAX_K3, Math.min(MAX_K3, Math.exp(clamped) - clamped - 1));
    }
  }
}
