import { type FloatType, floats, type Tensor } from "../graph/index.ts";
import type { HeadSizes } from "./attention.ts";
import { type Positions, positionColumn } from "./positions.ts";

/** Sequences of tokens; those with a common beginning share it. Token ids lie in one array: the prefixes one after another, then the tails. */
export interface PackedLengths {
  /** [P] tokens of each prefix, at least 1. A sequence that shares nothing is a prefix without tails. */
  readonly prefixes: Int32Array;
  /** [R] tokens of each tail, at least 1; of one prefix or several, or none at all */
  readonly tails: Int32Array;
  /** [R] the prefix that each tail continues, rising */
  readonly parents: Int32Array;
}

/** A sequence that shares nothing. */
export function oneSequence(ids: readonly number[]): PackedLengths & { readonly ids: Int32Array } {
  const none = new Int32Array(0);
  return { ids: Int32Array.from(ids), prefixes: Int32Array.of(ids.length), tails: none, parents: none };
}

/** Which graphs packed sequences go through: with tails or without, and with queries in chunks (`attention-chunks.ts`) where scores would be large. */
export interface PackedForm {
  readonly tails: boolean;
  readonly chunks: boolean;
}

/** A name for each form. */
export function formName({ tails, chunks }: PackedForm): string {
  return `${tails ? "tails" : "plain"}${chunks ? " in chunks" : ""}`;
}

const CLOSED = -1e9;

/** Where the tokens of packed sequences stand, as feeds of a layer. */
export interface Packing {
  /** Rows of a layer's input: the tokens, and up to two that fill gaps of the blocks. */
  readonly rows: number;
  /** [tokens] row of each token id */
  readonly rowOf: Int32Array;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly form: PackedForm;
}

/** A block of equally long rows: its size without heads, and at which of them each token stands. */
interface Block {
  /** Such as [P, L], or [P, S, C]. */
  readonly shape: readonly number[];
  /** Rows of queries at a time, a divisor of the last size; that size itself where all go at once. */
  readonly chunk: number;
  /** [tokens] place of each token in the block, flattened */
  readonly places: Int32Array;
}

/**
 * Lays packed sequences out in blocks, which attention needs: prefixes [P, L], tails [P, S, C].
 * @param scores how many scores of one block may be held at once
 */
export function pack(lengths: PackedLengths, sizes: HeadSizes, positions: Positions, scores: number): Packing {
  const { prefixes, tails, parents } = lengths;
  const form = { tails: tails.length > 0, chunks: largestScores(lengths, sizes) > scores };
  const chunkRows = (perRow: number): number => (form.chunks ? Math.max(1, Math.floor(scores / 2 / perRow)) : Infinity);
  const prefix = prefixBlock(prefixes, (length) => chunkRows(prefixes.length * sizes.heads * length));
  const longest = prefix.shape[1]!;
  const first = region(prefix, sizes, "prefix", { before: 0, positions, form });
  const at = spread(prefixes, (_, t) => t);
  const feeds = { ...first.feeds, ...positions.table(Math.max(...prefixes) + Math.max(0, ...tails)) };
  if (!form.tails) {
    const rowOf = Int32Array.from(at, (_, i) => i);
    return { rows: first.rows, rowOf, form, feeds: { ...feeds, positions: positionColumn(filledUp(at, first.rows)) } };
  }
  const tail = tailBlock(lengths, (rows, length) => chunkRows(rows * sizes.heads * (longest + length)));
  const second = region(tail, sizes, "tail", { before: first.rows, positions, form });
  const after = spread(tails, (r, t) => prefixes[parents[r]!]! + t);
  const all = filledUp(at, second.rows);
  all.set(after, first.rows);
  return {
    rows: second.rows,
    rowOf: Int32Array.from({ length: at.length + after.length }, (_, i) =>
      i < at.length ? i : first.rows + i - at.length,
    ),
    form,
    feeds: {
      ...feeds,
      ...second.feeds,
      positions: positionColumn(all),
      "tail/past": ends(prefixes, longest, positions.floatType),
    },
  };
}

/** Scores of the larger block. */
function largestScores({ prefixes, tails, parents }: PackedLengths, { heads }: HeadSizes): number {
  const [longest, longestTail] = [Math.max(...prefixes), Math.max(0, ...tails)];
  const rows = prefixes.length * Math.max(0, ...seatsOf(prefixes.length, parents).counts);
  const ofTails = rows * heads * longestTail * (longest + longestTail);
  return Math.max(prefixes.length * heads * longest ** 2, ofTails);
}

/** @param most rows of queries at a time, by the length of the block */
function prefixBlock(prefixes: Int32Array, most: (length: number) => number): Block {
  const longest = Math.max(...prefixes);
  const { length, chunk } = inChunks(longest, most(longest));
  return { shape: [prefixes.length, length], chunk, places: placesOf(prefixes, (p) => p * length) };
}

/** @param most rows of queries at a time, by rows and length of the block */
function tailBlock({ prefixes, tails, parents }: PackedLengths, most: (rows: number, length: number) => number): Block {
  const { counts, seats } = seatsOf(prefixes.length, parents);
  const perPrefix = Math.max(...counts);
  const longest = Math.max(...tails);
  const { length, chunk } = inChunks(longest, most(prefixes.length * perPrefix, longest));
  return {
    shape: [prefixes.length, perPrefix, length],
    chunk,
    places: placesOf(tails, (r) => (parents[r]! * perPrefix + seats[r]!) * length),
  };
}

/** How many tails each prefix has, and which of them each tail is. */
function seatsOf(prefixes: number, parents: Int32Array): { counts: Int32Array; seats: Int32Array } {
  const counts = new Int32Array(prefixes);
  return { counts, seats: Int32Array.from(parents, (parent) => counts[parent]!++) };
}

/** Equal chunks of at most this many rows that hold a length, and the length that they have together. */
function inChunks(length: number, most: number): { length: number; chunk: number } {
  const count = Math.ceil(length / most) || 1;
  const chunk = Math.ceil(length / count);
  return { length: chunk * Math.ceil(length / chunk), chunk };
}

/** Place of each token of each row, rows starting where `start` says. */
function placesOf(lengths: Int32Array, start: (row: number) => number): Int32Array {
  return spread(lengths, (row, t) => start(row) + t);
}

function spread(lengths: Int32Array, of: (row: number, t: number) => number): Int32Array {
  const values = new Int32Array(lengths.reduce((sum, length) => sum + length, 0));
  let i = 0;
  lengths.forEach((length, row) => {
    for (let t = 0; t < length; t++) values[i++] = of(row, t);
  });
  return values;
}

/**
 * Slots, places and masks of one block with its heads. Gaps of the block are filled by one more token, whose own results nobody reads: its cotangent is that of
 * a gap, which is zero.
 * @param before rows before those of this block
 */
function region(
  { shape, chunk, places }: Block,
  { heads, kvHeads }: HeadSizes,
  name: string,
  { before, positions, form }: { before: number; positions: Positions; form: PackedForm },
) {
  const size = shape.reduce((product, n) => product * n, 1);
  const tokens = new Int32Array(size).fill(-1);
  places.forEach((place, i) => {
    tokens[place] = i;
  });
  const gap = tokens.indexOf(-1);
  const filled = gap < 0 ? places : filledUp(places, places.length + 1).fill(gap, places.length);
  const count = filled.length;
  for (let i = 0; i < size; i++) if (tokens[i]! < 0) tokens[i] = count - 1;
  const [rows, inner] = [shape[0]!, shape.at(-1)!];
  const between = shape.slice(1, -1);
  const perRow = between.reduce((product, n) => product * n, 1);
  const chunks = inner / chunk;
  /** Slots [.., rows, kvHeads, ..between, groups, time] of tables with kvHeads*groups rows a token, chunk by chunk; and the inverse [tokens, kvHeads*groups]. */
  const withHeads = (groups: number, time: number) => {
    const all = kvHeads * groups;
    const slots = new Int32Array(size * all);
    const inverse = new Int32Array(count * all);
    for (let from = 0, slot = 0; from < inner; from += time)
      for (let row = 0; row < rows; row++)
        for (let kv = 0; kv < kvHeads; kv++)
          for (let s = 0; s < perRow; s++)
            for (let group = 0; group < groups; group++)
              for (let t = from; t < from + time; t++, slot++) {
                const place = (row * perRow + s) * inner + t;
                const at = tokens[place]! * all + kv * groups + group;
                slots[slot] = at;
                if (filled[tokens[place]!] === place) inverse[at] = slot;
              }
    return { slots, inverse };
  };
  const groups = heads / kvHeads;
  const [queries, keys] = [withHeads(groups, chunk), withHeads(1, inner)];
  const int32 = (shape: readonly number[], data: Int32Array): Tensor => ({ dtype: "int32", shape, data });
  const leading = form.chunks ? [chunks] : [];
  const reach = BigInt64Array.from({ length: chunks }, (_, i) => BigInt((i + 1) * chunk));
  return {
    rows: before + count,
    feeds: {
      [`${name}/querySlots`]: int32([...leading, rows, kvHeads, ...between, groups, chunk], queries.slots),
      [`${name}/queryPlaces`]: int32([count, heads], queries.inverse),
      [`${name}/keySlots`]: int32([rows, kvHeads, ...between, inner], keys.slots),
      [`${name}/keyPlaces`]: int32([count, kvHeads], keys.inverse),
      [`${name}/causal`]: positions.causal(chunk, inner),
      ...(form.chunks ? { [`${name}/ends`]: { dtype: "int64", shape: [chunks], data: reach } as Tensor } : {}),
    },
  };
}

/** [P, 1, 1, L]: closes what is beyond the end of each prefix. */
function ends(prefixes: Int32Array, longest: number, floatType: FloatType): Tensor {
  const data = floats(floatType, prefixes.length * longest);
  prefixes.forEach((length, p) => {
    data.fill(CLOSED, p * longest + length, (p + 1) * longest);
  });
  return { dtype: floatType, shape: [prefixes.length, 1, 1, longest], data } as Tensor;
}

/** The values, and 0 for tokens that fill gaps. */
function filledUp(values: Int32Array, length: number): Int32Array {
  const all = new Int32Array(length);
  all.set(values);
  return all;
}
