import { z } from "zod";
import type { Graph, Value } from "../graph/index.ts";
import { liveSlots, maskOf, meanOver, quantileOf, scopes, shareOf, smallest } from "./stats.ts";
import {
  type ControlDef,
  type ControlTokens,
  defineControl,
  type EntropyControl,
  logpAndEntropy,
  type TokenProgram,
} from "./types.ts";

const Options = z.strictObject({
  variant: z
    .enum(["paper", "released"])
    .default("released")
    .describe(
      "released: sampled k3 on the lowest tokens of negative advantage; paper: full-vocabulary KL below the batch quantile",
    ),
  kappa: z
    .number()
    .min(0)
    .max(1)
    .default(0.02)
    .describe("tokens below this (times the largest probability) leave the proxy"),
  threshold: z
    .enum(["min-p", "fixed"])
    .default("min-p")
    .describe("min-p: kappa times the largest probability; fixed: kappa"),
  rho: z.number().min(0).max(1).default(0.01).describe("share of tokens that are candidates"),
  beta: z.number().default(1).describe("weight of the divergence from the proxy"),
  selection: z
    .enum(["mini-batch", "micro-batch"])
    .default("mini-batch")
    .describe(
      "released only: rows over which tokens are ranked; the code ranks micro-batches, which makes memory settings matter",
    ),
  ratioCap: z
    .number()
    .positive()
    .nullable()
    .default(10)
    .describe("paper only: the policy loss is -clip(r, 0, ratioCap) A; null: the objective's loss"),
});
type Options = z.infer<typeof Options>;

const FILTERED = -1e4; // log-prob of a token outside the proxy, as in the released code
const EXCLUDED = -1e30;
const K3_LIMIT = 10;
const MAX_DIFFERENCE = 20;

/**
 * Lp-Reg (arXiv:2510.03222): keeps improbable but sensible tokens alive. The proxy is the sampling policy without its noise tail,
 * renormalised; tokens of lowest probability and negative advantage are pulled towards it.
 *
 * The default is the released form with the ranking over the whole mini-batch; it is advised with `loss: {name: clip, clipLow: 1, clipHigh: 9}`.
 * Where a fixed threshold keeps nothing, nothing is regularised (the released code would take the uniform distribution). The released code
 * ranks each micro-batch, so that short ones regularise nothing (fewer than 2 / rho negative tokens); small batches need a larger `rho` in any
 * case. Its clamp of k3 at 10 leaves tokens without pull that fell below 0.07 of their proxy; `paper`, the full divergence, pulls them too.
 */
export const lpReg: ControlDef<typeof Options, null> = defineControl({
  name: "lp-reg",
  options: Options,
  create: (options) => (options.variant === "released" ? releasedLpReg(options) : paperLpReg(options)),
});

/** Proxy log-prob of the sampled token, and the kept mass of the policy that sampled. */
function proxyProgram({ kappa, threshold, variant }: Options): TokenProgram {
  return {
    outputs: ["proxyLogp", "proxyMass"],
    build: (g, { logits, logProbabilities, target, temperature }) => {
      // the released code filters the raw distribution, whatever the temperature
      const p = variant === "released" ? g.softmax(g.mul(logits, temperature)) : g.exp(logProbabilities);
      const kept = keptTokens(g, p, { kappa, threshold, strict: variant === "paper" });
      const mass = g.reduceSum(g.where(kept, g.exp(logProbabilities), 0), [-1]);
      const proxy = g.logSoftmax(g.where(kept, logits, EXCLUDED));
      const isKept = g.gatherLast(g.cast(kept, logits.dtype), target);
      const logp = g.where(g.greater(isKept, 0.5), g.gatherLast(proxy, target), FILTERED);
      return { proxyLogp: logp, proxyMass: mass };
    },
  };
}

function keptTokens(g: Graph, p: Value, o: { kappa: number; threshold: "min-p" | "fixed"; strict: boolean }): Value {
  const limit = o.threshold === "fixed" ? g.full([1], o.kappa, p.dtype) : g.mul(g.reduceMax(p, [-1], true), o.kappa);
  return o.strict ? g.greater(p, limit) : g.greaterOrEqual(p, limit);
}

function releasedLpReg(options: Options): EntropyControl<null> {
  const { rho, beta, selection } = options;
  const program = proxyProgram(options);
  const candidatesOf = (batch: Parameters<typeof scopes>[0], logp: Float64Array): number[] =>
    scopes(batch, selection).flatMap((slots) => {
      const negative = slots.filter((t) => batch.advantage[t]! < 0);
      const count = Math.max(1, Math.floor(rho * negative.length));
      return count > 1 ? smallest(negative, (t) => logp[t]!, count) : [];
    });
  return {
    init: () => null,
    old: () => program,
    measure: logpAndEntropy,
    select: ({ batch, current, old }) => {
      const logp = current!.logp;
      const regularised = candidatesOf(batch, logp).filter((t) => logp[t]! < old.proxyLogp![t]!);
      const selected = Float64Array.from(maskOf(batch.live.length, regularised));
      // log-probs of filtered tokens are no numbers to compute with: those slots are not selected
      const proxyLogp = old.proxyLogp!.map((x, t) => (selected[t] === 1 ? x : 0));
      return { features: { selected, proxyLogp }, scalars: { beta } };
    },
    graph: {
      features: ["selected", "proxyLogp"],
      scalars: ["beta"],
      penalty: (g, { advantage, ratio, logp, weight, features, scalars, policyLoss }) => {
        // beyond the limit of k3 the value is constant; unclamped, exp would overflow and its gradient be 0 · ∞
        const d = g.clip(g.mul(g.sub(features.proxyLogp!, logp), features.selected!), -MAX_DIFFERENCE, MAX_DIFFERENCE);
        const k3 = g.clip(g.sub(g.sub(g.exp(d), d), 1), -K3_LIMIT, K3_LIMIT);
        const replaced = g.sub(g.mul(k3, scalars.beta!), g.mul(advantage, ratio));
        return g.mul(g.mul(g.sub(replaced, policyLoss), features.selected!), weight);
      },
    },
    report: ({ batch, current, old, selection: chosen }) => {
      const live = liveSlots(batch);
      const logp = current!.logp;
      const candidates = candidatesOf(batch, logp);
      const selected = Uint8Array.from(chosen.features!.selected!);
      const regularised = live.filter((t) => selected[t] === 1);
      const k3 = (t: number): number => {
        const d = old.proxyLogp![t]! - logp[t]!;
        return Math.min(K3_LIMIT, Math.exp(d) - d - 1);
      };
      return {
        selected,
        metrics: {
          ...proxyMetrics(live, old),
          ...selectionMetrics(live, candidates, regularised),
          ...(candidates.length === 0 ? {} : { "lp-reg/threshold_logp": highest(candidates, logp) }),
          ...(regularised.length === 0
            ? {}
            : {
                "lp-reg/kl": meanOver(regularised, k3),
                "lp-reg/clamped_frac": shareOf(regularised, (t) => k3(t) >= K3_LIMIT),
              }),
        },
      };
    },
  };
}

function paperLpReg(options: Options): EntropyControl<null> {
  const { rho, beta, ratioCap } = options;
  const program = proxyProgram(options);
  /** Live tokens of the lowest probabilities of the mini-batch. */
  const lowest = (live: readonly number[], logp: Float64Array): number[] => {
    if (live.length === 0) return [];
    const limit = quantileOf(
      live.map((t) => Math.exp(logp[t]!)),
      rho,
    );
    return live.filter((t) => Math.exp(logp[t]!) < limit);
  };
  const divergence = (g: Graph, tokens: ControlTokens): Value => {
    const { logits, logProbabilities } = tokens.old!;
    const kept = keptTokens(g, g.exp(logProbabilities), { ...options, strict: true });
    const proxy = g.logSoftmax(g.where(kept, logits, EXCLUDED));
    const difference = g.sub(proxy, tokens.logProbabilities);
    return g.reduceSum(g.where(kept, g.mul(g.exp(proxy), difference), 0), [-1]);
  };
  return {
    init: () => null,
    old: () => program,
    measure: logpAndEntropy,
    select: ({ batch, current, old }) => {
      const regularised = lowest(liveSlots(batch), current!.logp).filter(
        (t) => batch.advantage[t]! < 0 && old.proxyLogp![t]! > FILTERED,
      );
      return {
        features: { selected: Float64Array.from(maskOf(batch.live.length, regularised)) },
        scalars: { beta },
      };
    },
    graph: {
      features: ["selected"],
      scalars: ["beta"],
      needsOld: true,
      perToken: (g, tokens) => ({ divergence: divergence(g, tokens) }),
      ...(ratioCap === null
        ? {}
        : { policyLoss: (g, { advantage, ratio }) => g.neg(g.mul(advantage, g.clip(ratio, 0, ratioCap))) }),
      penalty: (g, tokens) => {
        const { features, scalars, weight } = tokens;
        return g.mul(g.mul(g.mul(divergence(g, tokens), features.selected!), weight), scalars.beta!);
      },
    },
    report: ({ batch, current, update, old, selection }) => {
      const live = liveSlots(batch);
      const logp = current!.logp;
      const low = lowest(live, logp);
      const selected = Uint8Array.from(selection.features!.selected!);
      const regularised = live.filter((t) => selected[t] === 1);
      return {
        selected,
        metrics: {
          ...proxyMetrics(live, old),
          ...selectionMetrics(
            live,
            low.filter((t) => batch.advantage[t]! < 0),
            regularised,
          ),
          ...(low.length === 0 ? {} : { "lp-reg/threshold_logp": highest(low, logp) }),
          ...(regularised.length === 0
            ? {}
            : { "lp-reg/kl": meanOver(regularised, (t) => update.values.divergence![t]!) }),
        },
      };
    },
  };
}

function proxyMetrics(live: readonly number[], old: Readonly<Record<string, Float64Array>>): Record<string, number> {
  return {
    "lp-reg/proxy_mass": meanOver(live, (t) => old.proxyMass![t]!),
    "lp-reg/filtered_frac": shareOf(live, (t) => old.proxyLogp![t] === FILTERED),
  };
}

function selectionMetrics(
  live: readonly number[],
  candidates: readonly number[],
  regularised: readonly number[],
): Record<string, number> {
  const share = (slots: readonly number[]): number => (live.length === 0 ? 0 : slots.length / live.length);
  return { "lp-reg/candidate_frac": share(candidates), "lp-reg/regularised_frac": share(regularised) };
}

/** Largest value at these slots. */
function highest(slots: readonly number[], values: Float64Array): number {
  return slots.reduce((most, t) => Math.max(most, values[t]!), Number.NEGATIVE_INFINITY);
}
