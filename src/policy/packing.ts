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

const CLOSED = -1e9;

/** Where the tokens of packed sequences stand, as feeds of a layer. */
export interface Packing {
  /** Rows of a layer's input: the tokens, and up to two that fill gaps of the blocks. */
  readonly rows: number;
  /** [tokens] row of each token id */
  readonly rowOf: Int32Array;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly hasTails: boolean;
}

/** A block of equally long rows: its size without heads, and at which of them each token stands. */
interface Block {
  /** Such as [P, L], or [P, S, C]. */
  readonly shape: readonly number[];
  /** [tokens] place of each token in the block, flattened */
  readonly places: Int32Array;
}

/** Lays packed sequences out in blocks, which attention needs: prefixes [P, L], tails [P, S, C]. */
export function pack(lengths: PackedLengths, sizes: HeadSizes, positions: Positions): Packing {
  const { prefixes, tails, parents } = lengths;
  const longest = Math.max(...prefixes);
  const prefixBlock = {
    shape: [prefixes.length, longest],
    places: placesOf(prefixes, (p) => p * longest),
  };
  const first = region(prefixBlock, sizes, "prefix", 0);
  const at = spread(prefixes, (_, t) => t);
  const feeds = {
    ...first.feeds,
    "prefix/causal": positions.causal(longest),
    ...positions.table(longest + Math.max(0, ...tails)),
  };
  if (tails.length === 0) {
    const rowOf = Int32Array.from(at, (_, i) => i);
    return {
      rows: first.rows,
      rowOf,
      hasTails: false,
      feeds: { ...feeds, positions: positionColumn(filledUp(at, first.rows)) },
    };
  }
  const second = region(tailBlock(lengths), sizes, "tail", first.rows);
  const after = spread(tails, (r, t) => prefixes[parents[r]!]! + t);
  const all = filledUp(at, second.rows);
  all.set(after, first.rows);
  return {
    rows: second.rows,
    rowOf: Int32Array.from({ length: at.length + after.length }, (_, i) =>
      i < at.length ? i : first.rows + i - at.length,
    ),
    hasTails: true,
    feeds: {
      ...feeds,
      ...second.feeds,
      positions: positionColumn(all),
      "tail/causal": positions.causal(Math.max(...tails)),
      "tail/past": ends(prefixes, longest, positions.floatType),
    },
  };
}

function tailBlock({ prefixes, tails, parents }: PackedLengths): Block {
  const counts = new Int32Array(prefixes.length);
  const seats = Int32Array.from(parents, (parent) => counts[parent]!++);
  const [most, longest] = [Math.max(...counts), Math.max(...tails)];
  return {
    shape: [prefixes.length, most, longest],
    places: placesOf(tails, (r) => (parents[r]! * most + seats[r]!) * longest),
  };
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
 * Slots and places of one block with its heads. Gaps of the block are filled by one more token, whose own results nobody reads: its cotangent is that of a
 * gap, which is zero.
 * @param before rows before those of this block
 */
function region({ shape, places }: Block, { heads, kvHeads }: HeadSizes, name: string, before: number) {
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
  /** Slots [rows, kvHeads, ..between, groups, inner] of tables with kvHeads*groups rows a token, and the inverse [tokens, kvHeads*groups]. */
  const withHeads = (groups: number) => {
    const all = kvHeads * groups;
    const slots = new Int32Array(size * all);
    const inverse = new Int32Array(count * all);
    for (let row = 0, slot = 0; row < rows; row++)
      for (let kv = 0; kv < kvHeads; kv++)
        for (let s = 0; s < perRow; s++)
          for (let group = 0; group < groups; group++)
            for (let t = 0; t < inner; t++, slot++) {
              const place = (row * perRow + s) * inner + t;
              const at = tokens[place]! * all + kv * groups + group;
              slots[slot] = at;
              if (filled[tokens[place]!] === place) inverse[at] = slot;
            }
    return { slots, inverse };
  };
  const groups = heads / kvHeads;
  const [queries, keys] = [withHeads(groups), withHeads(1)];
  const int32 = (shape: readonly number[], data: Int32Array): Tensor => ({ dtype: "int32", shape, data });
  return {
    rows: before + count,
    feeds: {
      [`${name}/querySlots`]: int32([rows, kvHeads, ...between, groups, inner], queries.slots),
      [`${name}/queryPlaces`]: int32([count, heads], queries.inverse),
      [`${name}/keySlots`]: int32([rows, kvHeads, ...between, inner], keys.slots),
      [`${name}/keyPlaces`]: int32([count, kvHeads], keys.inverse),
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
