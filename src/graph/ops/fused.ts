import { ShapeError } from "../../utils/errors.ts";
import { describe } from "../shape.ts";
import type { OwnGradient, Value } from "../types.ts";
import { IndexingOps } from "./indexing.ts";

/** Cosines and sines of the rotary angles of positions 0..M-1: [M, d/2] each. */
export interface RotaryTable {
  readonly cos: Value;
  readonly sin: Value;
}

/**
 * Compositions that ONNX Runtime has in one operator, and whose gradients need fewer passes over memory than a sweep through their parts. There are no
 * float64 kernels of these operators: in float64 they are built from parts.
 */
export class FusedOps extends IndexingOps {
  /** x / sqrt(mean(x²) + eps) · weight over the last axis. x [.., d], weight [d]. arXiv:1910.07467 */
  rmsNorm(x: Value, weight: Value, eps: number): Value {
    const { y, inverse } = this.normalised(x, weight, eps);
    return this.withGradient(y, [x, weight], rmsNormGradient, [inverse]);
  }

  /** x · sigmoid(x). arXiv:1702.03118 */
  silu(x: Value): Value {
    const y =
      x.dtype === "float32"
        ? this.single("QuickGelu", [x], x, { alpha: { float: 1 } }, "com.microsoft")
        : this.mul(x, this.sigmoid(x));
    return this.withGradient(y, [x], (g, ct, { y, inputs: [x] }) => [
      g.mul(ct, g.add(y, g.mul(g.sigmoid(x!), g.sub(1, y)))),
    ]);
  }

  /**
   * Rotary positions in the split-half form: x·cos + [−x₂, x₁]·sin for each head. arXiv:2104.09864
   * @param x [n, heads*d]
   * @param positions [n, 1] int64
   */
  rotary(x: Value, { cos, sin }: RotaryTable, positions: Value): Value {
    const [half, width] = [cos.shape[1], x.shape[1]];
    if (typeof half !== "number" || typeof width !== "number" || x.shape.length !== 2 || width % (2 * half) !== 0)
      throw new ShapeError(`rotary(): x ${describe(x)} does not fit a table ${describe(cos)}`);
    const gradient: OwnGradient = (g, ct, { remembered: [places, c, s] }) => [
      g.turn(ct, { cos: c!, sin: g.neg(s!) }, places!),
    ];
    return this.withGradient(this.turn(x, { cos, sin }, positions), [x], gradient, [positions, cos, sin]);
  }

  /** Turns each head of x by the angles of its positions. */
  turn(x: Value, { cos, sin }: RotaryTable, positions: Value): Value {
    const [rows, width] = x.shape as [Value["shape"][0], number];
    const half = cos.shape[1] as number;
    if (x.dtype === "float32") {
      const shape = [rows, 1, width];
      const inputs = [this.reshape(x, shape), positions, cos, sin];
      return this.reshape(
        this.single("RotaryEmbedding", inputs, { dtype: x.dtype, shape }, {}, "com.microsoft"),
        x.shape,
      );
    }
    const heads = this.reshape(x, [rows, width / (2 * half), 2 * half]);
    const [first, second] = this.split(heads, [half, half], -1);
    const [c, s] = [this.gather(cos, positions), this.gather(sin, positions)]; // [n, 1, d/2]
    const left = this.sub(this.mul(first!, c), this.mul(second!, s));
    const right = this.add(this.mul(second!, c), this.mul(first!, s));
    return this.reshape(this.concat([left, right], -1), x.shape);
  }

  private normalised(x: Value, weight: Value, eps: number): { y: Value; inverse: Value } {
    if (x.dtype === "float32") {
      const specs = [x, { dtype: x.dtype, shape: [...x.shape.slice(0, -1), 1] }];
      const attributes = { axis: { int: -1 }, epsilon: { float: eps }, stash_type: { int: 1 } };
      const [y, inverse] = this.node("SimplifiedLayerNormalization", [x, weight], specs, attributes);
      return { y: y!, inverse: inverse! };
    }
    const inverse = this.reciprocal(this.sqrt(this.add(this.reduceMean(this.mul(x, x), [-1], true), eps)));
    return { y: this.mul(this.mul(x, inverse), weight), inverse };
  }
}

/** With r = 1/rms: d/dx = r·ct·weight − x·r²·mean(ct·y). */
const rmsNormGradient: OwnGradient = (g, ct, { y, inputs: [x, weight], needs, remembered: [inverse] }) => {
  const scaled = g.mul(ct, inverse!);
  const shared = (): Value => g.mul(g.reduceMean(g.mul(ct, y), [-1], true), g.mul(inverse!, inverse!));
  const leading = x!.shape.slice(0, -1).map((_, axis) => axis);
  return [
    needs[0] ? g.sub(g.mul(scaled, weight!), g.mul(x!, shared())) : null,
    needs[1] ? g.reduceSum(g.mul(scaled, x!), leading) : null,
  ];
};
