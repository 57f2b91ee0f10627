import type { Tensor } from "../graph/index.ts";

const MASKED = -1e9;

/** Sizes of a {@link KeyValueCache}. */
export interface CacheSizes {
  readonly layers: number;
  /** Numbers of one position of one row: kvHeads × headDim. */
  readonly width: number;
  readonly headDim: number;
  readonly rows: number;
  /** Positions that a row may have. */
  readonly capacity: number;
}

/** Keys and values of new tokens of one layer: [n, width] each. */
export interface NewEntries {
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/** Which new tokens a row of the cache gets: `count` of them, from number `from` on. */
export interface Placement {
  readonly row: number;
  readonly from: number;
  readonly count: number;
}

/** Memory that copies of some rows use again. */
export type Scratch = { keys: Float32Array; values: Float32Array };

/**
 * Keys and values of a batch of rows, time-major: position p of all rows lies before position p + 1, so the first P positions of all rows are a
 * prefix of one array a layer and go into a session without a copy. Every row has a length of its own and is filled from position 0 without holes;
 * what is beyond a row's length is masked.
 */
export class KeyValueCache {
  private readonly sizes: CacheSizes;
  private readonly layers: readonly { readonly keys: Float32Array; readonly values: Float32Array }[];
  /** Filled positions of each row. */
  lengths: number[];

  constructor(sizes: CacheSizes) {
    this.sizes = sizes;
    const size = sizes.capacity * sizes.rows * sizes.width;
    this.layers = Array.from({ length: sizes.layers }, () => ({
      keys: new Float32Array(size), // untouched pages cost nothing
      values: new Float32Array(size),
    }));
    this.lengths = new Array<number>(sizes.rows).fill(0);
  }

  get rows(): number {
    return this.lengths.length;
  }

  /** Keys and values of the first `length` positions of all rows: [length, rows*kvHeads, headDim], without a copy. */
  past(layer: number, length: number): { keys: Tensor; values: Tensor } {
    const { keys, values } = this.layers[layer]!;
    const end = length * this.rows * this.sizes.width;
    return { keys: this.tensor(keys.subarray(0, end), length), values: this.tensor(values.subarray(0, end), length) };
  }

  /** The same of some rows, copied. @param into scratch that is made anew when it is too small */
  pastOf(rows: readonly number[], layer: number, length: number, into: Scratch): { keys: Tensor; values: Tensor } {
    const { width } = this.sizes;
    const size = length * rows.length * width;
    const gather = (source: Float32Array, part: "keys" | "values"): Tensor => {
      if (into[part].length < size) into[part] = new Float32Array(size);
      const target = into[part].subarray(0, size);
      pickRows(source, target, { width, before: this.rows, rows, length });
      return this.tensor(target, length);
    };
    const { keys, values } = this.layers[layer]!;
    return { keys: gather(keys, "keys"), values: gather(values, "values") };
  }

  /** Writes new entries of a layer behind what the rows have. `advance` counts them, once all layers are written. */
  write(layer: number, { keys, values }: NewEntries, placements: readonly Placement[]): void {
    const { width } = this.sizes;
    const target = this.layers[layer]!;
    for (const { row, from, count } of placements) {
      for (let t = 0; t < count; t++) {
        const at = (from + t) * width;
        const to = ((this.lengths[row]! + t) * this.rows + row) * width;
        target.keys.set(keys.subarray(at, at + width), to);
        target.values.set(values.subarray(at, at + width), to);
      }
    }
  }

  /** Writes one new position of every row of a cache whose rows are all equally long, in one piece. */
  append(layer: number, { keys, values }: NewEntries): void {
    const at = this.lengths[0]! * this.rows * this.sizes.width;
    this.layers[layer]!.keys.set(keys, at);
    this.layers[layer]!.values.set(values, at);
  }

  advance(placements: readonly Placement[]): void {
    for (const { row, count } of placements) this.lengths[row]! += count;
  }

  /** Drops all rows but these (ascending). */
  keep(rows: readonly number[]): void {
    const { width } = this.sizes;
    const picked = { width, before: this.rows, rows, length: Math.max(...this.lengths) };
    for (const { keys, values } of this.layers) for (const array of [keys, values]) pickRows(array, array, picked);
    this.lengths = rows.map((row) => this.lengths[row]!);
  }

  /** [rows, 1, 1, P]: closes what is beyond the length of each row. */
  mask(rows: readonly number[], length: number): Float32Array {
    const mask = new Float32Array(rows.length * length);
    rows.forEach((row, i) => {
      if (this.lengths[row]! < length) mask.fill(MASKED, i * length + this.lengths[row]!, (i + 1) * length);
    });
    return mask;
  }

  private tensor(data: Float32Array, length: number): Tensor {
    const { headDim } = this.sizes;
    return { dtype: "float32", shape: [length, data.length / (Math.max(1, length) * headDim), headDim], data };
  }
}

/** Of each of `length` positions of `before` rows, these rows (ascending): into another array, or to the front of the same one. */
export function pickRows(
  source: Float32Array,
  target: Float32Array,
  { width, before, rows, length }: { width: number; before: number; rows: readonly number[]; length: number },
): void {
  let to = 0;
  for (let position = 0; position < length; position++) {
    for (const row of rows) {
      const from = (position * before + row) * width;
      if (source === target)
        target.copyWithin(to, from, from + width); // never overtakes what is still to be read
      else target.set(source.subarray(from, from + width), to);
      to += width;
    }
  }
}
