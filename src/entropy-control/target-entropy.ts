import { z } from "zod";
import { bonusGraph } from "./entropy-bonus.ts";
import { liveSlots, meanOver } from "./stats.ts";
import { defineControl, type EntropyControl } from "./types.ts";

const Options = z.strictObject({
  target: z.number().min(0).default(0.2).describe("entropy to hold, nats, over the full vocabulary"),
  rate: z.number().min(0).default(1e-3).describe("change of the coefficient per step and nat of distance"),
  start: z.number().default(0).describe("coefficient of the first step"),
  min: z.number().default(0).describe("smallest coefficient; below 0 the term may lower entropy too"),
  max: z.number().default(0.05).describe("largest coefficient: what stands between a bonus and an explosion"),
});

/** The coefficient that the next step uses. */
type State = { coefficient: number };

/**
 * A bonus −c·aggregate(H) whose coefficient integrates the distance to a target: c ← clip(c + rate·(target − H), min, max) after each step, H
 * the mean full-vocabulary entropy of the updates. The controller of SIREN's adaptive baseline (arXiv:2509.25133) and of SAC's temperature
 * (arXiv:1812.05905).
 *
 * It differs from `adaptive-entropy` in that it measures what it adds, moves by the distance instead of a fixed step, and has no gate. The
 * default is slow on purpose: 100 steps at 0.5 nats below the target move c by 0.05. SIREN's code measures each micro-batch and has no upper
 * limit; here one measure a step is taken, so that the split does not matter.
 */
export const targetEntropy = defineControl({
  name: "target-entropy",
  options: Options,
  check: ({ start, min, max }) => {
    if (min > max) return `min (${min}) must be at most max (${max})`;
    return start < min || start > max ? `start (${start}) must be from min (${min}) to max (${max})` : null;
  },
  create: ({ target, rate, start, min, max }): EntropyControl<State> => ({
    init: (): State => ({ coefficient: start }),
    knobs: ({ coefficient }) => ({ coefficient }),
    select: (_measured, { coefficient }) => ({ scalars: { coefficient } }),
    graph: bonusGraph,
    report: ({ batch, update }) => ({
      metrics: {
        "target-entropy/target": target,
        "target-entropy/gap": target - meanOver(liveSlots(batch), (t) => update.entropy[t]!),
      },
    }),
    next: (state, { results }): State => {
      const values = results.flatMap(({ batch, update }) => liveSlots(batch).map((t) => update.entropy[t]!));
      if (values.length === 0) return state;
      const measured = values.reduce((sum, h) => sum + h, 0) / values.length;
      return { coefficient: Math.min(max, Math.max(min, state.coefficient + rate * (target - measured))) };
    },
    summary: ({ coefficient }) => ({ entropy_coef: coefficient }),
  }),
});
