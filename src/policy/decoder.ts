import type { Tensor } from "../graph/index.ts";
import type { Blocks } from "./blocks.ts";
import { layerFeeds, outerTensors, type Parameters } from "./parameters.ts";
import type { Positions } from "./positions.ts";
import type { SamplerFilters } from "./sampler.ts";
import { embed } from "./sequences.ts";

/** How the decoder draws tokens; temperature 0 takes the most probable one. */
export interface DrawOptions {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
}

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
}

/** One drawn token a row. */
export interface Drawn {
  readonly ids: Int32Array;
  /** Log-prob and entropy (nats) of the distribution drawn from. */
  readonly logp: Float32Array;
  readonly entropy: Float32Array;
  /** Log-prob under the temperature alone, without filters: what an update computes again. */
  readonly policyLogp: Float32Array;
}

const MASKED = -1e9;
const PREFILL_TOKENS = 4096;

/**
 * A batch of rows that grow by one token a step, with a time-major cache: position p of all rows lies before position p + 1, so the past is
 * a prefix of one array per layer and only the new rows come out of a step. Prompts of different lengths leave masked slots between the
 * prompt and the first drawn token; the rotary position of a token is its own.
 */
export class Decoder {
  private readonly parameters: Parameters;
  private readonly blocks: Blocks;
  private readonly positions: Positions;
  private readonly options: DrawOptions;
  private readonly filters: SamplerFilters;
  /** Longest prompt, P. */
  private readonly promptLength: number;
  private promptLengths: number[];
  private drawn: Int32Array;
  /** Cached positions so far: prompt slots + fed tokens. */
  private filled: number;
  private readonly cache: { keys: Float32Array; values: Float32Array }[];

  private constructor(parameters: Parameters, blocks: Blocks, positions: Positions, start: DecodeStart) {
    this.parameters = parameters;
    this.blocks = blocks;
    this.positions = positions;
    this.options = start;
    const { temperature, topK, topP, minP } = start;
    const greedy = temperature === 0;
    this.filters = {
      greedy,
      topK: !greedy && topK > 0 && topK < parameters.config.vocab,
      topP: !greedy && topP < 1,
      minP: !greedy && minP > 0,
    };
    this.promptLengths = start.prompts.flatMap((prompt, i) => new Array<number>(start.repeats[i]!).fill(prompt.length));
    this.promptLength = Math.max(...this.promptLengths);
    this.filled = this.promptLength;
    this.drawn = new Int32Array(0);
    const size = (this.promptLength + start.maxTokens) * this.rowSize(this.promptLengths.length);
    this.cache = Array.from({ length: parameters.config.layers }, () => ({
      keys: new Float32Array(size), // untouched pages cost nothing
      values: new Float32Array(size),
    }));
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
    return { decoder, first: await decoder.draw(hidden, start.uniforms) };
  }

  /** Feeds the tokens drawn last and draws the next one of every row. @param uniforms [B] */
  async step(uniforms: Float32Array): Promise<Drawn> {
    const { config } = this.parameters;
    const rows = this.drawn.length;
    const past = this.filled;
    const size = this.rowSize(rows);
    const generated = past - this.promptLength;
    const feeds: Record<string, Tensor> = {
      ids: { dtype: "int64", shape: [rows], data: BigInt64Array.from(this.drawn, (id) => BigInt(id)) },
      mask: { dtype: "float32", shape: [rows, 1, past], data: this.pastMask() },
      embedding: outerTensors(this.parameters).embedding,
      ...this.positions.rows(this.promptLengths.map((length) => length + generated)),
    };
    for (let layer = 0; layer < config.layers; layer++) {
      for (const [suffix, weight] of Object.entries(layerFeeds(this.parameters, layer)))
        feeds[`${layer}/${suffix}`] = weight;
      for (const part of ["keys", "values"] as const) {
        const data = this.cache[layer]![part].subarray(0, past * size);
        feeds[`${layer}/${part}`] = { dtype: "float32", shape: [past, rows * config.kvHeads, config.headDim], data };
      }
    }
    const result = await (await this.blocks.decode()).run(feeds);
    for (let layer = 0; layer < config.layers; layer++) {
      this.cache[layer]!.keys.set(result[`${layer}/key`]!.data as Float32Array, past * size);
      this.cache[layer]!.values.set(result[`${layer}/value`]!.data as Float32Array, past * size);
    }
    this.filled++;
    return this.draw(result.hidden!, uniforms);
  }

  /** Drops all rows but these (ascending), so that finished ones cost nothing more. */
  keep(rows: readonly number[]): void {
    const before = this.drawn.length;
    const width = this.rowSize(1);
    for (const layer of this.cache) {
      for (const array of [layer.keys, layer.values]) {
        let to = 0;
        for (let position = 0; position < this.filled; position++) {
          for (const row of rows) {
            const from = (position * before + row) * width;
            array.copyWithin(to, from, from + width); // never overtakes what is still to be read
            to += width;
          }
        }
      }
    }
    this.drawn = Int32Array.from(rows, (row) => this.drawn[row]!);
    this.promptLengths = rows.map((row) => this.promptLengths[row]!);
  }

  private async draw(hidden: Tensor, uniforms: Float32Array): Promise<Drawn> {
    const { norm, head } = outerTensors(this.parameters);
    const { temperature, topK, topP, minP } = this.options;
    const scalar = (value: number): Tensor => ({ dtype: "float32", shape: [], data: Float32Array.of(value) });
    const { filters } = this;
    const session = await this.blocks.sampler(filters);
    const result = await session.run({
      hidden,
      norm,
      head,
      temperature: scalar(filters.greedy ? 1 : temperature),
      ...(filters.greedy ? {} : { uniform: { dtype: "float32", shape: [uniforms.length], data: uniforms } }),
      ...(filters.topK ? { topK: { dtype: "int64", shape: [1], data: BigInt64Array.of(BigInt(topK)) } } : {}),
      ...(filters.topP ? { topP: scalar(topP) } : {}),
      ...(filters.minP ? { minP: scalar(minP) } : {}),
    });
    const ids = Int32Array.from(result.id!.data as BigInt64Array, Number);
    this.drawn = ids;
    const floats = (name: string): Float32Array => result[name]!.data as Float32Array;
    return { ids, logp: floats("logp"), entropy: floats("entropy"), policyLogp: floats("policyLogp") };
  }

  /** Fills the cache with the prompts; returns the last hidden state of every row [B, D]. */
  private async prefill({ prompts, repeats }: DecodeStart): Promise<Tensor> {
    const { width } = this.parameters.config;
    const total = this.promptLengths.length;
    const hidden = new Float32Array(total * width);
    const perRun = Math.max(1, Math.floor(PREFILL_TOKENS / this.promptLength));
    let row = 0;
    for (let first = 0; first < prompts.length; first += perRun) {
      const some = prompts.slice(first, first + perRun);
      const counts = repeats.slice(first, first + perRun);
      const last = await this.prefillSome(some, counts, row);
      some.forEach((prompt, i) => {
        const at = (i * this.promptLength + prompt.length - 1) * width;
        for (let copy = 0; copy < counts[i]!; copy++) hidden.set(last.subarray(at, at + width), row++ * width);
      });
    }
    return { dtype: "float32", shape: [total, width], data: hidden };
  }

  /** Runs some prompts through all layers; their keys and values go to the cache rows from `firstRow` on. Returns hidden [b, P, D]. */
  private async prefillSome(prompts: readonly (readonly number[])[], repeats: readonly number[], firstRow: number) {
    const { config } = this.parameters;
    const length = this.promptLength;
    const ids = new Int32Array(prompts.length * length).fill(config.padId);
    prompts.forEach((prompt, i) => {
      ids.set(prompt, i * length);
    });
    const session = await this.blocks.layerPrefill();
    const aux = this.positions.sequence(length);
    let x = embed(this.parameters, ids, [prompts.length, length]);
    for (let layer = 0; layer < config.layers; layer++) {
      const result = await session.run({ x, ...layerFeeds(this.parameters, layer), ...aux });
      this.fillCache(this.cache[layer]!.keys, result.keys!.data as Float32Array, repeats, firstRow);
      this.fillCache(this.cache[layer]!.values, result.values!.data as Float32Array, repeats, firstRow);
      x = result.y!;
    }
    return x.data as Float32Array;
  }

  private fillCache(cache: Float32Array, prompts: Float32Array, repeats: readonly number[], firstRow: number): void {
    const width = this.rowSize(1);
    const rows = this.promptLengths.length;
    for (let position = 0; position < this.promptLength; position++) {
      let row = position * rows + firstRow;
      repeats.forEach((count, i) => {
        const at = (position * repeats.length + i) * width;
        const source = prompts.subarray(at, at + width);
        for (let copy = 0; copy < count; copy++) cache.set(source, row++ * width);
      });
    }
  }

  /** [B, 1, P]: closes the slots between the end of a shorter prompt and the first drawn token. */
  private pastMask(): Float32Array {
    const mask = new Float32Array(this.promptLengths.length * this.filled);
    this.promptLengths.forEach((length, row) => {
      mask.fill(MASKED, row * this.filled + length, row * this.filled + this.promptLength);
    });
    return mask;
  }

  /** Numbers of one position of the cache for so many rows. */
  private rowSize(rows: number): number {
    return rows * this.parameters.config.kvHeads * this.parameters.config.headDim;
  }
}
