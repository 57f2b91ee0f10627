import type { z } from "zod";
import type { Graph, Value } from "../graph/index.ts";
import type { PolicyTokens } from "../policy/index.ts";
import type { Json } from "../rollout/types.ts";

/** One completion of a mini-batch: its slots are `start` to `end` (exclusive) of the flat arrays. */
export interface TokenRow {
  readonly start: number;
  readonly end: number;
  readonly group: number;
  readonly reward: number;
  /** Sampled besides the groups, at another temperature (AEPO). */
  readonly auxiliary: boolean;
}

/** The tokens of a mini-batch in flat arrays of n slots, row after row. Constants to differentiation. */
export interface TokenBatch {
  readonly rows: readonly TokenRow[];
  /** Rows of each micro-batch, in order. */
  readonly microBatches: readonly (readonly number[])[];
  /** [n] 1 where the policy sampled the token and it trains; 0 for the slot after a row's end that some methods read */
  readonly live: Uint8Array;
  /** [n] index of the turn, from 0 */
  readonly turn: Int32Array;
  /** [n] advantage as estimated; a control may change it in its graph */
  readonly advantage: Float64Array;
  /** [n] log-prob under the policy that sampled, at the training temperature, nats */
  readonly oldLogp: Float64Array;
  /** Training temperature: logits are divided by it. */
  readonly temperature: number;
}

/** What one pass over a mini-batch found: [n] each, nats. */
export interface TokenValues {
  /** log-prob of the tokens under the current policy */
  readonly logp: Float64Array;
  /** full-vocabulary entropy of the current policy */
  readonly entropy: Float64Array;
  /** What a program put out, by name. */
  readonly values: Readonly<Record<string, Float64Array>>;
}

/** Graph code on the tokens of one chunk, without gradient. Outputs are [c] each, by the names listed. */
export interface TokenProgram {
  readonly outputs: readonly string[];
  build(g: Graph, tokens: PolicyTokens): Record<string, Value>;
}

/** What surrounds a control: where the run is, and what the rest of the objective does. */
export interface ControlContext {
  /** Training step, from 0. */
  readonly step: number;
  readonly totalSteps: number;
  /** Bounds of the clipped ratio; null when the loss has none. */
  readonly clip: { readonly low: number; readonly high: number } | null;
  /** Weights of the objective's aggregation over these slots alone (all live ones when absent): Σ weight · x is the aggregate. [n] */
  weights(batch: TokenBatch, tokens?: Uint8Array): Float64Array;
  /** Draws `count` of the candidates at random, without repetition. */
  draw(candidates: readonly number[], count: number): readonly number[];
}

/** A mini-batch before its update. */
export interface Measured {
  readonly batch: TokenBatch;
  /** Of the current policy, when the control has a `measure` program; null otherwise. */
  readonly current: TokenValues | null;
  /** Outputs of the `old` program for these slots; empty when it did not run. */
  readonly old: Readonly<Record<string, Float64Array>>;
}

/** What a control decided about a mini-batch. */
export interface Selection {
  /** [n] each; the names are those of `graph.features` */
  readonly features?: Readonly<Record<string, Float64Array>>;
  /** The names are those of `graph.scalars`. */
  readonly scalars?: Readonly<Record<string, number>>;
  /** [n] 1 where a token stays in the policy term; the others leave its denominators too. Absent: all live ones. */
  readonly policyTokens?: Uint8Array;
  /** [n] factor of the policy term; denominators stay. */
  readonly policyFactor?: Float64Array;
  /** Added to the control's term: a value without gradient. */
  readonly constant?: number;
}

/** What the graph functions of a control see of one chunk of c tokens. Everything can be differentiated; `features` are constants. */
export interface ControlTokens extends PolicyTokens {
  /** [c] */
  readonly advantage: Value;
  /** [c] log-prob under the policy that sampled */
  readonly oldLogp: Value;
  /** [c] ℓ − ℓ_old, clamped to ±20 */
  readonly logRatio: Value;
  /** [c] exp of that */
  readonly ratio: Value;
  /** [c] weight of the aggregation over all live tokens; 0 elsewhere */
  readonly weight: Value;
}

/** The differentiable part of a control, built once into the update graph. Numbers that change over time are fed. */
export interface ControlGraph {
  /** Names of per-token inputs. They are 0 at padding, where every term must be 0 too. */
  readonly features?: readonly string[];
  readonly scalars?: readonly string[];
  /** The distribution of the policy that sampled is needed: `tokens.old`. */
  readonly needsOld?: boolean;
  /** The distribution of the reference policy, the model before training, is needed: `tokens.reference`. */
  readonly needsReference?: boolean;
  /** Takes the advantage's place in the loss. [c] */
  advantage?(g: Graph, tokens: ControlTokens): Value;
  /** Takes the place of the objective's loss. [c] */
  policyLoss?(g: Graph, tokens: ControlTokens): Value;
  /** Values that the update pass returns for metrics, by name. [c] each */
  perToken?(g: Graph, tokens: ControlTokens): Record<string, Value>;
  /** Summed over the tokens and added to the loss: weigh it with `tokens.weight` or weights of your own. [c] */
  penalty?(g: Graph, tokens: ControlTokens & { readonly policyLoss: Value }): Value;
}

/** One mini-batch after its update pass. */
export interface MiniBatchResult extends Measured {
  readonly selection: Selection;
  /** Of the update pass: the policy before this update. */
  readonly update: TokenValues;
  /** The control's term of the loss. */
  readonly term: number;
}

/** The whole rollout of a step, as the policy that sampled it sees it. */
export interface RolloutMeasures {
  readonly batch: TokenBatch;
  /** [n] entropy of that policy over the full vocabulary, nats */
  readonly entropy: Float64Array;
  /** Outputs of the `old` program; empty when it did not run. */
  readonly old: Measured["old"];
}

/** Rows to sample besides the groups. */
export interface AuxiliaryPlan {
  /** Share of the step's prompts, the first ones. */
  readonly promptShare: number;
  readonly temperature: number;
  /** Indices of the auxiliary rows that could be used, out of all that a verifier judged, in order. */
  qualify(groups: readonly number[], rewards: readonly number[]): readonly number[];
  /** How many of the qualifying rows are used: the first ones. */
  count(qualifying: number): number;
  /** `replace`: they take the places of the first rows of the batch; `add`: they come on top. */
  readonly place: "replace" | "add";
  /** Metrics of the step: rows that qualified, that were used, and all rows that train. */
  report?(rows: {
    readonly qualifying: number;
    readonly used: number;
    readonly all: number;
  }): Readonly<Record<string, number>>;
}

/** How rows enter the base objective. */
export interface RowRoles {
  /** [rows] advantage that replaces the estimated one; null keeps it */
  readonly advantages: readonly (number | null)[];
  /** [rows] false: not in advantage groups, loss and denominators */
  readonly inBase: readonly boolean[];
}

/** Values of a step by metric name, and [n] what the control selected. */
export interface ControlReport {
  readonly metrics: Readonly<Record<string, number>>;
  readonly selected?: Uint8Array;
}

/**
 * An entropy control: host functions on plain data and graph functions on the tokens of a chunk. Phases in the order of a step; those that a
 * method does not need are absent.
 */
export interface EntropyControl<State extends Json = Json> {
  /** State at the start of a run: plain JSON, kept in checkpoints. */
  init(): State;
  /** Numbers that the control sets in this step, for the log. */
  knobs?(state: State, context: Pick<ControlContext, "step" | "totalSteps">): Readonly<Record<string, number>>;
  /** Extra rollouts of this step. */
  plan?(state: State): AuxiliaryPlan | null;
  /** How rows enter the base objective; all as they are when absent. */
  rows?(rows: readonly Pick<TokenRow, "auxiliary">[]): RowRoles;
  /** Reads the slot after each row's last token too. */
  readonly slotAfterEnd?: boolean;
  /** Numbers out of the policy that sampled, over the whole rollout, before the first update; null when this step needs none. */
  old?(state: State): TokenProgram | null;
  /** State that this step works with, from the whole rollout. */
  begin?(state: State, rollout: RolloutMeasures, context: ControlContext): State;
  /** A pass over each mini-batch before its update, without gradient. */
  readonly measure?: TokenProgram;
  /** Masks, weights and numbers from statistics over the mini-batch. */
  select?(measured: Measured, state: State, context: ControlContext): Selection;
  readonly graph?: ControlGraph;
  /** Metrics of a mini-batch and what was selected in it. */
  report?(result: MiniBatchResult, state: State, context: ControlContext): ControlReport;
  /** State after the step, from all its mini-batches in order. */
  next?(state: State, step: { readonly rollout: RolloutMeasures; readonly results: readonly MiniBatchResult[] }): State;
  /** Metrics of the state after the step. */
  summary?(state: State): Readonly<Record<string, number>>;
}

/** A kind of control: its options (one strict schema, without `name`) and how to make one. */
export interface ControlDef<Options extends z.ZodType = z.ZodType, State extends Json = Json> {
  readonly name: string;
  readonly options: Options;
  /** Refuses objectives that it cannot work with: the problem in words, or null. */
  check?(options: z.output<Options>, objective: { readonly loss: { readonly name: string } }): string | null;
  create(options: z.output<Options>): EntropyControl<State>;
}

/** Types a control's definition; does nothing else. */
export function defineControl<Options extends z.ZodType, State extends Json>(
  def: ControlDef<Options, State>,
): ControlDef<Options, State> {
  return def;
}

/** A pass that needs nothing but log-probs and entropies, which every pass has. */
export const logpAndEntropy: TokenProgram = { outputs: [], build: () => ({}) };
