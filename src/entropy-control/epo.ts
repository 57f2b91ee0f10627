import { z } from "zod";
import type { Json } from "../rollout/types.ts";
import { releasedEpo } from "./epo-released.ts";
import { liveSlots, meanOver, shareOf } from "./stats.ts";
import { type ControlDef, defineControl, type EntropyControl, type TokenBatch } from "./types.ts";

const Options = z.strictObject({
  variant: z
    .enum(["paper", "released"])
    .default("paper")
    .describe("paper (v2): hinge with gradient; released: indicator, whose gradient is zero, for reproduction"),
  coefficient: z.number().default(0.001).describe("lambda: weight of the entropy and of its smoothing"),
  alpha: z.number().min(0).default(0.1).describe("weight of the penalty outside the corridor"),
  lowRatio: z.number().min(0).optional().describe("lower bound of the corridor / reference; 0 (paper), 0.8 (released)"),
  highRatio: z.number().min(0).optional().describe("upper bound / reference; 2 (paper), 1.2 (released)"),
  gamma: z.number().default(3).describe("paper: decay of beta_k = 1 + exp(-gamma k / floor(K / 2))"),
  smoothCoefficient: z.number().default(1).describe("released: factor of the penalty"),
  gateTurn: z
    .int()
    .min(0)
    .nullable()
    .default(25)
    .describe("released: a micro-batch is penalised only if it reaches this turn; null: always"),
  maxTurns: z.int().min(1).default(50).describe("released: entries of the step's list of turn entropies"),
  leftPad: z
    .boolean()
    .default(true)
    .describe("released: shorter lists are filled with zeros in front, as the code does"),
  smoothWeights: z.boolean().default(false).describe("released: multiply the penalty by w(step)"),
  weightSteps: z.int().min(0).default(150).describe("released: steps of w; the code has 150 fixed"),
});
export type EpoOptions = z.infer<typeof Options>;

/** Mean entropies of the steps so far (paper: numbers; released: one list of turn entropies a step). */
export type EpoState = { history: Json[] };

/**
 * EPO (arXiv:2509.22576): an entropy bonus, and a penalty for tokens whose entropy leaves a corridor around the mean of past steps.
 *
 * The default is the paper's second version: L − λ(L_H − β_k·L_smooth) with nested means (trajectory, turn, token), one reference over all
 * steps and a hinge that has a gradient; it is the only form in which the smoothing acts at all. With the paper's lowRatio 0 only the upper side
 * binds. β_k falls from 2 to 1 as its equation says, though the prose calls it rising. `released` is for reproduction: its penalty is an indicator without gradient, so that it trains
 * exactly like the naive bonus; its references go by turn, and its left padding shifts them.
 */
export const epo: ControlDef<typeof Options, EpoState> = defineControl({
  name: "epo",
  options: Options,
  check: ({ variant, lowRatio, highRatio }) => {
    const low = lowRatio ?? (variant === "paper" ? 0 : 0.8);
    const high = highRatio ?? (variant === "paper" ? 2 : 1.2);
    return low > high ? `lowRatio (${low}) must be at most highRatio (${high})` : null;
  },
  create: (options) => (options.variant === "paper" ? paperEpo(options) : releasedEpo(options)),
});

function paperEpo(options: EpoOptions): EntropyControl<EpoState> {
  const { coefficient, alpha, gamma, lowRatio = 0, highRatio = 2 } = options;
  const beta = ({ step, totalSteps }: { step: number; totalSteps: number }): number =>
    1 + Math.exp((-gamma * step) / Math.max(1, Math.floor(totalSteps / 2)));
  const reference = ({ history }: EpoState): number | null =>
    history.length === 0 ? null : (history as number[]).reduce((sum, x) => sum + x, 0) / history.length;
  /** Bounds of the corridor; null when there is no smoothing in this step. */
  const corridor = (state: EpoState, step: number): { low: number; high: number } | null => {
    const h = reference(state);
    return h === null || step === 0 ? null : { low: lowRatio * h, high: highRatio * h };
  };
  return {
    init: () => ({ history: [] }),
    knobs: (_state, context) => ({ coefficient, beta: beta(context) }),
    select: ({ batch }, state, context) => {
      const bounds = corridor(state, context.step);
      return {
        features: { nested: nestedWeights(batch) },
        scalars: {
          coefficient,
          smoothing: bounds ? alpha * beta(context) : 0,
          low: bounds?.low ?? 0,
          high: bounds?.high ?? 0,
        },
      };
    },
    graph: {
      features: ["nested"],
      scalars: ["coefficient", "smoothing", "low", "high"],
      penalty: (g, { entropy, features, scalars }) => {
        const hinge = (x: ReturnType<typeof g.sub>) => g.where(g.greater(x, 0), x, 0);
        const outside = g.add(hinge(g.sub(scalars.low!, entropy)), hinge(g.sub(entropy, scalars.high!)));
        const value = g.sub(entropy, g.mul(outside, scalars.smoothing!));
        return g.neg(g.mul(g.mul(value, features.nested!), scalars.coefficient!));
      },
    },
    report: ({ batch, update, term, selection }, state, context) => {
      const bounds = corridor(state, context.step);
      const live = liveSlots(batch);
      const h = update.entropy;
      const outside = (t: number): number =>
        bounds ? Math.max(0, bounds.low - h[t]!) + Math.max(0, h[t]! - bounds.high) : 0;
      const nested = selection.features!.nested!;
      const selected = new Uint8Array(batch.live.length);
      for (const t of live) if (outside(t) > 0) selected[t] = 1;
      return {
        selected,
        metrics: {
          "epo/smooth_loss": live.reduce((sum, t) => sum + nested[t]! * alpha * outside(t), 0),
          "epo/weight": beta(context),
          "epo/term": term,
          "epo/gate_open": bounds ? 1 : 0,
          ...(bounds
            ? {
                "epo/reference": reference(state)!,
                "epo/below_frac": shareOf(live, (t) => h[t]! < bounds.low),
                "epo/above_frac": shareOf(live, (t) => h[t]! > bounds.high),
              }
            : {}),
        },
      };
    },
    next: ({ history }, { rollout }) => ({
      history: [...history, meanOver(liveSlots(rollout.batch), (t) => rollout.entropy[t]!)],
    }),
  };
}

/** Weights of the nested mean: over rows, then turns of the row, then live tokens of the turn; what has no live token does not count. [n] */
function nestedWeights(batch: TokenBatch): Float64Array {
  const weights = new Float64Array(batch.live.length);
  const rows = batch.rows.map((_, i) => liveSlots(batch, [i])).filter((slots) => slots.length > 0);
  for (const slots of rows) {
    const counts = new Map<number, number>();
    for (const t of slots) counts.set(batch.turn[t]!, (counts.get(batch.turn[t]!) ?? 0) + 1);
    for (const t of slots) weights[t] = 1 / (rows.length * counts.size * counts.get(batch.turn[t]!)!);
  }
  return weights;
}
