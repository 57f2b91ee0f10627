import type { TokenLoss } from "../../src/policy/index.ts";

/** What bench/peers/torch_train.py minimises: -Σ logp·advantage - coefficient·Σ entropy·weight. */
export function benchLoss({ coefficient }: { readonly coefficient: number }): TokenLoss {
  return {
    features: ["advantage", "weight"],
    scalars: [],
    build: (g, { logp, entropy, features }) => ({
      terms: {
        policy: g.neg(g.reduceSum(g.mul(logp, features.advantage!))),
        entropy: g.mul(g.reduceSum(g.mul(entropy, features.weight!)), -coefficient),
      },
    }),
  };
}
