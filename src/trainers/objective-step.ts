import {
  type ControlContext,
  type ControlReport,
  liveSlots,
  type Measured,
  type MiniBatchResult,
  meanOver,
  type RolloutMeasures,
  type Selection,
  shareOf,
  type TokenBatch,
  type TokenValues,
} from "../entropy-control/index.ts";
import type { Json } from "../rollout/types.ts";
import { aggregationWeights } from "./aggregate.ts";
import { importanceWeights } from "./importance.ts";
import { type ContextBase, controlInputs, type Objective } from "./objective.ts";

/** A mini-batch with what the parts around the control need. */
export interface ObjectiveBatch extends TokenBatch {
  /** [n] log-prob under the distribution really sampled from; null when it is that of `oldLogp` */
  readonly rolloutLogp: Float64Array | null;
  /** [n] log-prob under the reference; null when no part asks for it */
  readonly refLogp: Float64Array | null;
  /** [rows] false: the row is not in the base objective */
  readonly inBase: readonly boolean[];
}

/** The two passes over the tokens of a mini-batch, on whatever computes them. */
export interface TokenPasses {
  /** Current policy, without gradient, with the control's `measure` program. */
  measure(): Promise<TokenValues>;
  /** Loss and gradient. Features are [n] each. */
  update(
    features: Readonly<Record<string, Float64Array>>,
    scalars: Readonly<Record<string, number>>,
  ): Promise<{ values: TokenValues; terms: Readonly<Record<string, number>> }>;
}

/** Loss of one mini-batch, term by term; the gradient lies with the passes. */
export interface ObjectiveResult {
  readonly loss: number;
  readonly terms: { readonly policy: number; readonly kl: number; readonly control: number };
  readonly result: MiniBatchResult;
  readonly report: ControlReport;
}

/** The context of a control: where the run is, and the objective's aggregation. */
export function controlContext(
  { config, surrogate }: Objective,
  batch: ObjectiveBatch,
  base: ContextBase,
): ControlContext {
  return {
    ...base,
    clip: surrogate.clip,
    weights: (of, tokens) =>
      aggregationWeights(of, config.aggregate, { ...(tokens && { tokens }), inBase: batch.inBase }),
  };
}

/** State that the step works with, from the whole rollout. */
export function beginStep(objective: Objective, state: Json, rollout: RolloutMeasures, context: ControlContext): Json {
  return objective.control?.control.begin?.(state, rollout, context) ?? state;
}

/** One mini-batch: measure, select, weigh, loss and gradient. */
export async function computeMiniBatch(
  objective: Objective,
  batch: ObjectiveBatch,
  passes: TokenPasses,
  at: { readonly state: Json; readonly old: Measured["old"]; readonly context: ControlContext },
): Promise<ObjectiveResult> {
  const control = objective.control?.control;
  const current = objective.measures ? await passes.measure() : null;
  const measured: Measured = { batch, current, old: at.old };
  const selection = control?.select?.(measured, at.state, at.context) ?? {};
  const { values, terms } = await passes.update(
    features(objective, batch, current, selection),
    controlInputs(selection.scalars ?? {}),
  );
  const term = (terms.control ?? 0) + (selection.constant ?? 0);
  const result: MiniBatchResult = { ...measured, selection, update: values, term };
  const report = control?.report?.(result, at.state, at.context) ?? { metrics: {} };
  const all = { policy: terms.policy ?? 0, kl: terms.kl ?? 0, control: term };
  return { loss: all.policy + all.kl + all.control, terms: all, result, report };
}

function features(
  { config, loss, controlFeatures, surrogate }: Objective,
  batch: ObjectiveBatch,
  current: TokenValues | null,
  selection: Selection,
): Record<string, Float64Array> {
  const { inBase } = batch;
  const liveWeight = aggregationWeights(batch, config.aggregate, { inBase });
  const { policyTokens: tokens, policyFactor } = selection;
  const weight = tokens ? aggregationWeights(batch, config.aggregate, { tokens, inBase }) : liveWeight.slice();
  if (config.importance && batch.rolloutLogp) {
    const importance = importanceWeights(batch, batch.rolloutLogp, config.importance);
    importance.forEach((w, t) => {
      weight[t]! *= w;
    });
  }
  policyFactor?.forEach((factor, t) => {
    weight[t]! *= factor;
  });
  const own = Object.fromEntries(
    controlFeatures.map((name): [string, Float64Array] => {
      const values = selection.features?.[name];
      if (values?.length !== batch.live.length)
        throw new Error(
          `control: feature ${name} must have ${batch.live.length} values, got ${values?.length ?? "none"}`,
        );
      return [name, values];
    }),
  );
  return {
    weight,
    liveWeight,
    advantage: batch.advantage,
    oldLogp: batch.oldLogp,
    ...(loss.features.includes("refLogp") ? { refLogp: batch.refLogp! } : {}),
    ...(surrogate.perSequence ? { rowLogRatio: rowLogRatios(batch, current!.logp) } : {}),
    ...controlInputs(own),
  };
}

/** Mean of ℓ − ℓ_old over the live tokens of each slot's row. [n] */
function rowLogRatios(batch: TokenBatch, logp: Float64Array): Float64Array {
  const ratios = new Float64Array(batch.live.length);
  batch.rows.forEach((_, i) => {
    const slots = liveSlots(batch, [i]);
    const mean = meanOver(slots, (t) => logp[t]! - batch.oldLogp[t]!);
    for (const t of slots) ratios[t] = mean;
  });
  return ratios;
}

/** What loss and importance correction did to the tokens, as `metrics.ts` defines it. */
export function lossMetrics(objective: Objective, batch: ObjectiveBatch, logp: Float64Array): Record<string, number> {
  return { ...clipMetrics(objective, batch, logp), ...importanceMetrics(objective, batch) };
}

function importanceMetrics({ config: { importance } }: Objective, batch: ObjectiveBatch): Record<string, number> {
  const slots = liveSlots(batch);
  if (!importance || !batch.rolloutLogp || slots.length === 0) return {};
  const all = importanceWeights(batch, batch.rolloutLogp, importance);
  const weights = slots.map((t) => all[t]!);
  return {
    "sampling/importance_sampling_ratio/min": weights.reduce((a, b) => Math.min(a, b)),
    "sampling/importance_sampling_ratio/mean": meanOver(slots, (t) => all[t]!),
    "sampling/importance_sampling_ratio/max": weights.reduce((a, b) => Math.max(a, b)),
  };
}

/** Shares of tokens at the bounds of the loss. */
function clipMetrics(
  { config: { loss } }: Objective,
  batch: ObjectiveBatch,
  logp: Float64Array,
): Record<string, number> {
  const slots = liveSlots(batch);
  const ratio = (t: number): number => Math.exp(Math.max(-20, Math.min(20, logp[t]! - batch.oldLogp[t]!)));
  if (loss.name === "reinforce") return {};
  if (loss.name === "cispo") {
    return {
      cispo_clip_ratio: shareOf(slots, (t) => ratio(t) > 1 + loss.clipHigh && batch.advantage[t]! > 0),
    };
  }
  const of =
    loss.name === "gspo" ? rowLogRatios(batch, logp).map(Math.exp) : Float64Array.from(batch.live, (_, t) => ratio(t));
  const low = (t: number): boolean => of[t]! < 1 - loss.clipLow && batch.advantage[t]! < 0;
  const high = (t: number): boolean => of[t]! > 1 + loss.clipHigh && batch.advantage[t]! > 0;
  const dual = loss.name === "gspo" ? null : loss.dualClip;
  return {
    ...(dual === null
      ? {}
      : { "actor/pg_clipfrac_lower": shareOf(slots, (t) => of[t]! > dual && batch.advantage[t]! < 0) }),
    "clip_ratio/low_mean": shareOf(slots, low),
    "clip_ratio/high_mean": shareOf(slots, high),
    "clip_ratio/region_mean": shareOf(slots, (t) => low(t) || high(t)),
  };
}
