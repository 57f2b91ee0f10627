import type { EpoOptions, EpoState } from "./epo.ts";
import { liveSlots, meanOver, shareOf } from "./stats.ts";
import type { ControlContext, EntropyControl, TokenBatch } from "./types.ts";

/**
 * EPO as released: L − λ(aggregate(H) − s·aggregate(pen)), pen = α·w outside the corridor around the history of the token's turn. pen has no
 * gradient. The step's own list of turn entropies enters the history before it is used, cut to its last `maxTurns` entries and, with
 * `leftPad`, filled with zeros in front, while tokens are looked up by their own turn: short episodes meet the wrong entry.
 */
export function releasedEpo(options: EpoOptions): EntropyControl<EpoState> {
  const { coefficient, alpha, smoothCoefficient, lowRatio = 0.8, highRatio = 1.2 } = options;
  const factor = (step: number): number => (options.smoothWeights ? smoothWeight(step, options.weightSteps) : 1);
  /** [n] reference entropy of each slot's turn, and 1 where the micro-batch is penalised. */
  const lookUp = (batch: TokenBatch, state: EpoState): { reference: Float64Array; gate: Float64Array } => {
    const means = referenceByTurn(state);
    return {
      reference: Float64Array.from(batch.turn, (turn) => means[turn] ?? 0),
      gate: openSlots(batch, options.gateTurn, means.length),
    };
  };
  const penalised = (batch: TokenBatch, entropy: Float64Array, state: EpoState): number[] => {
    const { reference, gate } = lookUp(batch, state);
    return liveSlots(batch).filter((t) => {
      const inside = lowRatio * reference[t]! < entropy[t]! && entropy[t]! < highRatio * reference[t]!;
      return gate[t] === 1 && !inside;
    });
  };
  return {
    init: () => ({ history: [] }),
    knobs: () => ({ coefficient }),
    begin: (state, { batch, entropy }) => ({ history: [...state.history, turnEntropies(batch, entropy, options)] }),
    select: ({ batch }, state, { step }) => {
      const { reference, gate } = lookUp(batch, state);
      return {
        features: { low: reference.map((h) => lowRatio * h), high: reference.map((h) => highRatio * h), gate },
        scalars: { coefficient, penalty: smoothCoefficient * alpha * factor(step) },
      };
    },
    graph: {
      features: ["low", "high", "gate"],
      scalars: ["coefficient", "penalty"],
      penalty: (g, { entropy, weight, features, scalars }) => {
        const h = g.stopGradient(entropy);
        const inside = g.and(g.less(features.low!, h), g.less(h, features.high!));
        const penalty = g.mul(g.where(inside, 0, features.gate!), scalars.penalty!);
        return g.neg(g.mul(g.mul(g.sub(entropy, penalty), weight), scalars.coefficient!));
      },
    },
    report: ({ batch, update, term }, state, context) => {
      const live = liveSlots(batch);
      const { reference, gate } = lookUp(batch, state);
      const outside = penalised(batch, update.entropy, state);
      const selected = new Uint8Array(batch.live.length);
      for (const t of outside) selected[t] = 1;
      const h = update.entropy;
      const means = referenceByTurn(state);
      return {
        selected,
        metrics: {
          "epo/smooth_loss": aggregate(context, batch, outside) * alpha * factor(context.step),
          "epo/weight": factor(context.step),
          "epo/term": term,
          "epo/gate_open": openShare(batch, gate, options.gateTurn),
          "epo/reference": means.reduce((sum, x) => sum + x, 0) / Math.max(1, means.length),
          "epo/below_frac": shareOf(live, (t) => h[t]! < lowRatio * reference[t]!),
          "epo/above_frac": shareOf(live, (t) => h[t]! > highRatio * reference[t]!),
        },
      };
    },
  };
}

/** h_s: mean old entropy of all live tokens of turn s, as the step's list. */
function turnEntropies(batch: TokenBatch, entropy: Float64Array, { maxTurns, leftPad }: EpoOptions): number[] {
  const live = liveSlots(batch);
  const turns = live.reduce((most, t) => Math.max(most, batch.turn[t]! + 1), 0);
  const list = Array.from({ length: turns }, (_, turn) =>
    meanOver(
      live.filter((t) => batch.turn[t] === turn),
      (t) => entropy[t]!,
    ),
  ).slice(-maxTurns);
  return leftPad ? [...new Array<number>(maxTurns - list.length).fill(0), ...list] : list;
}

/** Mean of each entry over the lists that have one. */
function referenceByTurn({ history }: EpoState): number[] {
  const lists = history as number[][];
  const length = lists.reduce((most, list) => Math.max(most, list.length), 0);
  return Array.from({ length }, (_, turn) => {
    const values = lists.flatMap((list) => list[turn] ?? []);
    return values.reduce((sum, x) => sum + x, 0) / values.length;
  });
}

/** [n] 1 where the slot's micro-batch has a live token of turn ≥ gateTurn (everywhere for null). */
function openSlots(batch: TokenBatch, gateTurn: number | null, turns: number): Float64Array {
  const open = new Float64Array(batch.live.length);
  for (const members of batch.microBatches) {
    const slots = liveSlots(batch, members);
    if (turns === 0 || (gateTurn !== null && !slots.some((t) => batch.turn[t]! >= gateTurn))) continue;
    for (const t of slots) open[t] = 1;
  }
  return open;
}

/** Share of the micro-batches whose gate is open; null opens also one without a live token. */
function openShare(batch: TokenBatch, gate: Float64Array, gateTurn: number | null): number {
  const open = batch.microBatches.filter(
    (members) => gateTurn === null || liveSlots(batch, members).some((t) => gate[t] === 1),
  );
  return batch.microBatches.length === 0 ? 0 : open.length / batch.microBatches.length;
}

/** The objective's aggregation of 1 at these slots, 0 elsewhere. */
function aggregate(context: ControlContext, batch: TokenBatch, slots: readonly number[]): number {
  const weights = context.weights(batch);
  return slots.reduce((sum, t) => sum + weights[t]!, 0);
}

/** w(e): 1 to 0.83 over the first half of the steps, then from 0.8 down to 0.04. */
function smoothWeight(step: number, steps: number): number {
  const half = Math.floor(steps / 2);
  const e = Math.min(Math.max(step, 0), steps);
  if (e <= half) return half === 0 ? 1 : 1 - 0.2 * (1 - Math.exp((-2 * e) / half));
  return 0.8 * Math.exp((-3 * (e - half)) / (steps - half));
}
