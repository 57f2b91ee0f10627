import type { Tensor } from "../graph/index.ts";
import { type NewEntries, type Placement, pickRows, type Scratch } from "./cache.ts";

const CLOSED = -1e9;

/** Sizes of a {@link PromptCache}. */
export interface PromptCacheSizes {
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Tokens of each prompt. */
  readonly lengths: readonly number[];
  /** The prompt of each row of the batch. */
  readonly promptOf: readonly number[];
}

/** What a run of some rows reads of their prompts; the same for all layers. */
export interface PromptView {
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** Keys and values of a layer [L, prompts*kvHeads, headDim]. */
  readonly of: (layer: number) => { keys: Tensor; values: Tensor };
}

/**
 * Keys and values of prompts, each once however many rows continue it: [L, prompts*kvHeads, headDim] a layer, time-major. A row may leave its prompt (its
 * context began anew); then it sees none. Prompts that no row continues are dropped.
 */
export class PromptCache {
  private readonly sizes: PromptCacheSizes;
  private readonly width: number;
  private readonly layers: readonly { readonly keys: Float32Array; readonly values: Float32Array }[];
  private readonly scratch: Scratch = { keys: new Float32Array(0), values: new Float32Array(0) };
  private lengths: number[];
  /** The prompt of each row; -1 after it left. */
  private promptOf: number[];
  private readonly longest: number;
  private last: { readonly key: string; readonly view: PromptView } | undefined;

  constructor(sizes: PromptCacheSizes) {
    this.sizes = sizes;
    this.width = sizes.kvHeads * sizes.headDim;
    this.lengths = [...sizes.lengths];
    this.longest = Math.max(...sizes.lengths);
    this.promptOf = [...sizes.promptOf];
    const size = this.longest * sizes.lengths.length * this.width;
    this.layers = Array.from({ length: sizes.layers }, () => ({
      keys: new Float32Array(size),
      values: new Float32Array(size),
    }));
  }

  /** The prompt of a row; -1 when it has none. */
  promptOfRow(row: number): number {
    return this.promptOf[row]!;
  }

  /** Tokens that a row has before its own. */
  before(row: number): number {
    const prompt = this.promptOf[row]!;
    return prompt < 0 ? 0 : this.lengths[prompt]!;
  }

  /** Writes the prompts' entries of a layer: [tokens, kvHeads*headDim], a prompt after the other. */
  write(layer: number, { keys, values }: NewEntries, placements: readonly Placement[]): void {
    const target = this.layers[layer]!;
    for (const { row: prompt, from, count } of placements) {
      for (let t = 0; t < count; t++) {
        const at = (from + t) * this.width;
        const to = (t * this.lengths.length + prompt) * this.width;
        target.keys.set(keys.subarray(at, at + this.width), to);
        target.values.set(values.subarray(at, at + this.width), to);
      }
    }
  }

  leave(rows: readonly number[]): void {
    for (const row of rows) this.promptOf[row] = -1;
    this.compact();
  }

  /** Drops all rows but these (ascending). */
  keep(rows: readonly number[]): void {
    this.promptOf = rows.map((row) => this.promptOf[row]!);
    this.compact();
  }

  /** What some rows of the batch read that have `tokens` new tokens each; null when none of them has a prompt. */
  view(rows: readonly number[], tokens: number): PromptView | null {
    const prompts = [...new Set(rows.map((row) => this.promptOf[row]!))]
      .filter((prompt) => prompt >= 0)
      .sort((a, b) => a - b);
    if (prompts.length === 0) return null;
    const key = `${tokens}:${rows.join()}`;
    if (this.last?.key !== key) {
      const isAll = prompts.length === this.lengths.length;
      const of = (layer: number) => (isAll ? this.all(layer) : this.some(layer, prompts));
      this.last = { key, view: { feeds: this.feeds(rows, tokens, prompts), of } };
    }
    return this.last.view;
  }

  /**
   * Which query stands where: slots [prompts, kvHeads, S, groups, tokens] of queries [rows, heads, tokens], the inverse, and a mask [rows, 1, 1, L] that closes
   * what is beyond a row's prompt.
   */
  private feeds(rows: readonly number[], tokens: number, prompts: readonly number[]): Record<string, Tensor> {
    const { heads, kvHeads } = this.sizes;
    const groups = heads / kvHeads;
    const members = this.members(rows, prompts);
    const most = Math.max(...members.map(({ length }) => length));
    const slots = new Int32Array(prompts.length * kvHeads * most * groups * tokens);
    const places = new Int32Array(rows.length * tokens * heads);
    let slot = 0;
    for (const seated of members)
      for (let kv = 0; kv < kvHeads; kv++)
        for (let s = 0; s < most; s++)
          for (let group = 0; group < groups; group++)
            for (let t = 0; t < tokens; t++, slot++) {
              const row = seated[s];
              if (row === undefined) continue; // reads some query; nobody reads what becomes of it
              const at = (row * heads + kv * groups + group) * tokens + t;
              slots[slot] = at;
              places[at] = slot;
            }
    const mask = new Float32Array(rows.length * this.longest).fill(CLOSED);
    rows.forEach((row, i) => {
      mask.fill(0, i * this.longest, i * this.longest + this.before(row));
    });
    return {
      "prompt/slots": { dtype: "int32", shape: [prompts.length, kvHeads, most, groups, tokens], data: slots },
      "prompt/places": { dtype: "int32", shape: [rows.length, heads, tokens], data: places },
      "prompt/mask": { dtype: "float32", shape: [rows.length, 1, 1, this.longest], data: mask },
    };
  }

  /** Places in `rows` of those that sit with each prompt. A row that left sits, closed, where there is most room. */
  private members(rows: readonly number[], prompts: readonly number[]): number[][] {
    const members: number[][] = prompts.map(() => []);
    const left: number[] = [];
    rows.forEach((row, i) => {
      const prompt = prompts.indexOf(this.promptOf[row]!);
      if (prompt >= 0) members[prompt]!.push(i);
      else left.push(i);
    });
    for (const i of left) members.reduce((few, some) => (some.length < few.length ? some : few)).push(i);
    return members;
  }

  private all(layer: number): { keys: Tensor; values: Tensor } {
    const { keys, values } = this.layers[layer]!;
    const end = this.longest * this.lengths.length * this.width;
    return { keys: this.tensor(keys.subarray(0, end)), values: this.tensor(values.subarray(0, end)) };
  }

  /** The same of some prompts, copied. */
  private some(layer: number, prompts: readonly number[]): { keys: Tensor; values: Tensor } {
    const size = this.longest * prompts.length * this.width;
    const gather = (part: "keys" | "values"): Tensor => {
      if (this.scratch[part].length < size) this.scratch[part] = new Float32Array(size);
      const target = this.scratch[part].subarray(0, size);
      pickRows(this.layers[layer]![part], target, {
        width: this.width,
        before: this.lengths.length,
        rows: prompts,
        length: this.longest,
      });
      return this.tensor(target);
    };
    return { keys: gather("keys"), values: gather("values") };
  }

  private compact(): void {
    this.last = undefined;
    const used = this.lengths.map((_, prompt) => prompt).filter((prompt) => this.promptOf.includes(prompt));
    if (used.length === this.lengths.length) return;
    const sizes = { width: this.width, before: this.lengths.length, rows: used, length: this.longest };
    for (const layer of this.layers) for (const array of [layer.keys, layer.values]) pickRows(array, array, sizes);
    this.lengths = used.map((prompt) => this.lengths[prompt]!);
    this.promptOf = this.promptOf.map((prompt) => used.indexOf(prompt));
  }

  private tensor(data: Float32Array): Tensor {
    const { headDim } = this.sizes;
    return { dtype: "float32", shape: [this.longest, data.length / (this.longest * headDim), headDim], data };
  }
}

/** Feeds of what rows have in the caches, for a layer under a prefix. */
export function pastFeeds(
  prefix: string,
  own: { keys: Tensor; values: Tensor },
  shared?: { keys: Tensor; values: Tensor },
): Record<string, Tensor> {
  return {
    [`${prefix}past/keys`]: own.keys,
    [`${prefix}past/values`]: own.values,
    ...(shared ? { [`${prefix}prompt/keys`]: shared.keys, [`${prefix}prompt/values`]: shared.values } : {}),
  };
}
