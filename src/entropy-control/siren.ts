import { z } from "zod";
import { nucleus } from "./nucleus.ts";
import { liveSlots, quantileOf, shareOf } from "./stats.ts";
import {
  type ControlTokens,
  defineControl,
  type EntropyControl,
  type Measured,
  type TokenBatch,
  type TokenProgram,
} from "./types.ts";

const Options = z.strictObject({
  variant: z
    .enum(["paper", "released"])
    .default("released")
    .describe(
      "released: nucleus without the token that crosses topP, square of each micro-batch; paper: with it, of the mini-batch",
    ),
  coefficient: z
    .number()
    .default(0.005)
    .describe("c; the useful size depends on the entropies: with entropies of 0.2 try 1 to 5"),
  topP: z.number().min(0).default(0.8).describe("mass of the nucleus; above 1 every token is kept (within topK)"),
  topK: z.int().min(1).default(10_000).describe("at most so many tokens are kept"),
  keepQuantile: z
    .number()
    .min(0)
    .max(1)
    .default(0.8)
    .describe("tokens strictly above this quantile of their row count"),
  padLeak: z
    .boolean()
    .default(false)
    .describe("released only: the slot after a row's last token is read too, as the released code does"),
  withoutAnchor: z.boolean().default(false).describe("ablation: the term is -c·H"),
  withoutTopP: z.boolean().default(false).describe("ablation: entropy of the full vocabulary"),
  withoutPeakMask: z.boolean().default(false).describe("ablation: every live token counts"),
});
type Options = z.infer<typeof Options>;

/** H_agg before the first update of the run; null until then. */
type State = { anchor: number | null };

/**
 * SIREN (arXiv:2509.25133): c·(H − anchor)², where H is the mean over rows of the mean nucleus entropy of the row's peak tokens, and the anchor
 * is H of the first batch under the initial policy. It pulls entropy back from both sides.
 *
 * The default is the released semantics with its pad leak mended: paper and code differ in the crossing token, and the code is what the
 * published numbers come from. Mended as well: the anchor's entropies are paired with their own rows, the 1e-12 terms are left out (sets of
 * one token have entropy exactly 0), topK is at most V. The square stays that of each micro-batch, as released: with several of them the
 * term counts their spread as well, and `variant: paper` is the one that does not depend on the split. The ablations of the released code:
 * `withoutAnchor`, `withoutTopP`, `withoutPeakMask`, and the last two together for "only the anchor".
 */
export const siren = defineControl({
  name: "siren",
  options: Options,
  create: (options): EntropyControl<State> => {
    const { coefficient: c, withoutAnchor } = options;
    const leak = options.padLeak && options.variant === "released" && !options.withoutPeakMask;
    const program = entropyProgram(options);
    const groups = ({ rows, microBatches }: TokenBatch): readonly (readonly number[])[] =>
      options.variant === "released" ? microBatches.filter((members) => members.length > 0) : [rows.map((_, i) => i)];
    return {
      init: (): State => ({ anchor: null }),
      slotAfterEnd: leak,
      old: ({ anchor }) => (anchor === null && !withoutAnchor ? program : null),
      begin: (state: State, { batch, old }): State => {
        if (state.anchor !== null || withoutAnchor || !old.nucleusEntropy) return state;
        const peaks = peakTokens(batch, old.nucleusEntropy, options, leak);
        return {
          anchor: aggregate(
            peaks,
            old.nucleusEntropy,
            batch.rows.map((_, i) => i),
          ),
        };
      },
      measure: program,
      select: ({ batch, current }, { anchor }) => {
        const value = current!.values.nucleusEntropy!;
        const peaks = peakTokens(batch, value, options, leak);
        const weight = new Float64Array(value.length);
        let constant = 0;
        for (const members of liveSlots(batch).length === 0 ? [] : groups(batch)) {
          const share = members.length / batch.rows.length;
          const h = aggregate(peaks, value, members);
          const slope = withoutAnchor ? -c : 2 * c * (h - anchor!);
          constant += share * (withoutAnchor ? -c * h : c * (h - anchor!) ** 2);
          for (const i of members) {
            for (const t of peaks[i]!) weight[t] = (share * slope) / (members.length * peaks[i]!.length);
          }
        }
        return { features: { slope: weight, value }, constant };
      },
      graph: {
        features: ["slope", "value"],
        // the first-order term of the square: 0 in value, and with its gradient
        penalty: (g, tokens: ControlTokens) => {
          const { nucleusEntropy } = program.build(g, tokens);
          return g.mul(tokens.features.slope!, g.sub(nucleusEntropy!, tokens.features.value!));
        },
      },
      report: ({ batch, current, term }, { anchor }) => {
        const value = current!.values.nucleusEntropy!;
        const peaks = peakTokens(batch, value, options, leak);
        const live = liveSlots(batch);
        const selected = new Uint8Array(value.length);
        for (const slots of peaks) for (const t of slots) selected[t] = 1;
        const h = aggregate(
          peaks,
          value,
          batch.rows.map((_, i) => i),
        );
        return {
          selected,
          metrics: {
            "siren/h_agg": h,
            "siren/term": term,
            "siren/kept_frac":
              live.length === 0 ? 0 : peaks.reduce((sum, slots) => sum + slots.length, 0) / live.length,
            ...(anchor === null ? {} : { "siren/anchor": anchor, "siren/gap": h - anchor }),
            ...(options.variant === "released" && !options.withoutTopP
              ? { "siren/empty_set_frac": shareOf(live, (t) => current!.values.nucleusSize![t] === 0) }
              : {}),
          },
        };
      },
    };
  },
});

/** Entropy of the nucleus' own softmax, with gradient through the kept logits, and its size. */
function entropyProgram({ variant, topP, topK, withoutTopP }: Options): TokenProgram {
  if (withoutTopP) return { outputs: ["nucleusEntropy"], build: (_g, { entropy }) => ({ nucleusEntropy: entropy }) };
  return {
    outputs: ["nucleusEntropy", "nucleusSize"],
    build: (g, { logits, logProbabilities }) => {
      const { entropy, size } = nucleus(g, logits, logProbabilities, { topP, topK, crossing: variant === "paper" });
      return { nucleusEntropy: entropy, nucleusSize: size };
    },
  };
}

/** Slots of each row above the row's quantile, which live tokens alone decide. */
function peakTokens(
  batch: TokenBatch,
  value: Measured["batch"]["advantage"],
  { keepQuantile, withoutPeakMask }: Options,
  leak: boolean,
): number[][] {
  return batch.rows.map(({ start, end }, i) => {
    const live = liveSlots(batch, [i]);
    if (withoutPeakMask || live.length === 0) return live;
    const threshold = quantileOf(
      live.map((t) => value[t]!),
      keepQuantile,
    );
    const readable = leak && end > start && batch.live[end - 1] === 0 ? [...live, end - 1] : live;
    return readable.filter((t) => value[t]! > threshold);
  });
}

/** Mean over these rows of the mean over the row's kept slots; a row that keeps nothing adds 0. */
function aggregate(kept: readonly (readonly number[])[], value: Float64Array, members: readonly number[]): number {
  if (members.length === 0) return 0;
  const rowMean = (slots: readonly number[]): number =>
    slots.length === 0 ? 0 : slots.reduce((sum, t) => sum + value[t]!, 0) / slots.length;
  return members.reduce((sum, i) => sum + rowMean(kept[i]!), 0) / members.length;
}
