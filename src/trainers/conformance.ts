import type { TokenValues } from "../entropy-control/index.ts";
import type { FloatType } from "../graph/index.ts";
import type { Json } from "../rollout/types.ts";
import { groupAdvantages } from "./advantages.ts";
import type { ConformanceBatch, ConformanceCase } from "./conformance-case.ts";
import { type LogitResult, type LogitSlots, programLoss, runOnLogits } from "./conformance-passes.ts";
import { type Objective, openObjective } from "./objective.ts";
import {
  beginStep,
  computeMiniBatch,
  controlContext,
  lossMetrics,
  type ObjectiveBatch,
  type ObjectiveResult,
} from "./objective-step.ts";
import { statesOf, stepAdvantages } from "./step-groups.ts";

/** What a case gives, under the keys of its `expect`. */
export type CaseResult = Readonly<Record<string, unknown>>;

/** A case as slots: only live tokens, and the slots after them that the control reads. */
interface CaseSlots {
  readonly batch: ObjectiveBatch;
  readonly slots: LogitSlots;
  /** Row and position of each slot. */
  readonly places: readonly (readonly [number, number])[];
}

/** Everything that came up while a case was computed. Slots are live tokens, and those after them that the control reads. */
export interface ComputedCase extends CaseSlots {
  readonly objective: Objective;
  readonly done: ObjectiveResult;
  /** What the update pass was fed, by name of the loss' inputs. [n] each, and numbers */
  readonly fed: { readonly features: Readonly<Record<string, Float64Array>>; readonly scalars: Record<string, number> };
  /** [n*V] of the loss with respect to the logits */
  readonly gradient: Float64Array;
  readonly knobs: Readonly<Record<string, number>> | null;
  /** Before the step, as the step worked with it, and after it. */
  readonly states: { readonly before: Json; readonly started: Json; readonly after: Json };
}

/** Computes a case through the graph code that trains. */
export async function runCase(given: ConformanceCase, floatType: FloatType): Promise<CaseResult> {
  if (!given.batch) return planOnly(given);
  const { objective, batch, slots, places, done, gradient, knobs, states } = await computeCase(given, floatType);
  const { result, report, terms, loss } = done;
  return {
    advantages: batch.rows.map((_, i) => rowAdvantage(given.batch!, objective, i)),
    loss,
    terms,
    dLogits: spread(given.batch, slots.vocab, places, gradient),
    entropy: spreadSlots(given.batch, places, batch.live, result.update.entropy),
    ...(report.selected ? { selected: spreadSlots(given.batch, places, null, report.selected) } : {}),
    ...(knobs ? { knobs } : {}),
    ...(given.candidates === undefined && !given.auxiliaryPool ? {} : await planOnly(given)),
    state: states.after,
    metrics: { ...lossMetrics(objective, batch, result.update.logp), ...report.metrics },
  };
}

/** The objective of a case. @throws ConfigError when its parts do not fit together */
export function objectiveOf({ objective, control, batch }: ConformanceCase): Promise<Objective> {
  return openObjective({ objective, control, oldIsCurrent: batch?.oldLogits === undefined });
}

/** One step on the batch of a case. @throws Error (ours) for a case without one */
export async function computeCase(given: ConformanceCase, floatType: FloatType): Promise<ComputedCase> {
  if (!given.batch) throw new Error(`internal: case ${given.name} has no batch`);
  const { step, totalSteps } = given;
  const objective = await objectiveOf(given);
  const before = given.state ?? objective.control?.control.init() ?? null;
  const { batch, slots, places } = toSlots(given, given.batch, objective, floatType);
  const context = controlContext(objective, batch, {
    step,
    totalSteps,
    draw: (candidates) => candidates.filter((t) => given.batch!.chosen?.[places[t]![0]]?.[places[t]![1]] === 1),
  });
  const oldSlots = slots.others.old ? { ...slots, logits: slots.others.old } : slots;
  const oldProgram = objective.control?.control.old?.(before) ?? null;
  const old = await runOnLogits(
    programLoss(oldProgram ?? { outputs: [], build: () => ({}) }),
    oldSlots,
    NOTHING,
    false,
  );
  const rollout = { batch, entropy: old.values.entropy, old: old.values.values };
  const started = beginStep(objective, before, rollout, context);
  let gradient: Float64Array = new Float64Array(0);
  let fed: ComputedCase["fed"] = NOTHING;
  const passes = {
    measure: async (): Promise<TokenValues> => {
      const program = objective.control?.control.measure ?? { outputs: [], build: () => ({}) };
      return (await runOnLogits(programLoss(program), slots, NOTHING, false)).values;
    },
    update: async (features: Record<string, Float64Array>, scalars: Record<string, number>): Promise<LogitResult> => {
      fed = { features, scalars };
      const result = await runOnLogits(objective.loss, slots, fed, true);
      gradient = result.gradient;
      return result;
    },
  };
  const done = await computeMiniBatch(objective, batch, passes, { state: started, old: rollout.old, context });
  const after = objective.control?.control.next?.(started, { rollout, results: [done.result] }) ?? started;
  const knobs = objective.control?.control.knobs?.(before, { step, totalSteps }) ?? null;
  return { objective, batch, slots, places, done, fed, gradient, knobs, states: { before, started, after } };
}

const NOTHING = { features: {}, scalars: {} };

/** What the control plans: knobs, and which auxiliary completions it takes. A case without a batch asks for nothing else. */
async function planOnly(given: ConformanceCase): Promise<CaseResult> {
  const { candidates, auxiliaryPool, step, totalSteps } = given;
  const objective = await objectiveOf(given);
  const state = given.state ?? objective.control?.control.init() ?? null;
  const control = objective.control?.control;
  const knobs = { ...control?.knobs?.(state, { step, totalSteps }) };
  const plan = control?.plan?.(state);
  if (candidates !== undefined && plan) knobs.auxiliaryRows = plan.count(candidates);
  if (!auxiliaryPool) return { knobs };
  const qualifying = plan?.qualify(auxiliaryPool.groups, auxiliaryPool.rewards) ?? [];
  const chosenRows = plan ? qualifying.slice(0, plan.count(qualifying.length)) : [];
  return { knobs: { ...knobs, auxiliaryRows: chosenRows.length }, chosenRows };
}

function rowRoles(batch: ConformanceBatch, objective: Objective) {
  const rows = batch.groups.map((_, i) => ({ auxiliary: batch.auxiliary?.[i] === 1 }));
  const none = { advantages: rows.map(() => null), inBase: rows.map(() => true) };
  return { rows, ...(objective.control?.control.rows?.(rows) ?? none) };
}

function allAdvantages(batch: ConformanceBatch, objective: Objective): number[] {
  const { advantages, inBase } = rowRoles(batch, objective);
  const base = batch.groups.flatMap((_, i) => (inBase[i] ? [i] : []));
  const estimated = groupAdvantages(
    base.map((i) => batch.rewards[i]!),
    base.map((i) => batch.groups[i]!),
    objective.config.advantage,
  );
  const values = new Array<number>(batch.groups.length).fill(0);
  base.forEach((i, j) => {
    values[i] = estimated[j]!;
  });
  return values.map((value, i) => advantages[i] ?? value);
}

function rowAdvantage(batch: ConformanceBatch, objective: Objective, row: number): number {
  return allAdvantages(batch, objective)[row]!;
}

function toSlots(
  given: ConformanceCase,
  batch: ConformanceBatch,
  objective: Objective,
  floatType: FloatType,
): CaseSlots {
  const { inBase, rows: flags } = rowRoles(batch, objective);
  const advantages = allAdvantages(batch, objective);
  const ofTurns = stepAdvantages(
    batch.groups.map((group, i) => ({
      ...{ group, reward: inBase[i] ? batch.rewards[i]! : null },
      states: statesOf(batch.turns?.[i]?.filter((_, t) => batch.mask[i]![t] === 1)),
    })),
    objective.config.advantage,
  );
  const places: [number, number][] = [];
  const live: number[] = [];
  const rows = batch.groups.map((group, i) => {
    const start = places.length;
    const last = batch.mask[i]!.lastIndexOf(1);
    batch.mask[i]!.forEach((bit, t) => {
      const leaks = objective.control?.control.slotAfterEnd && last >= 0 && t === last + 1;
      if (bit !== 1 && !leaks) return;
      places.push([i, t]);
      live.push(bit);
    });
    return { start, end: places.length, group, reward: batch.rewards[i]!, auxiliary: flags[i]!.auxiliary };
  });
  // at the slot after a row's end only the logits mean something; numbers there that overflow must not reach the graph
  const flat = (values: readonly (readonly number[])[]): Float64Array =>
    Float64Array.from(places, ([i, t], slot) => (live[slot] === 1 ? values[i]![t]! : 0));
  const wide = (values: readonly (readonly (readonly number[])[])[]): Float64Array =>
    Float64Array.from(places.flatMap(([i, t]) => [...values[i]![t]!]));
  const vocab = batch.logits[0]?.[0]?.length ?? 1;
  const tokens = places.map(([i, t]) => batch.tokens[i]![t]!);
  const oldLogp = batch.oldLogp ? flat(batch.oldLogp) : logpOf(wide(batch.oldLogits ?? batch.logits), tokens, vocab);
  const temperature = batch.temperature ?? 1;
  return {
    batch: {
      rows,
      microBatches: given.microBatches ?? [rows.map((_, i) => i)],
      live: Uint8Array.from(live),
      turn: Int32Array.from(places, ([i, t], slot) => (live[slot] === 1 ? Math.max(0, batch.turns?.[i]?.[t] ?? 0) : 0)),
      advantage: Float64Array.from(
        places,
        ([i, t]) => advantages[i]! + (ofTurns?.[i]?.[batch.turns?.[i]?.[t] ?? 0] ?? 0),
      ),
      oldLogp,
      temperature,
      rolloutLogp: batch.rolloutLogp ? flat(batch.rolloutLogp) : null,
      refLogp: batch.refLogp
        ? flat(batch.refLogp)
        : batch.refLogits
          ? logpOf(wide(batch.refLogits), tokens, vocab).map((logp, slot) => (live[slot] === 1 ? logp : 0))
          : null,
      inBase,
    },
    slots: {
      logits: wide(batch.logits),
      others: {
        ...(batch.oldLogits ? { old: wide(batch.oldLogits) } : {}),
        ...(batch.refLogits
          ? { reference: wide(batch.refLogits).map((z, k) => z * live[Math.floor(k / vocab)]!) }
          : {}),
      },
      ...{ tokens, vocab, temperature, floatType },
    },
    places,
  };
}

/** Log-softmax at the tokens. */
function logpOf(logits: Float64Array, tokens: readonly number[], vocab: number): Float64Array {
  return Float64Array.from(tokens, (token, slot) => {
    const row = logits.subarray(slot * vocab, (slot + 1) * vocab);
    const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    return row[token]! - most - Math.log(row.reduce((sum, z) => sum + Math.exp(z - most), 0));
  });
}

/** [n*V] → [N][T][V], zero elsewhere. */
function spread(
  batch: ConformanceBatch,
  vocab: number,
  places: CaseSlots["places"],
  values: Float64Array,
): number[][][] {
  const out = batch.mask.map((row) => row.map(() => new Array<number>(vocab).fill(0)));
  places.forEach(([i, t], slot) => {
    out[i]![t] = Array.from(values.subarray(slot * vocab, (slot + 1) * vocab));
  });
  return out;
}

/** [n] → [N][T], zero elsewhere and where the mask is 0. */
function spreadSlots(
  batch: ConformanceBatch,
  places: CaseSlots["places"],
  mask: Uint8Array | null,
  values: ArrayLike<number>,
): number[][] {
  const out = batch.mask.map((row) => row.map(() => 0));
  places.forEach(([i, t], slot) => {
    if (mask?.[slot] !== 0) out[i]![t] = values[slot]!;
  });
  return out;
}
