import type { SequenceBatch } from "../policy/index.ts";
import type { Insert } from "../rollout/index.ts";
import type { Rng } from "../utils/rng.ts";
import { blockSize, byPrompt, type LaidRow, packSequences, type Sequence } from "./shared-prompts.ts";

/** One completion that trains: prompt, sampled tokens, and one number per sampled token and feature. */
export interface TrainingRow {
  readonly promptIds: readonly number[];
  readonly ids: readonly number[];
  /** What the policy read between its turns; in rising order of `at`. */
  readonly inserts?: readonly Insert[];
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

/** Positions of the longest sequence that a row needs: a last token is a target only, never an input. */
export function inputLength(row: TrainingRow): number {
  if (!row.inserts) return row.promptIds.length + row.ids.length - (row.afterEnd ? 0 : 1);
  return Math.max(0, ...sequencesOf(row).map(({ ids }) => ids.length));
}

/** Tokens of a row that are scored. */
export function scoredLength(row: Pick<TrainingRow, "ids" | "afterEnd">): number {
  return row.ids.length + (row.afterEnd ? 1 : 0);
}

/**
 * A row as the policy saw it: prompt, turns and what stands between them. One sequence, and one more for each context that began anew. Scored
 * are the sampled tokens and no others.
 */
function sequencesOf({ promptIds, ids, inserts = [], afterEnd = false }: TrainingRow): Sequence[] {
  const sequences: Sequence[] = [];
  let tokens = [...promptIds];
  let places: number[] = [];
  const close = (): void => {
    if (places.length > 0) sequences.push({ ids: tokens.slice(0, places.at(-1)! + 1), places });
  };
  let next = 0;
  ids.forEach((id, j) => {
    for (; inserts[next]?.at === j; next++) {
      const { segments, restart } = inserts[next]!;
      if (restart) {
        close();
        tokens = [];
        places = [];
      }
      for (const segment of segments) tokens.push(...segment.ids);
    }
    places.push(tokens.length - 1);
    tokens.push(id);
  });
  if (afterEnd) places.push(tokens.length - 1);
  close();
  return sequences;
}

/**
 * Cuts rows into micro-batches of at most `maxTokens` tokens, gaps of the attention's blocks counted. Rows with one prompt lie together, and the prompt is
 * computed once for all of them. The split changes memory and speed only: every token carries its own weight.
 */
export function packRows(
  rows: readonly TrainingRow[],
  options: { maxTokens: number; temperature: number; padId: number; scalars?: Readonly<Record<string, number>> },
): MicroBatch[] {
  const laid = rows.map((row) => ({ prompt: row.promptIds, sequences: sequencesOf(row) }));
  const lengths = laid.map(({ sequences }) => Math.max(0, ...sequences.map(({ ids }) => ids.length)));
  const rising = rows
    .flatMap(({ ids }, i) => (ids.length > 0 ? [i] : []))
    .sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  const longest = (group: readonly number[]): number => lengths[group.at(-1)!]!;
  const groups = byPrompt(laid, rising).sort((a, b) => longest(a) - longest(b) || a[0]! - b[0]!);
  const packed: number[][][] = [];
  for (const group of groups) {
    let open: number[] | null = null; // the part of the group that is in the last micro-batch
    for (const row of group) {
      const last: number[][] = packed.at(-1) ?? [];
      const others: number[][] = open ? last.slice(0, -1) : last;
      const joined: number[] = [...(open ?? []), row];
      const fits: boolean = packed.length > 0 && blockSize(laid, [...others, joined]) <= options.maxTokens;
      open = fits ? joined : [row];
      if (fits) packed[packed.length - 1] = [...others, open];
      else packed.push([open]);
    }
  }
  return packed.map((some) => {
    const members = some.flat();
    return { batch: toBatch(rows, laid, members, options), rows: members };
  });
}

function toBatch(
  rows: readonly TrainingRow[],
  laid: readonly LaidRow[],
  members: readonly number[],
  {
    temperature,
    padId,
    scalars = {},
  }: { temperature: number; padId: number; scalars?: Readonly<Record<string, number>> },
): SequenceBatch {
  const mine = members.map((i) => rows[i]!);
  const targets = mine.flatMap((row) => (row.afterEnd ? [...row.ids, padId] : [...row.ids]));
  const names = Object.keys(mine[0]?.features ?? {});
  const features = Object.fromEntries(
    names.map((name) => [name, Float64Array.from(mine.flatMap((row) => Array.from(row.features[name]!)))]),
  );
  return { ...packSequences(laid, members), targets: Int32Array.from(targets), features, scalars, temperature };
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
