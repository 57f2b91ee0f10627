import type { Tensor } from "../graph/index.ts";
import type { Placement } from "./cache.ts";

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

/**
 * Keys and values of prompts, each once however many rows continue it: [L, prompts*kvHeads, headDim] a layer, time-major. A row may leave its prompt (its
 * context began anew); then it sees none.
 */
export class PromptCache {
  private readonly sizes: PromptCacheSizes;
  private readonly longest: number;
  private readonly layers: readonly { readonly keys: Float32Array; readonly values: Float32Array }[];
  /** The prompt of each row; -1 after it left. */
  private promptOf: number[];
  private feedsOf: { readonly key: string; readonly feeds: Readonly<Record<string, Tensor>> } | undefined;

  constructor(sizes: PromptCacheSizes) {
    this.sizes = sizes;
    this.longest = Math.max(...sizes.lengths);
    this.promptOf = [...sizes.promptOf];
    const size = this.longest * sizes.lengths.length * sizes.kvHeads * sizes.headDim;
    this.layers = Array.from({ length: sizes.layers }, () => ({
      keys: new Float32Array(size),
      values: new Float32Array(size),
    }));
  }

  /** Tokens that a row has before its own. */
  before(row: number): number {
    const prompt = this.promptOf[row]!;
    return prompt < 0 ? 0 : this.sizes.lengths[prompt]!;
  }

  /** Writes the prompts' entries of a layer: [tokens, kvHeads*headDim], a prompt after the other. */
  write(
    layer: number,
    { keys, values }: { keys: Float32Array; values: Float32Array },
    placements: readonly Placement[],
  ): void {
    const { kvHeads, headDim, lengths } = this.sizes;
    const width = kvHeads * headDim;
    const target = this.layers[layer]!;
    for (const { row: prompt, from, count } of placements) {
      for (let t = 0; t < count; t++) {
        const at = (from + t) * width;
        const to = (t * lengths.length + prompt) * width;
        target.keys.set(keys.subarray(at, at + width), to);
        target.values.set(values.subarray(at, at + width), to);
      }
    }
  }

  /** Keys and values of a layer [L, prompts*kvHeads, headDim]. */
  of(layer: number): { keys: Tensor; values: Tensor } {
    const { headDim } = this.sizes;
    const tensor = (data: Float32Array): Tensor => ({
      ...{ dtype: "float32", data },
      shape: [this.longest, data.length / (this.longest * headDim), headDim],
    });
    const { keys, values } = this.layers[layer]!;
    return { keys: tensor(keys), values: tensor(values) };
  }

  leave(row: number): void {
    this.promptOf[row] = -1;
    this.feedsOf = undefined;
  }

  /** Drops all rows but these (ascending). */
  keep(rows: readonly number[]): void {
    this.promptOf = rows.map((row) => this.promptOf[row]!);
    this.feedsOf = undefined;
  }

  /**
   * Which query stands where, for some rows of the batch that read `tokens` tokens each: slots [prompts, kvHeads, S, groups, tokens] of queries
   * [rows, heads, tokens], the inverse, and a mask [rows, 1, 1, L] that closes what is beyond a row's prompt.
   */
  feeds(rows: readonly number[], tokens: number): Readonly<Record<string, Tensor>> {
    const key = `${tokens}:${rows.join()}`;
    if (this.feedsOf?.key === key) return this.feedsOf.feeds;
    const { heads, kvHeads, lengths } = this.sizes;
    const groups = heads / kvHeads;
    const members: number[][] = lengths.map(() => []);
    rows.forEach((row, i) => {
      members[Math.max(0, this.promptOf[row]!)]!.push(i); // a row that left sits with some prompt, closed
    });
    const most = Math.max(1, ...members.map(({ length }) => length));
    const slots = new Int32Array(lengths.length * kvHeads * most * groups * tokens);
    const places = new Int32Array(rows.length * tokens * heads);
    let slot = 0;
    for (let prompt = 0; prompt < lengths.length; prompt++)
      for (let kv = 0; kv < kvHeads; kv++)
        for (let s = 0; s < most; s++)
          for (let group = 0; group < groups; group++)
            for (let t = 0; t < tokens; t++, slot++) {
              const row = members[prompt]![s];
              if (row === undefined) continue; // reads some query; nobody reads what becomes of it
              const at = (row * heads + kv * groups + group) * tokens + t;
              slots[slot] = at;
              places[at] = slot;
            }
    const mask = new Float32Array(rows.length * this.longest).fill(CLOSED);
    rows.forEach((row, i) => {
      mask.fill(0, i * this.longest, i * this.longest + this.before(row));
    });
    const feeds: Record<string, Tensor> = {
      "prompt/slots": { dtype: "int32", shape: [lengths.length, kvHeads, most, groups, tokens], data: slots },
      "prompt/places": { dtype: "int32", shape: [rows.length, heads, tokens], data: places },
      "prompt/mask": { dtype: "float32", shape: [rows.length, 1, 1, this.longest], data: mask },
    };
    this.feedsOf = { key, feeds };
    return feeds;
  }
}
