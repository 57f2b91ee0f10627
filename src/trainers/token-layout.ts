import type { TokenRow, TokenValues } from "../entropy-control/index.ts";
import type { OtherPolicy, Policy, SequenceBatch } from "../policy/index.ts";
import { type Completion, type Insert, ledgerOf, requireSampled } from "../rollout/index.ts";
import { TrainingError } from "../utils/errors.ts";
import { type MicroBatch, packRows, scoredLength } from "./micro-batch.ts";
import type { ObjectiveBatch, TokenPasses } from "./objective-step.ts";

type Floats = Float32Array | Float64Array;

/** A completion as it trains. Arrays have one entry per token of `ids`. */
export interface TrainingCompletion {
  readonly promptIds: readonly number[];
  readonly ids: readonly number[];
  readonly inserts?: readonly Insert[];
  readonly group: number;
  readonly reward: number;
  readonly auxiliary: boolean;
  readonly inBase: boolean;
  readonly advantage: ArrayLike<number>;
  /** Log-probs at the training temperature under the policy that sampled. */
  readonly oldLogp: ArrayLike<number>;
  /** Log-probs under the distribution really sampled from. */
  readonly rolloutLogp: ArrayLike<number>;
  readonly refLogp?: ArrayLike<number>;
  /** Index of the turn of each token; all 0 when absent. */
  readonly turns?: ArrayLike<number>;
  /** Whether there is a distribution after the last token to read. */
  readonly readAfterEnd: boolean;
}

/** A completion whose log-probs are to be measured only: no reward, no advantage. */
export function forMeasuring(
  completion: Pick<Completion, "promptIds" | "ids" | "policyLogp" | "logp" | "inserts">,
  group: number,
): TrainingCompletion {
  const { promptIds, ids, policyLogp, logp, inserts } = completion;
  const advantage = new Float64Array(ids.length);
  return {
    ...(inserts ? { inserts } : {}),
    ...{ promptIds, ids, group, reward: 0, auxiliary: false, inBase: true, advantage, readAfterEnd: false },
    ...{ oldLogp: policyLogp, rolloutLogp: logp },
  };
}

/** Completions as flat slots, and the micro-batches that compute them. */
export interface Layout {
  readonly batch: ObjectiveBatch;
  readonly micro: readonly MicroBatch[];
}

/**
 * Every token of a micro-batch that is scored is a sampled one of its row, and is predicted where the token before it stands.
 * @throws TrainingError naming the first one that is not
 */
export function requireSampledTargets(completions: readonly TrainingCompletion[], micro: readonly MicroBatch[]): void {
  for (const { rows, batch } of micro) {
    let slot = 0;
    for (const row of rows) {
      const { readAfterEnd, ...parts } = completions[row]!;
      const ledger = ledgerOf(parts);
      const where = `completion ${row} of the update`;
      const trained = Array.from(ledger.sampledAt, (place, i) => ({ place, id: batch.targets[slot + i]! }));
      requireSampled(ledger, trained, where);
      for (const place of ledger.sampledAt) {
        const read = batch.ids[batch.positions[slot++]!];
        if (read !== ledger.ids[place - 1])
          throw new TrainingError(
            `${where}: token ${place} would be predicted from id ${read}, but stands behind id ${ledger.ids[place - 1]}`,
          );
      }
      if (readAfterEnd && parts.ids.length > 0) slot++;
    }
  }
}

/** Lays completions out, row after row, and cuts them into micro-batches. */
export function layOut(
  completions: readonly TrainingCompletion[],
  options: { readonly maxTokens: number; readonly temperature: number; readonly padId: number },
): Layout {
  const training = completions.map(({ promptIds, ids, inserts, readAfterEnd }) => ({
    ...{ promptIds, ids, features: {}, ...(inserts ? { inserts } : {}) },
    afterEnd: readAfterEnd && ids.length > 0,
  }));
  const micro = packRows(training, options);
  requireSampledTargets(completions, micro);
  const rows: TokenRow[] = [];
  for (const [i, { group, reward, auxiliary }] of completions.entries()) {
    const start = rows.at(-1)?.end ?? 0;
    rows.push({ start, end: start + scoredLength(training[i]!), group, reward, auxiliary });
  }
  const size = rows.at(-1)?.end ?? 0;
  const fill = (of: (completion: TrainingCompletion) => ArrayLike<number>): Float64Array => {
    const values = new Float64Array(size);
    completions.forEach((completion, i) => {
      values.set(Array.from(of(completion)), rows[i]!.start);
    });
    return values;
  };
  const hasReference = completions.some(({ refLogp }) => refLogp !== undefined);
  return {
    micro,
    batch: {
      rows,
      microBatches: micro.map((part) => part.rows),
      live: Uint8Array.from(fill(({ ids }) => new Array<number>(ids.length).fill(1))),
      turn: Int32Array.from(fill(({ turns, ids }) => turns ?? new Array<number>(ids.length).fill(0))),
      advantage: fill(({ advantage }) => advantage),
      oldLogp: fill(({ oldLogp }) => oldLogp),
      rolloutLogp: fill(({ rolloutLogp }) => rolloutLogp),
      refLogp: hasReference ? fill(({ refLogp }) => refLogp!) : null,
      inBase: completions.map(({ inBase }) => inBase),
      temperature: options.temperature,
    },
  };
}

/** Values of the first `length` slots of a row. */
export function rowSlice({ batch }: Layout, row: number, values: Float64Array, length: number): Float64Array {
  const { start } = batch.rows[row]!;
  return values.slice(start, start + length);
}

/** Slots in the order in which a micro-batch computes them. */
function slotsOf({ batch }: Layout, part: MicroBatch): number[] {
  return part.rows.flatMap((row) => {
    const { start, end } = batch.rows[row]!;
    return Array.from({ length: end - start }, (_, i) => start + i);
  });
}

/** Collects the results of micro-batches into flat arrays. */
class Collected {
  private readonly size: number;
  private readonly arrays = new Map<string, Float64Array>();

  constructor(size: number) {
    this.size = size;
  }

  put(name: string, slots: readonly number[], values: ArrayLike<number>): void {
    let array = this.arrays.get(name);
    if (!array) {
      array = new Float64Array(this.size);
      this.arrays.set(name, array);
    }
    slots.forEach((slot, i) => {
      array[slot] = values[i]!;
    });
  }

  putAll(slots: readonly number[], result: { logp: Floats; entropy: Floats; perToken: Record<string, Floats> }): void {
    this.put("logp", slots, result.logp);
    this.put("entropy", slots, result.entropy);
    for (const [name, values] of Object.entries(result.perToken)) this.put(`value/${name}`, slots, values);
  }

  get(): TokenValues {
    const named = [...this.arrays].filter(([name]) => name.startsWith("value/"));
    return {
      logp: this.arrays.get("logp") ?? new Float64Array(this.size),
      entropy: this.arrays.get("entropy") ?? new Float64Array(this.size),
      values: Object.fromEntries(named.map(([name, values]) => [name.slice("value/".length), values])),
    };
  }
}

/** Hidden states of other policies for each row of a layout: [slots of the row * D]. */
export type RowHidden = Readonly<Partial<Record<OtherPolicy, readonly Floats[]>>>;

/** A pass without gradient over a whole layout. */
export async function measureLayout(
  policy: Pick<Policy, "measure">,
  layout: Layout,
  options: {
    readonly program?: string;
    readonly policy?: "current" | "reference";
    readonly keep?: boolean;
    readonly hidden?: boolean;
  },
): Promise<{ values: TokenValues; hidden: readonly Floats[] }> {
  const { keep, ...rest } = options;
  const collected = new Collected(layout.batch.live.length);
  const hidden: Floats[] = [];
  for (const [id, part] of layout.micro.entries()) {
    const batch = { ...part.batch, forward: id };
    const result = await policy.measure(batch, { ...rest, ...(keep ? { keepAs: id } : {}) });
    const slots = slotsOf(layout, part);
    collected.putAll(slots, result);
    if (!result.hidden) continue;
    const width = result.hidden.length / slots.length;
    let at = 0;
    for (const row of part.rows) {
      const { start, end } = layout.batch.rows[row]!;
      hidden[row] = result.hidden.slice(at * width, (at + end - start) * width);
      at += end - start;
    }
  }
  return { values: collected.get(), hidden };
}

/** The passes of a mini-batch on a policy. Layer inputs of the measuring pass serve the update. */
export function policyPasses(
  policy: Pick<Policy, "measure" | "accumulate">,
  layout: Layout,
  options: { readonly program?: string; readonly hidden?: RowHidden } = {},
): TokenPasses {
  const { program, hidden = {} } = options;
  return {
    measure: async () =>
      (await measureLayout(policy, layout, { keep: true, ...(program === undefined ? {} : { program }) })).values,
    update: async (features, scalars) => {
      const collected = new Collected(layout.batch.live.length);
      const terms: Record<string, number> = {};
      for (const [id, part] of layout.micro.entries()) {
        const slots = slotsOf(layout, part);
        const batch: SequenceBatch = {
          ...part.batch,
          features: gathered(features, slots),
          ...{ scalars, forward: id },
          distributions: joined(hidden, part.rows),
        };
        const result = await policy.accumulate(batch);
        collected.putAll(slots, result);
        for (const [name, value] of Object.entries(result.terms)) terms[name] = (terms[name] ?? 0) + value;
      }
      return { values: collected.get(), terms };
    },
  };
}

function gathered(
  features: Readonly<Record<string, Float64Array>>,
  slots: readonly number[],
): Record<string, Float64Array> {
  return Object.fromEntries(
    Object.entries(features).map(([name, values]) => [name, Float64Array.from(slots, (slot) => values[slot]!)]),
  );
}

function joined(hidden: RowHidden, rows: readonly number[]): Partial<Record<OtherPolicy, Floats>> {
  return Object.fromEntries(
    Object.entries(hidden).map(([name, all]) => {
      const parts = rows.map((row) => all[row]!);
      const size = parts.reduce((sum, part) => sum + part.length, 0);
      const whole = parts[0] instanceof Float64Array ? new Float64Array(size) : new Float32Array(size);
      let at = 0;
      for (const part of parts) {
        whole.set(part, at);
        at += part.length;
      }
      return [name, whole];
    }),
  );
}
