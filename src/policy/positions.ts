import { type FloatType, floats, type Tensor } from "../graph/index.ts";
import type { ModelConfig } from "./config.ts";

const MASKED = -1e9;
const KEPT_BYTES = 32 << 20; // of masks; a larger one is kept alone

/** Rotary tables and causal masks, computed once a size. */
export class Positions {
  readonly floatType: FloatType;
  private readonly config: ModelConfig;
  private angles: { cos: Tensor; sin: Tensor };
  private readonly masks = new Map<string, Tensor>();
  private keptBytes = 0;

  constructor(config: ModelConfig, floatType: FloatType) {
    this.config = config;
    this.floatType = floatType;
    this.angles = this.makeTable(256);
  }

  /** cos and sin [M, headDim/2] of positions 0..M-1, M at least `length`. */
  table(length: number): { cos: Tensor; sin: Tensor } {
    const made = this.angles.cos.shape[0]!;
    if (length > made) this.angles = this.makeTable(Math.max(length, 2 * made));
    return this.angles;
  }

  /**
   * [R, T], added to scores of the last R of T tokens: 0 where a token may look, a large negative number at what comes after it.
   * @param rows R, at most T
   */
  causal(rows: number, length = rows): Tensor {
    const key = `${rows} ${length}`;
    let mask = this.masks.get(key);
    if (!mask) {
      const data = floats(this.floatType, rows * length);
      const before = length - rows;
      for (let i = 0; i < rows; i++) data.fill(MASKED, i * length + before + i + 1, (i + 1) * length);
      mask = this.tensor([rows, length], data);
      this.keptBytes += data.byteLength;
      while (this.keptBytes > KEPT_BYTES && this.masks.size > 0) this.dropOldest();
      this.masks.set(key, mask);
    }
    return mask;
  }

  private dropOldest(): void {
    const [key, { data }] = this.masks.entries().next().value!;
    this.masks.delete(key);
    this.keptBytes -= (data as Float32Array).byteLength;
  }

  private makeTable(length: number): { cos: Tensor; sin: Tensor } {
    const { headDim, ropeTheta } = this.config;
    const half = headDim / 2;
    const cos = floats(this.floatType, length * half);
    const sin = floats(this.floatType, length * half);
    for (let position = 0; position < length; position++) {
      for (let i = 0; i < half; i++) {
        const angle = position / ropeTheta ** ((2 * i) / headDim);
        cos[position * half + i] = Math.cos(angle);
        sin[position * half + i] = Math.sin(angle);
      }
    }
    return { cos: this.tensor([length, half], cos), sin: this.tensor([length, half], sin) };
  }

  private tensor(shape: readonly number[], data: Float32Array | Float64Array): Tensor {
    return { dtype: this.floatType, shape, data } as Tensor;
  }
}

/** Positions of tokens as a column of a layer's feeds: [n, 1]. */
export function positionColumn(positions: ArrayLike<number>): Tensor {
  return { dtype: "int64", shape: [positions.length, 1], data: BigInt64Array.from(positions, BigInt) };
}
