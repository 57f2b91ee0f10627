import { z } from "zod";
import { bonusGraph } from "./entropy-bonus.ts";
import { liveSlots, meanOver } from "./stats.ts";
import { defineControl, type EntropyControl } from "./types.ts";

const Options = z.strictObject({
  target: z.number().default(0.2).describe("entropy to keep, nats (measured as -mean log-prob of the sampled tokens)"),
  delta: z.number().min(0).default(1e-4).describe("change of the coefficient per step"),
  min: z.number().default(0).describe("smallest coefficient"),
  max: z.number().default(5e-3).describe("largest coefficient"),
});

/** The coefficient, and whether it is applied (1) or gated off (0). */
type State = { coefficient: number; enabled: number };

/**
 * Skywork-OR1's adaptive bonus (arXiv:2505.22312): −c·enabled·aggregate(H), where c rises by `delta` after a step whose entropy was below the
 * target and falls otherwise, and is applied only while below. Measure and gate act from the next step on. What it measures is −mean ℓ_old of
 * the sampled tokens, as the released code does, not the full-vocabulary entropy.
 *
 * The defaults are those of the released scripts, made for entropies near 0.2 nats and a thousand steps; a short run needs a larger `delta`
 * and `max`. TRL's form (at most the target, δ 0.005, limit 1) differs in all three. `target-entropy` is the smoother controller.
 */
export const adaptiveEntropy = defineControl({
  name: "adaptive-entropy",
  options: Options,
  check: ({ min, max }) => (min > max ? `min (${min}) must be at most max (${max})` : null),
  create: ({ target, delta, min, max }): EntropyControl<State> => {
    const applied = ({ coefficient, enabled }: State): number => coefficient * enabled;
    return {
      init: (): State => ({ coefficient: 0, enabled: 1 }),
      knobs: (state) => ({ coefficient: applied(state) }),
      select: (_measured, state) => ({ scalars: { coefficient: applied(state) } }),
      graph: bonusGraph,
      report: (_result, state) => ({
        metrics: { "adaptive-entropy/target": target, "adaptive-entropy/applied": applied(state) },
      }),
      next: ({ coefficient }, { rollout }): State => {
        const { batch } = rollout;
        const below = -meanOver(liveSlots(batch), (t) => batch.oldLogp[t]!) < target;
        const moved = coefficient + (below ? delta : -delta);
        return { coefficient: Math.min(max, Math.max(min, moved)), enabled: below ? 1 : 0 };
      },
      summary: (state) => ({ entropy_coef: applied(state) }),
    };
  },
});
