import { z } from "zod";
import type { ControlGraph } from "./types.ts";
import { defineControl } from "./types.ts";

const Options = z.strictObject({
  coefficient: z
    .number()
    .default(0.001)
    .describe("c of -c·aggregate(H); the useful range is narrow: none, some and explosion are a factor of 10 apart"),
});

/** −c·H on every live token, with gradient, weighted as the objective aggregates; c is fed. */
export const bonusGraph: ControlGraph = {
  scalars: ["coefficient"],
  penalty: (g, { entropy, weight, scalars }) => g.neg(g.mul(g.mul(entropy, weight), scalars.coefficient!)),
};

/**
 * The naive bonus: L ← L − c·aggregate(H), full-vocabulary entropy of the current policy, the aggregation of the objective.
 *
 * The default 0.001 is what the released scripts of SIREN and EPO use, and on small models it does next to nothing: start there and go up by
 * factors of three. It is a baseline; `target-entropy` and `adaptive-entropy` find the coefficient themselves.
 */
export const entropyBonus = defineControl({
  name: "entropy-bonus",
  options: Options,
  create: ({ coefficient }) => ({
    init: () => null,
    knobs: () => ({ coefficient }),
    select: () => ({ scalars: { coefficient } }),
    graph: bonusGraph,
    summary: () => ({ entropy_coef: coefficient }),
  }),
});
