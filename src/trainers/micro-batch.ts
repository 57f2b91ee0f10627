import type { SequenceBatch } from "../policy/index.ts";
import type { Rng } from "../utils/rng.ts";

/** One sequence that trains: prompt, sampled tokens, and one number per sampled token and feature. */
export interface TrainingRow {
  readonly promptIds: readonly number[];
  readonly ids: readonly number[];
  readonly features: Readonly<Record<string, ArrayLike<number>>>;
  /** The slot after the last token is scored too, with a target of no meaning. */
  readonly afterEnd?: boolean;
}

/** A micro-batch and which rows it holds, in its order. */
export interface MicroBatch {
  readonly batch: SequenceBatch;
  /** Indices into the rows that were packed. */
  readonly rows: readonly number[];
}

/** Positions that a row needs: its last token is a target only, never an input. */
export function inputLength(row: TrainingRow): number {
  return row.promptIds.length + row.ids.length - (row.afterEnd ? 0 : 1);
}

/** Tokens of a row that are scored. */
export function scoredLength(row: Pick<TrainingRow, "ids" | "afterEnd">): number {
  return row.ids.length + (row.afterEnd ? 1 : 0);
}

/**
 * Cuts rows into micro-batches of at most `maxTokens` padded tokens, rows of like length together. The split changes memory and speed only:
 * every token carries its own weight.
 */
export function packRows(
  rows: readonly TrainingRow[],
  options: { maxTokens: number; temperature: number; padId: number; scalars?: Readonly<Record<string, number>> },
): MicroBatch[] {
  const order = rows
    .map((_, i) => i)
    .filter((i) => rows[i]!.ids.length > 0)
    .sort((a, b) => inputLength(rows[a]!) - inputLength(rows[b]!) || a - b);
  const packed: number[][] = [];
  for (const i of order) {
    const current = packed.at(-1);
    const longest = inputLength(rows[i]!); // rows come in rising length
    if (current && (current.length + 1) * longest <= options.maxTokens) current.push(i);
    else packed.push([i]);
  }
  return packed.map((members) => ({
    batch: toBatch(
      members.map((i) => rows[i]!),
      options,
    ),
    rows: members,
  }));
}

function toBatch(
  rows: readonly TrainingRow[],
  {
    temperature,
    padId,
    scalars = {},
  }: { temperature: number; padId: number; scalars?: Readonly<Record<string, number>> },
): SequenceBatch {
  const length = Math.max(...rows.map(inputLength));
  const ids = new Int32Array(rows.length * length).fill(padId);
  const positions: number[] = [];
  const targets: number[] = [];
  rows.forEach((row, b) => {
    ids.set([...row.promptIds, ...row.ids].slice(0, inputLength(row)), b * length);
    for (let j = 0; j < scoredLength(row); j++) {
      positions.push(b * length + row.promptIds.length - 1 + j);
      targets.push(row.ids[j] ?? padId);
    }
  });
  const names = Object.keys(rows[0]?.features ?? {});
  const features = Object.fromEntries(
    names.map((name) => [name, Float64Array.from(rows.flatMap((row) => Array.from(row.features[name]!)))]),
  );
  return {
    rows: rows.length,
    length,
    ids,
    positions: Int32Array.from(positions),
    targets: Int32Array.from(targets),
    features,
    scalars,
    temperature,
  };
}

/**
 * Deals whole groups to mini-batches, in random order.
 * @param groups [rows] group of each row
 * @returns indices of the rows of each mini-batch; with one mini-batch, all rows in their order
 */
export function dealGroups(groups: readonly number[], miniBatches: number, rng: Rng): number[][] {
  if (miniBatches === 1) return [groups.map((_, i) => i)];
  const order = rng.shuffle([...new Set(groups)]);
  return Array.from({ length: miniBatches }, (_, batch) => {
    const mine = new Set(order.filter((_group, i) => i % miniBatches === batch));
    return groups.flatMap((group, i) => (mine.has(group) ? [i] : []));
  });
}
