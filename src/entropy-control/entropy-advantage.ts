import { z } from "zod";
import { liveSlots, meanOver, shareOf } from "./stats.ts";
import { defineControl } from "./types.ts";

const Options = z.strictObject({
  alpha: z.number().min(0).default(0.4).describe("factor of the entropy"),
  kappa: z.number().positive().default(2).describe("the addition is at most |A| / kappa; above 1 the sign of A stays"),
});

/**
 * Entropy-shaped advantage, "Reasoning with Exploration" (arXiv:2506.14758): A + min(α·H, |A|/κ) in A's place, H the current full-vocabulary
 * entropy without gradient. Tokens of advantage 0 keep it.
 *
 * The defaults are the paper's for GRPO (α 0.1 for PPO): above κ = 1 no advantage changes its sign. SIREN's baseline of this name has κ = 1,
 * which can take a negative advantage away, and masked nucleus entropies.
 */
export const entropyAdvantage = defineControl({
  name: "entropy-advantage",
  options: Options,
  create: ({ alpha, kappa }) => ({
    init: () => null,
    graph: {
      advantage: (g, { advantage, entropy }) => {
        const bonus = g.mul(g.stopGradient(entropy), alpha);
        return g.add(advantage, g.min(bonus, g.div(g.abs(advantage), kappa)));
      },
    },
    report: ({ batch, update }) => {
      const slots = liveSlots(batch);
      const cap = (t: number): number => Math.abs(batch.advantage[t]!) / kappa;
      return {
        metrics: {
          "entropy-advantage/mean": meanOver(slots, (t) => Math.min(alpha * update.entropy[t]!, cap(t))),
          "entropy-advantage/capped_frac": shareOf(slots, (t) => cap(t) < alpha * update.entropy[t]!),
        },
      };
    },
  }),
});
