import type { Graph, Value } from "../graph/index.ts";
import type { LossSource, TokenLoss } from "../policy/index.ts";
import type { ObjectiveConfig } from "./config.ts";

const MAX_LOG_RATIO = 20; // exp(20) stays finite in float32; no gradient outside

/**
 * The policy-gradient loss as graph code on the tokens of one chunk: Σ weight · max(−A r, −A clip(r, 1 − low, 1 + high)) with
 * r = exp(ℓ − ℓ_old). PPO's clipped surrogate (arXiv:1707.06347) with two bounds (DAPO, arXiv:2503.14476). At equal values the unclipped
 * side passes the gradient. `weight` is 1 / (trained tokens of the mini-batch), so that micro-batches add up to the token mean.
 */
export function clipLoss({ loss: { clipLow, clipHigh } }: ObjectiveConfig): TokenLoss {
  return {
    features: ["weight", "advantage", "oldLogp"],
    scalars: [],
    build(g: Graph, { logp, features }) {
      const weight = features.weight!;
      const advantage = features.advantage!;
      const ratio = g.exp(g.clip(g.sub(logp, features.oldLogp!), -MAX_LOG_RATIO, MAX_LOG_RATIO)); // [c]
      const plain = g.neg(g.mul(advantage, ratio));
      const clipped = g.neg(g.mul(advantage, g.clip(ratio, 1 - clipLow, 1 + clipHigh)));
      return { terms: { policy: weighted(g, g.max(plain, clipped), weight) } };
    },
  };
}

/** Mean negative log-likelihood of the targets: Σ weight · (−ℓ). */
export function nllLoss(): TokenLoss {
  return {
    features: ["weight"],
    scalars: [],
    build: (g, { logp, features }) => ({ terms: { policy: weighted(g, g.neg(logp), features.weight!) } }),
  };
}

function weighted(g: Graph, x: Value, weight: Value): Value {
  return g.reduceSum(g.mul(x, weight));
}

/** Where the policy's thread finds a loss of this module. */
export function lossSource(exportName: "clipLoss" | "nllLoss", options: unknown = null): LossSource {
  return { module: import.meta.url, exportName, options };
}
