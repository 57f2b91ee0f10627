import { z } from "zod";
import { largest, liveSlots, maskOf, scopes } from "./stats.ts";
import { defineControl, logpAndEntropy } from "./types.ts";

const Options = z.strictObject({
  ratio: z
    .number()
    .min(0)
    .max(1)
    .default(0.2)
    .describe("share of the live tokens that stay in the policy term; at least one"),
  scope: z
    .enum(["mini-batch", "micro-batch"])
    .default("mini-batch")
    .describe("rows over which tokens are ranked; the released code uses the micro-batch"),
});

/**
 * Forking tokens, "Beyond the 80/20 Rule" (arXiv:2506.01939): only the ⌈ratio · n⌉ live tokens of the largest current entropy are in the
 * policy term, and its denominators count no others. KL keeps all live tokens.
 *
 * The default 0.2 is the paper's, ranked over the mini-batch: the released code ranks each micro-batch, so that memory settings change the
 * result, and divides 0 by 0 in a row without a kept token, which here does not count. Equal entropies: the earlier token is kept.
 */
export const forkingTokens = defineControl({
  name: "forking-tokens",
  options: Options,
  create: ({ ratio, scope }) => ({
    init: () => null,
    measure: logpAndEntropy,
    select: ({ batch, current }) => {
      const kept = scopes(batch, scope).flatMap((slots) =>
        // the released code's count: 0.9999 instead of a ceiling
        largest(slots, (t) => current!.entropy[t]!, Math.max(1, Math.floor(ratio * slots.length + 0.9999))),
      );
      return { policyTokens: maskOf(batch.live.length, kept) };
    },
    report: ({ batch, current, selection }) => {
      const slots = liveSlots(batch);
      const kept = slots.filter((t) => selection.policyTokens![t] === 1);
      return {
        metrics: {
          ...(kept.length === 0
            ? {}
            : { "forking-tokens/threshold": kept.reduce((low, t) => Math.min(low, current!.entropy[t]!), Infinity) }),
          "forking-tokens/kept_frac": slots.length === 0 ? 0 : kept.length / slots.length,
        },
        selected: selection.policyTokens!,
      };
    },
  }),
});
