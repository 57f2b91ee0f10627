// KL-Cov (arXiv:2505.22617) as an entropy control of one's own, written from its equations:
//   cov_t = (A_t - mean A)(l_t - mean l) over the trained tokens, l = current log-prob
//   loss_t = -A_t r_t + [cov_t among the largest `ratio`] coefficient |l_t - lOld_t|,  r = exp(l - lOld)
import { defineControl, largest, liveSlots, logpAndEntropy, maskOf, meanOver, z } from "rlvr/entropy-control";

export default defineControl({
  name: "my-kl-cov",
  options: z.strictObject({ ratio: z.number().min(0).max(1).default(2e-3), coefficient: z.number().default(1) }),
  create: ({ ratio, coefficient }) => ({
    init: () => null, // no state
    measure: logpAndEntropy, // a pass over the mini-batch before its update, without gradient
    select: ({ batch, current }) => {
      const slots = liveSlots(batch);
      const { advantage } = batch;
      const { logp } = current!;
      const [meanA, meanL] = [meanOver(slots, (t) => advantage[t]!), meanOver(slots, (t) => logp[t]!)];
      const cov = (t: number): number => (advantage[t]! - meanA) * (logp[t]! - meanL);
      const top = largest(slots, cov, Math.max(1, Math.floor(ratio * slots.length)));
      return { features: { top: Float64Array.from(maskOf(batch.live.length, top)) }, scalars: { coefficient } };
    },
    graph: {
      features: ["top"],
      scalars: ["coefficient"],
      policyLoss: (g, { advantage, ratio: r }) => g.neg(g.mul(advantage, r)),
      penalty: (g, { logp, oldLogp, weight, features, scalars }) => {
        const distance = g.mul(g.abs(g.sub(logp, oldLogp)), scalars.coefficient!);
        return g.mul(g.mul(distance, weight), features.top!);
      },
    },
    report: ({ batch, selection }) => ({
      selected: Uint8Array.from(selection.features!.top!),
      metrics: { "control/top_frac": meanOver(liveSlots(batch), (t) => selection.features!.top![t]!) },
    }),
  }),
});
