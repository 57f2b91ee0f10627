import type { Json } from "../rollout/types.ts";
import { type ComputedCase, computeCase, runCase } from "./conformance.ts";
import type { ConformanceCase } from "./conformance-case.ts";
import { lossMetrics } from "./objective-step.ts";

/** What the gradient of one token's logits does to it: first-order change under a descent step of length 1 on these logits alone. */
export interface TokenPush {
  /** L2 norm of ∂loss/∂logits at this position. */
  readonly norm: number;
  /** Change of the sampled token's log-prob, nats: above 0 makes it more probable. */
  readonly logp: number;
  /** Change of the entropy of this position's distribution, nats. */
  readonly entropy: number;
}

/** One token of a case, and what objective and control do to it. */
export interface ExplainedToken {
  readonly row: number;
  readonly position: number;
  readonly token: number;
  /** false: the slot after a row's end that a method reads */
  readonly live: boolean;
  readonly logp: number;
  readonly oldLogp: number;
  readonly logRatio: number;
  readonly advantage: number;
  readonly entropy: number;
  /** null when the control selects nothing */
  readonly selected: boolean | null;
  /** Weight in the policy term, importance and the control's mask included. */
  readonly weight: number;
  readonly push: TokenPush;
  /** The same of the objective without its control; null when there is none. */
  readonly pushWithout: TokenPush | null;
  /** What the control computed for this token, by name. */
  readonly control: Readonly<Record<string, number>>;
}

/** A case laid open. Everything but the parts of the objective is null where the case has no batch, except knobs and state before. */
export interface Explanation {
  readonly name: string;
  readonly step: number;
  readonly totalSteps: number;
  /** The parts with all their options. */
  readonly objective: Readonly<Record<string, unknown>>;
  readonly tokens: readonly ExplainedToken[];
  /** Of each row. */
  readonly rows: readonly {
    readonly group: number;
    readonly reward: number;
    readonly advantage: number;
    readonly auxiliary: boolean;
  }[];
  readonly loss: number | null;
  readonly terms: Readonly<Record<string, number>>;
  readonly knobs: Readonly<Record<string, number>>;
  /** Numbers that the control fed to the graph. */
  readonly scalars: Readonly<Record<string, number>>;
  readonly state: { readonly before: Json; readonly started: Json; readonly after: Json } | null;
  readonly metrics: Readonly<Record<string, number>>;
  /** Indices of the auxiliary completions that are used, for a case that asks for them. */
  readonly chosenRows: readonly number[] | null;
}

/** Computes a case in float64 through the graph code that trains, once as it is and once without its control. */
export async function explainCase(given: ConformanceCase): Promise<Explanation> {
  const { name, step, totalSteps, control } = given;
  const { filter: _rollout, ...parts } = given.objective;
  const head = { name, step, totalSteps, objective: { ...parts, control } };
  if (!given.batch) {
    const { knobs, chosenRows } = await runCase(given, "float64");
    const none = { tokens: [], rows: [], loss: null, terms: {}, scalars: {}, state: null, metrics: {} };
    return {
      ...{ ...head, ...none },
      knobs: knobs as Explanation["knobs"],
      chosenRows: (chosenRows as number[] | undefined) ?? null,
    };
  }
  const full = await computeCase(given, "float64");
  const base = control ? await computeCase(withoutControl(given), "float64") : null;
  const { objective, batch, done, fed, knobs, states } = full;
  return {
    ...head,
    tokens: full.places.map((_, slot) => explainToken(full, base, slot)),
    rows: batch.rows.map(({ group, reward, auxiliary, start, end }) => ({
      ...{ group, reward, auxiliary },
      advantage: end > start ? batch.advantage[start]! : 0,
    })),
    loss: done.loss,
    terms: done.terms,
    knobs: knobs ?? {},
    scalars: stripped(fed.scalars),
    state: states,
    metrics: { ...lossMetrics(objective, batch, done.result.update.logp), ...done.report.metrics },
    chosenRows: null,
  };
}

function withoutControl(given: ConformanceCase): ConformanceCase {
  const { state: _state, ...rest } = given;
  return { ...rest, control: null };
}

function explainToken(full: ComputedCase, base: ComputedCase | null, slot: number): ExplainedToken {
  const { batch, places, done, fed, slots } = full;
  const [row, position] = places[slot]!;
  const { logp, entropy } = done.result.update;
  const selected = done.report.selected;
  // the plain objective does not read the slot after a row's end
  const at = base ? base.places.findIndex(([r, p]) => r === row && p === position) : -1;
  return {
    ...{ row, position, token: slots.tokens[slot]!, live: batch.live[slot] === 1 },
    logp: logp[slot]!,
    oldLogp: batch.oldLogp[slot]!,
    logRatio: logp[slot]! - batch.oldLogp[slot]!,
    advantage: batch.advantage[slot]!,
    entropy: entropy[slot]!,
    selected: selected ? selected[slot] === 1 : null,
    weight: fed.features.weight![slot]!,
    push: pushOf(full, slot),
    pushWithout: base ? (at >= 0 ? pushOf(base, at) : { norm: 0, logp: 0, entropy: 0 }) : null,
    control: controlValues(full, slot),
  };
}

/** −∂loss/∂logits as a step: its length, and what it does to the token's log-prob and to the entropy. */
function pushOf({ slots: { logits, vocab, tokens }, gradient }: ComputedCase, slot: number): TokenPush {
  const z = logits.subarray(slot * vocab, (slot + 1) * vocab);
  const step = gradient.subarray(slot * vocab, (slot + 1) * vocab).map((x) => -x);
  const most = z.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const logSum = most + Math.log(z.reduce((sum, x) => sum + Math.exp(x - most), 0));
  const p = z.map((x) => Math.exp(x - logSum));
  const sum = (of: (v: number) => number): number => z.reduce((total, _, v) => total + of(v), 0);
  const surprise = (v: number): number => (p[v]! > 0 ? z[v]! - logSum : 0); // 0 · log 0 = 0
  const h = -sum((v) => p[v]! * surprise(v));
  return {
    norm: Math.sqrt(sum((v) => step[v]! ** 2)),
    logp: step[tokens[slot]!]! - sum((v) => p[v]! * step[v]!),
    entropy: -sum((v) => p[v]! * (surprise(v) + h) * step[v]!),
  };
}

/** Inputs of the control's graph, and outputs of its passes over the old and the current policy. */
function controlValues({ done, fed }: ComputedCase, slot: number): Record<string, number> {
  const { current, old, update } = done.result;
  const own = Object.entries(fed.features).filter(([name]) => name.startsWith("control/"));
  const all = { ...old, ...current?.values, ...update.values, ...stripped(Object.fromEntries(own)) };
  return Object.fromEntries(Object.entries(all).map(([name, values]) => [name, values[slot]!]));
}

function stripped<T>(values: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name.replace(/^control\//, ""), value]));
}
