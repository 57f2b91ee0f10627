import { type FloatType, floats, type Tensor } from "../graph/index.ts";
import type { ModelConfig } from "./config.ts";

const MASKED = -1e9;

/** Rotary tables and causal masks, computed once a length. */
export class Positions {
  private readonly config: ModelConfig;
  private readonly floatType: FloatType;
  private table: { cos: Float32Array | Float64Array; sin: Float32Array | Float64Array; length: number };
  private readonly bySize = new Map<number, { cos: Tensor; sin: Tensor; mask: Tensor }>();

  constructor(config: ModelConfig, floatType: FloatType) {
    this.config = config;
    this.floatType = floatType;
    this.table = this.makeTable(256);
  }

  /** Inputs of a layer over T positions: cos and sin [T, headDim], mask [T, T]. */
  sequence(length: number): { cos: Tensor; sin: Tensor; mask: Tensor } {
    let made = this.bySize.get(length);
    if (!made) {
      this.reserve(length);
      const { headDim } = this.config;
      const mask = floats(this.floatType, length * length);
      for (let i = 0; i < length; i++) mask.fill(MASKED, i * length + i + 1, (i + 1) * length);
      made = {
        cos: this.tensor([length, headDim], this.table.cos.slice(0, length * headDim)),
        sin: this.tensor([length, headDim], this.table.sin.slice(0, length * headDim)),
        mask: this.tensor([length, length], mask),
      };
      if (this.bySize.size >= 16) this.bySize.delete(this.bySize.keys().next().value!);
      this.bySize.set(length, made);
    }
    return made;
  }

  /** Inputs of a decoding step: cos and sin [B, 1, headDim] of each row's position. */
  rows(positions: readonly number[]): { cos: Tensor; sin: Tensor } {
    const { headDim } = this.config;
    this.reserve(Math.max(...positions) + 1);
    const pick = (table: Float32Array | Float64Array): Tensor => {
      const data = floats(this.floatType, positions.length * headDim);
      positions.forEach((position, row) => {
        data.set(table.subarray(position * headDim, (position + 1) * headDim), row * headDim);
      });
      return this.tensor([positions.length, 1, headDim], data);
    };
    return { cos: pick(this.table.cos), sin: pick(this.table.sin) };
  }

  /** Inputs of several new tokens a row: cos and sin [B, 1, T, headDim] of the positions from each row's first one on. */
  spans(first: readonly number[], length: number): { cos: Tensor; sin: Tensor } {
    const { headDim } = this.config;
    this.reserve(Math.max(...first) + length);
    const pick = (table: Float32Array | Float64Array): Tensor => {
      const data = floats(this.floatType, first.length * length * headDim);
      first.forEach((position, row) => {
        data.set(table.subarray(position * headDim, (position + length) * headDim), row * length * headDim);
      });
      return this.tensor([first.length, 1, length, headDim], data);
    };
    return { cos: pick(this.table.cos), sin: pick(this.table.sin) };
  }

  private reserve(length: number): void {
    if (length > this.table.length) this.table = this.makeTable(Math.max(length, 2 * this.table.length));
  }

  private makeTable(length: number) {
    const { headDim, ropeTheta } = this.config;
    const cos = floats(this.floatType, length * headDim);
    const sin = floats(this.floatType, length * headDim);
    const half = headDim / 2;
    for (let position = 0; position < length; position++) {
      for (let i = 0; i < half; i++) {
        const angle = position / ropeTheta ** ((2 * i) / headDim);
        const at = position * headDim + i;
        cos[at] = cos[at + half] = Math.cos(angle);
        sin[at] = sin[at + half] = Math.sin(angle);
      }
    }
    return { cos, sin, length };
  }

  private tensor(shape: readonly number[], data: Float32Array | Float64Array): Tensor {
    return { dtype: this.floatType, shape, data } as Tensor;
  }
}
