import type { Tensor } from "../graph/index.ts";
import type { Blocks } from "./blocks.ts";
import { outerTensors, type Parameters } from "./parameters.ts";
import type { SamplerFilters } from "./sampler.ts";

/** How the decoder draws tokens; temperature 0 takes the most probable one. */
export interface DrawOptions {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
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

/** The end of a decoding step: from hidden states through the head to one drawn token a row, in one graph. */
export class Drawing {
  private readonly parameters: Parameters;
  private readonly blocks: Blocks;
  private readonly options: DrawOptions;
  private readonly filters: SamplerFilters;

  constructor(parameters: Parameters, blocks: Blocks, options: DrawOptions) {
    this.parameters = parameters;
    this.blocks = blocks;
    this.options = options;
    const { temperature, topK, topP, minP } = options;
    const greedy = temperature === 0;
    this.filters = {
      greedy,
      topK: !greedy && topK > 0 && topK < parameters.config.vocab,
      topP: !greedy && topP < 1,
      minP: !greedy && minP > 0,
    };
  }

  /**
   * @param hidden [n, D]
   * @param uniforms [n] in (0, 1)
   */
  async draw(hidden: Tensor, uniforms: Float32Array): Promise<Drawn> {
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
    const floats = (name: string): Float32Array => result[name]!.data as Float32Array;
    return {
      ids: Int32Array.from(result.id!.data as BigInt64Array, Number),
      ...{ logp: floats("logp"), entropy: floats("entropy"), policyLogp: floats("policyLogp") },
    };
  }
}
