import { z } from "zod";
import { liveSlots, maskOf, meanOver } from "./stats.ts";
import { defineControl, type EntropyControl, type MiniBatchResult, type TokenBatch } from "./types.ts";

const Options = z.strictObject({
  variant: z
    .enum(["released", "scope"])
    .default("released")
    .describe(
      "released: two temperatures, auxiliary rows replace rows; scope (v7): proportional temperature, they come on top",
    ),
  target: z.number().default(0.5).describe("entropy to hold, nats"),
  lowTemperature: z
    .number()
    .positive()
    .default(0.8)
    .describe("temperature above the target, or the controller's lower limit"),
  highTemperature: z.number().positive().default(1.2).describe("temperature below the target, or the upper limit"),
  maxRows: z.int().min(0).default(60).describe("released: most rows that are replaced"),
  threshold: z
    .number()
    .default(0.05)
    .describe("released: a row qualifies with a larger advantage in its auxiliary group"),
  promptShare: z.number().gt(0).max(1).default(0.25).describe("share of the step's prompts that are sampled again"),
  alpha: z
    .number()
    .min(0)
    .default(1 / 64)
    .describe("scope: weight of the added term"),
  clip: z.number().min(0).default(0.2).describe("scope: clip of the added term's ratio"),
  entropy: z
    .enum(["sampled", "full"])
    .optional()
    .describe("what is measured for the next step: -mean log-prob (released) or the full-vocabulary entropy (scope)"),
});

/** Entropy measured in the step before; 0 at the start (and for null), so that a run begins hot. */
type State = { entropy: number | null };

const ADVANTAGE_EPSILON = 1e-6;

/**
 * AEPO (arXiv:2510.08141): rows sampled at a temperature above 1 while the entropy is below its target, and below 1 while it is above, trained
 * with the right answers alone and log-probs at temperature 1: what is sampled hot flattens the policy, what is sampled cold sharpens it.
 *
 * The default is the released form (rows are replaced, two temperatures), since its published numbers are AEPO's and it costs no longer batch.
 * Departures from that code: no qualifying row means none is used instead of an error, and replaced rows are dealt to mini-batches with their
 * groups instead of all landing in the first. Kept as released: halving above the target, heating at exactly the target, rows of groups that
 * are all right are not used. `scope` is the form of the paper's seventh version, SCOPE-RL: a proportional temperature, and right rows added
 * with weight α. Importance corrections leave auxiliary rows alone.
 */
export const aepo = defineControl({
  name: "aepo",
  options: Options,
  check: ({ lowTemperature: low, highTemperature: high }) =>
    low > high ? `lowTemperature (${low}) must be at most highTemperature (${high})` : null,
  create: (options): EntropyControl<State> => {
    const { variant, target, lowTemperature, highTemperature } = options;
    const released = variant === "released";
    const measure = options.entropy ?? (released ? "sampled" : "full");
    const temperature = ({ entropy }: State): number => {
      const h = entropy ?? 0;
      if (released) return h <= target ? highTemperature : lowTemperature;
      return Math.min(highTemperature, Math.max(lowTemperature, 1 + target - h));
    };
    const rowCount = (qualifying: number, { entropy: h }: State): number => {
      if (!released) return qualifying;
      const most = Math.min(options.maxRows, qualifying);
      return (h ?? 0) > target ? Math.floor(most / 2) : most;
    };
    return {
      init: (): State => ({ entropy: 0 }),
      knobs: (state) => ({ temperature: temperature(state) }),
      plan: (state: State) => ({
        promptShare: options.promptShare,
        temperature: temperature(state),
        place: released ? ("replace" as const) : ("add" as const),
        // scope: wrong rows count in the denominator of the added term
        qualify: (groups, rewards) =>
          released ? qualifyingRows(groups, rewards, options.threshold) : groups.map((_, i) => i),
        count: (qualifying) => rowCount(qualifying, state),
        report: ({ qualifying, used, all }) => ({
          "aepo/aux_candidates": qualifying,
          "aepo/aux_rows": used,
          ...(released && all > 0 ? { "aepo/aux_frac": used / all } : {}),
        }),
      }),
      rows: (rows) => ({
        advantages: rows.map(({ auxiliary }) => (auxiliary && released ? 1 : null)),
        inBase: rows.map(({ auxiliary }) => released || !auxiliary),
      }),
      ...(released
        ? {}
        : {
            select: ({ batch }: { batch: TokenBatch }) => ({ features: { added: addedWeights(batch, options.alpha) } }),
            graph: {
              features: ["added"],
              penalty: (g, { ratio, features }) => {
                const kept = g.min(ratio, g.clip(ratio, 1 - options.clip, 1 + options.clip));
                return g.neg(g.mul(kept, features.added!));
              },
            },
          }),
      report: ({ batch }, state) => {
        const rows = batch.rows.filter(({ auxiliary }) => auxiliary);
        const used = batch.rows.flatMap((row, i) => (row.auxiliary && (released || row.reward >= 1) ? [i] : []));
        return {
          selected: maskOf(batch.live.length, liveSlots(batch, used)),
          metrics: {
            "aepo/controller_entropy": state.entropy ?? 0,
            "aepo/target": target,
            "aepo/temperature": temperature(state),
            "aepo/aux_rows": rows.length,
            ...(released
              ? { "aepo/aux_frac": rows.length / Math.max(1, batch.rows.length) }
              : { "aepo/alpha": options.alpha }),
          },
        };
      },
      next: (state, { results }): State => {
        const value = (t: number, { update }: MiniBatchResult): number =>
          measure === "sampled" ? -update.logp[t]! : update.entropy[t]!;
        const means = results.flatMap((result) =>
          scopesToMeasure(result.batch, released).map((slots) => meanOver(slots, (t) => value(t, result))),
        );
        return means.length === 0 ? state : { entropy: means.reduce((sum, x) => sum + x, 0) / means.length };
      },
    };
  },
});

/** Rows whose `grpo` advantage in their auxiliary group is above the threshold: right rows of mixed groups. */
function qualifyingRows(groups: readonly number[], rewards: readonly number[], threshold: number): number[] {
  return rewards.flatMap((reward, i) => {
    const group = rewards.filter((_, j) => groups[j] === groups[i]);
    if (group.length === 1) return reward / (1 + ADVANTAGE_EPSILON) > threshold ? [i] : [];
    const mean = group.reduce((sum, x) => sum + x, 0) / group.length;
    const std = Math.sqrt(group.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (group.length - 1));
    return (reward - mean) / (std + ADVANTAGE_EPSILON) > threshold ? [i] : [];
  });
}

/** α / (auxiliary rows) / (tokens of the row) on the live tokens of right auxiliary rows. [n] */
function addedWeights(batch: TokenBatch, alpha: number): Float64Array {
  const weights = new Float64Array(batch.live.length);
  const count = batch.rows.filter(({ auxiliary }) => auxiliary).length;
  batch.rows.forEach(({ auxiliary, reward }, i) => {
    if (!auxiliary || reward < 1) return;
    const slots = liveSlots(batch, [i]);
    for (const t of slots) weights[t] = alpha / count / slots.length;
  });
  return weights;
}

/** Released: every micro-batch with a live token, auxiliary rows included. Scope: all other rows together. */
function scopesToMeasure(batch: TokenBatch, released: boolean): number[][] {
  const base = batch.rows.flatMap(({ auxiliary }, i) => (auxiliary ? [] : [i]));
  const groups = released ? batch.microBatches.map((rows) => [...rows]) : [base];
  return groups.map((rows) => liveSlots(batch, rows)).filter((slots) => slots.length > 0);
}
