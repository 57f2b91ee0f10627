import { z } from "zod";
import { covariances, liveSlots, maskOf, meanOver, scopes } from "./stats.ts";
import { type ControlContext, defineControl, logpAndEntropy, type TokenBatch } from "./types.ts";

const Options = z.strictObject({
  ratio: z.number().min(0).max(1).default(2e-4).describe("share of the live tokens that leave the policy term"),
  low: z.number().default(1).describe("candidates have a covariance above this"),
  high: z.number().default(5).describe("and below this"),
  scope: z
    .enum(["mini-batch", "micro-batch"])
    .default("mini-batch")
    .describe("rows over which means and counts are taken; the released code uses the micro-batch"),
});

const MAX_LOG_RATIO = 20;

/**
 * Clip-Cov (arXiv:2505.22617): of the tokens with low < cov < high that the loss does not clip already, max(1, ⌊ratio · n⌋) are drawn at
 * random and their token loss is multiplied by 0; denominators stay. cov = (A − mean A)(ℓ − mean ℓ) with the current ℓ.
 *
 * `ratio` and the bounds are the paper's. The released code takes means and counts over the micro-batch; the default here is the mini-batch,
 * so that memory settings do not change what is trained. Its scripts set `loss: {name: clip, clipLow: 1, clipHigh: 1}`.
 */
export const clipCov = defineControl({
  name: "clip-cov",
  options: Options,
  check: ({ low, high }, { loss }) => {
    if (!loss.name.startsWith("clip")) return `needs the loss clip, not ${loss.name}: it asks which tokens are clipped`;
    return low > high ? `low (${low}) must be at most high (${high})` : null;
  },
  create: ({ ratio, low, high, scope }) => {
    /** [n] 1 where the token loss becomes 0 */
    const selected = (batch: TokenBatch, logp: Float64Array, context: ControlContext): Uint8Array => {
      const cov = covariances(batch, logp, scope);
      const drawn = scopes(batch, scope).flatMap((slots) => {
        const candidates = slots.filter(
          (t) =>
            cov[t]! > low && cov[t]! < high && !isClipped(batch.advantage[t]!, logp[t]! - batch.oldLogp[t]!, context),
        );
        const count = Math.min(Math.max(1, Math.floor(ratio * slots.length)), candidates.length);
        return count === candidates.length ? candidates : [...context.draw(candidates, count)];
      });
      return maskOf(batch.live.length, drawn);
    };
    return {
      init: () => null,
      measure: logpAndEntropy,
      select: ({ batch, current }, _state, context) => ({
        policyFactor: Float64Array.from(selected(batch, current!.logp, context), (bit) => 1 - bit),
      }),
      report: ({ batch, current, selection }) => {
        const slots = liveSlots(batch);
        const cov = covariances(batch, current!.logp, scope);
        const zeroed = maskOf(
          batch.live.length,
          slots.filter((t) => selection.policyFactor![t] === 0),
        );
        return {
          metrics: {
            "clip-cov/cov_mean": meanOver(slots, (t) => cov[t]!),
            "clip-cov/clipped_frac": meanOver(slots, (t) => zeroed[t]!),
          },
          selected: zeroed,
        };
      },
    };
  },
});

/** Whether the clipped side of the loss is strictly the larger one. */
function isClipped(advantage: number, logRatio: number, { clip }: ControlContext): boolean {
  const ratio = Math.exp(Math.max(-MAX_LOG_RATIO, Math.min(MAX_LOG_RATIO, logRatio)));
  const bounded = Math.max(1 - clip!.low, Math.min(1 + clip!.high, ratio));
  return -advantage * bounded > -advantage * ratio;
}
