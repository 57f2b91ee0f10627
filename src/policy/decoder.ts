import type { Tensor } from "../graph/index.ts";
import type { Blocks } from "./blocks.ts";
import { KeyValueCache, type NewEntries, type Placement, type Scratch } from "./cache.ts";
import { Drawing, type Drawn, type DrawOptions } from "./drawing.ts";
import { extendRuns, type RowSizes } from "./extend-runs.ts";
import { LIMITS } from "./limits.ts";
import { pack } from "./packing.ts";
import { layerFeeds, outerTensors, type Parameters } from "./parameters.ts";
import { type Positions, positionColumn } from "./positions.ts";
import { PromptCache, pastFeeds } from "./prompt-cache.ts";
import { embed } from "./sequences.ts";

/** Prompts to decode from, with the first tokens' random numbers. */
export interface DecodeStart extends DrawOptions {
  /** Each prompt is computed once, however many completions it gets. */
  readonly prompts: readonly (readonly number[])[];
  /** Completions of each prompt; rows of the batch are the completions of the first prompt, then of the second, … */
  readonly repeats: readonly number[];
  /** Tokens per row that may be drawn in all: sizes the cache. */
  readonly maxTokens: number;
  /** [B] in (0, 1) */
  readonly uniforms: Float32Array;
  /** Keep each prompt's keys and values once for all its rows; by default where that saves more than 32 MB. */
  readonly sharePrompts?: boolean;
}

/** Rows that read more tokens before they draw again. */
export interface DecodeExtend {
  /** Rows of the batch. */
  readonly rows: readonly number[];
  /** What each of them reads: everything since it was fed last, the last drawn token included. */
  readonly tokens: readonly (readonly number[])[];
  /** [rows] in (0, 1) */
  readonly uniforms: Float32Array;
  /** The rows forget everything before. */
  readonly restart?: boolean;
}

/**
 * A batch of rows that grow: by one drawn token a step, or by any number of given tokens. The cache has no holes: a token's position is its
 * place in its own row, and results do not depend on the other rows.
 */
export class Decoder {
  private readonly parameters: Parameters;
  private readonly blocks: Blocks;
  private readonly positions: Positions;
  private readonly drawing: Drawing;
  private readonly cache: KeyValueCache;
  private readonly prompts: PromptCache | null;
  private readonly scratch: Scratch = { keys: new Float32Array(0), values: new Float32Array(0) };
  /** Last drawn token of each row, which its next step feeds. */
  private drawn: Int32Array;

  private constructor(parameters: Parameters, blocks: Blocks, positions: Positions, start: DecodeStart) {
    this.parameters = parameters;
    this.blocks = blocks;
    this.positions = positions;
    this.drawing = new Drawing(parameters, blocks, start);
    const rows = start.repeats.reduce((sum, count) => sum + count, 0);
    const longest = start.prompts.reduce((most, { length }) => Math.max(most, length), 0);
    const { layers, heads, kvHeads, headDim } = parameters.config;
    this.cache = new KeyValueCache({
      ...{ layers, headDim, rows, width: kvHeads * headDim },
      capacity: longest + start.maxTokens,
    });
    const copies =
      (rows - start.prompts.length) * longest * layers * kvHeads * headDim * 2 * Float32Array.BYTES_PER_ELEMENT;
    this.prompts =
      (start.sharePrompts ?? copies > LIMITS.promptCopies)
        ? new PromptCache({
            ...{ layers, heads, kvHeads, headDim, lengths: start.prompts.map((prompt) => prompt.length) },
            promptOf: start.repeats.flatMap((count, prompt) => new Array<number>(count).fill(prompt)),
          })
        : null;
    this.drawn = new Int32Array(rows);
  }

  /** Computes the prompts and draws the first token of every row. */
  static async start(
    parameters: Parameters,
    blocks: Blocks,
    positions: Positions,
    start: DecodeStart,
  ): Promise<{ decoder: Decoder; first: Drawn }> {
    const decoder = new Decoder(parameters, blocks, positions, start);
    const hidden = await decoder.prefill(start);
    return { decoder, first: await decoder.draw(hidden, start.uniforms, decoder.allRows()) };
  }

  /**
   * Feeds the tokens drawn last and draws the next one of every row.
   * @param uniforms [B]
   * @param active [B] 0 for rows that rest: they are neither fed nor drawn, and what is returned for them has no meaning
   */
  async step(uniforms: Float32Array, active?: Uint8Array): Promise<Drawn> {
    const { config } = this.parameters;
    const rows = this.allRows();
    const { lengths } = this.cache;
    const live = active ? rows.filter((row) => active[row]) : rows;
    const past = Math.max(1, ...live.map((row) => lengths[row]!));
    const prompts = this.prompts?.view(rows, 1) ?? null;
    const feeds: Record<string, Tensor> = {
      ids: { dtype: "int64", shape: [rows.length], data: BigInt64Array.from(this.drawn, (id) => BigInt(id)) },
      mask: { dtype: "float32", shape: [rows.length, 1, 1, past], data: this.cache.mask(rows, past) },
      embedding: outerTensors(this.parameters).embedding,
      ...this.places(rows.map((row) => this.filled(row))),
      ...prompts?.feeds,
    };
    for (let layer = 0; layer < config.layers; layer++) {
      for (const [suffix, weight] of Object.entries(layerFeeds(this.parameters, layer)))
        feeds[`${layer}/${suffix}`] = weight;
      Object.assign(feeds, pastFeeds(`${layer}/`, this.cache.past(layer, past), prompts?.of(layer)));
    }
    const result = await (await this.blocks.decode(prompts !== null)).run(feeds);
    const placements = live.map((row) => ({ row, from: row, count: 1 }));
    const even = live.length === rows.length && lengths.every((length) => length === lengths[0]);
    for (let layer = 0; layer < config.layers; layer++) {
      const keys = result[`${layer}/key`]!.data as Float32Array;
      const values = result[`${layer}/value`]!.data as Float32Array;
      if (even) this.cache.append(layer, { keys, values });
      else this.cache.write(layer, { keys, values }, placements);
    }
    this.cache.advance(placements);
    return this.draw(result.hidden!, uniforms, rows, active);
  }

  /** Feeds given tokens to some rows and draws the next token of each; the others rest. */
  async extend({ rows, tokens, uniforms, restart = false }: DecodeExtend): Promise<Drawn> {
    const { width } = this.parameters.config;
    if (restart) this.forget(rows);
    const hidden = new Float32Array(rows.length * width);
    const sizes = rows.map((row, i) => ({ ...this.rowSizes(row), tokens: tokens[i]!.length }));
    for (const places of extendRuns(sizes, this.parameters.config.heads)) {
      const last = await this.extendSome(
        places.map((place) => rows[place]!),
        places.map((place) => tokens[place]!),
      );
      places.forEach((place, i) => {
        hidden.set(last.subarray(i * width, (i + 1) * width), place * width);
      });
    }
    return this.draw({ dtype: "float32", shape: [rows.length, width], data: hidden }, uniforms, rows);
  }

  /** Drops all rows but these (ascending), so that finished ones cost nothing more. */
  keep(rows: readonly number[]): void {
    this.cache.keep(rows);
    this.prompts?.keep(rows);
    this.drawn = Int32Array.from(rows, (row) => this.drawn[row]!);
  }

  /** Tokens that a row has behind it. */
  private filled(row: number): number {
    return this.cache.lengths[row]! + (this.prompts?.before(row) ?? 0);
  }

  private rowSizes(row: number): Omit<RowSizes, "tokens"> {
    const prompt = this.prompts?.promptOfRow(row) ?? -1;
    return { past: this.cache.lengths[row]!, prompt, before: this.prompts?.before(row) ?? 0 };
  }

  private forget(rows: readonly number[]): void {
    for (const row of rows) this.cache.lengths[row] = 0;
    this.prompts?.leave(rows);
  }

  private allRows(): number[] {
    return Array.from({ length: this.cache.rows }, (_, row) => row);
  }

  /** @param hidden [rows, D] */
  private async draw(
    hidden: Tensor,
    uniforms: Float32Array,
    rows: readonly number[],
    active?: Uint8Array,
  ): Promise<Drawn> {
    const drawn = await this.drawing.draw(hidden, uniforms);
    rows.forEach((row, i) => {
      if (!active || active[row]) this.drawn[row] = drawn.ids[i]!;
    });
    return drawn;
  }

  /** Fills the cache with the prompts; returns the last hidden state of every row [B, D]. */
  private async prefill({ prompts, repeats }: DecodeStart): Promise<Tensor> {
    const { width } = this.parameters.config;
    const total = this.cache.rows;
    const hidden = new Float32Array(total * width);
    const length = Math.max(...prompts.map((prompt) => prompt.length));
    const perRun = Math.max(1, Math.floor(LIMITS.prefillTokens / length));
    let row = 0;
    for (let first = 0; first < prompts.length; first += perRun) {
      const some = prompts.slice(first, first + perRun);
      const states = await this.prefillSome(some, first, repeats);
      some.forEach((_, i) => {
        for (let copy = 0; copy < repeats[first + i]!; copy++)
          hidden.set(states.subarray(i * width, (i + 1) * width), row++ * width);
      });
    }
    return { dtype: "float32", shape: [total, width], data: hidden };
  }

  /** Runs some prompts, from number `first` on, through all layers. Returns the hidden state of the last token of each [prompts, D]. */
  private async prefillSome(
    prompts: readonly (readonly number[])[],
    first: number,
    repeats: readonly number[],
  ): Promise<Float32Array> {
    const lengths = Int32Array.from(prompts, (prompt) => prompt.length);
    const none = new Int32Array(0);
    const { config } = this.parameters;
    const sequences = { prefixes: lengths, tails: none, parents: none };
    const { rows, feeds, form } = pack(sequences, config, this.positions, this.blocks.options.scores);
    const session = await this.blocks.layerPrefill(form);
    const ids = new Int32Array(rows).fill(config.padId);
    ids.set(prompts.flat());
    let from = 0;
    const ones = prompts.map(({ length: count }, i) => {
      from += count;
      return { row: first + i, from: from - count, count };
    });
    const before = repeats.slice(0, first).reduce((sum, count) => sum + count, 0);
    let row = before;
    const copies = ones.flatMap((one) => Array.from({ length: repeats[one.row]! }, () => ({ ...one, row: row++ })));
    let x = embed(this.parameters, ids, [rows]);
    for (let layer = 0; layer < config.layers; layer++) {
      const result = await session.run({ x, ...layerFeeds(this.parameters, layer), ...feeds });
      if (this.prompts) this.prompts.write(layer, entriesOf(result), ones);
      else this.cache.write(layer, entriesOf(result), copies);
      x = result.y!;
    }
    if (!this.prompts) this.cache.advance(copies);
    return this.lastStates(x.data as Float32Array, ones);
  }

  /** Returns the hidden state of the last token of each row [b, D]. */
  private async extendSome(rows: readonly number[], tokens: readonly (readonly number[])[]): Promise<Float32Array> {
    const { layers } = this.parameters.config;
    const length = Math.max(...tokens.map((some) => some.length));
    const past = Math.max(1, ...rows.map((row) => this.cache.lengths[row]!));
    const placements = rows.map((row, i) => ({ row, from: i * length, count: tokens[i]!.length }));
    const prompts = this.prompts?.view(rows, length) ?? null;
    const session = await this.blocks.layerExtend(prompts !== null);
    const shape = [rows.length, 1, 1, past];
    const aux = {
      ...this.places(rows.flatMap((row) => Array.from({ length }, (_, t) => this.filled(row) + t))),
      causal: this.positions.causal(length),
      mask: { dtype: "float32", shape, data: this.cache.mask(rows, past) } as Tensor,
      ...prompts?.feeds,
    };
    let x = embed(this.parameters, this.padded(tokens, length), [rows.length, length]);
    for (let layer = 0; layer < layers; layer++) {
      const own = this.cache.pastOf(rows, layer, past, this.scratch);
      const feeds = { x, ...layerFeeds(this.parameters, layer), ...aux, ...pastFeeds("", own, prompts?.of(layer)) };
      const result = await session.run(feeds);
      this.cache.write(layer, entriesOf(result), placements);
      x = result.y!;
    }
    this.cache.advance(placements);
    return this.lastStates(x.data as Float32Array, placements);
  }

  /** Of hidden states of new tokens [n, D], those of the last ones, in the order of the placements. */
  private lastStates(states: Float32Array, placements: readonly Placement[]): Float32Array {
    const { width } = this.parameters.config;
    const last = new Float32Array(placements.length * width);
    placements.forEach(({ from, count }, i) => {
      const at = (from + count - 1) * width;
      last.set(states.subarray(at, at + width), i * width);
    });
    return last;
  }

  /** Feeds of tokens at these positions. */
  private places(positions: readonly number[]): Record<string, Tensor> {
    return { ...this.positions.table(Math.max(...positions) + 1), positions: positionColumn(positions) };
  }

  private padded(rows: readonly (readonly number[])[], length: number): Int32Array {
    const ids = new Int32Array(rows.length * length).fill(this.parameters.config.padId);
    rows.forEach((row, i) => {
      ids.set(row, i * length);
    });
    return ids;
  }
}

function entriesOf(result: Readonly<Record<string, Tensor>>): NewEntries {
  return { keys: result.keys!.data as Float32Array, values: result.values!.data as Float32Array };
}
