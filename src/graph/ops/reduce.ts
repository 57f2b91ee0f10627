import { ShapeError } from "../../utils/errors.ts";
import { describe, normalizeAxis } from "../shape.ts";
import type { Shape, Value } from "../types.ts";
import { ElementwiseOps } from "./elementwise.ts";

/** Sums, means, maxima, softmax, cumulative sums and the k largest. Axes may be negative. */
export class ReduceOps extends ElementwiseOps {
  /** Sum over axes (all when none is given). */
  reduceSum(x: Value, axes?: readonly number[], keepDims = false): Value {
    return this.reduce("ReduceSum", x, axes, keepDims);
  }
  reduceMean(x: Value, axes?: readonly number[], keepDims = false): Value {
    return this.reduce("ReduceMean", x, axes, keepDims);
  }
  /** Maximum; the elements that equal it share its gradient. */
  reduceMax(x: Value, axes?: readonly number[], keepDims = false): Value {
    return this.reduce("ReduceMax", x, axes, keepDims);
  }
  softmax(x: Value): Value {
    return this.single("Softmax", [x], x, { axis: { int: -1 } });
  }
  logSoftmax(x: Value): Value {
    return this.single("LogSoftmax", [x], x, { axis: { int: -1 } });
  }
  /** Running sum along an axis, the element itself included. */
  cumSum(x: Value, axis: number): Value {
    const at = normalizeAxis(axis, x.shape.length, "cumSum()");
    return this.single("CumSum", [x, this.constantInt(at)], x);
  }
  /** Index of the largest element of the last axis, the first one among equals. [.., n] → [..] int64 */
  argMax(x: Value): Value {
    const shape = x.shape.slice(0, -1);
    return this.single("ArgMax", [x], { dtype: "int64", shape }, { axis: { int: -1 }, keepdims: { int: 0 } });
  }
  /** The k largest of the last axis in falling order, and where they were (lower index first among equals). */
  topK(x: Value, k: number | Value): { values: Value; indices: Value } {
    const count = typeof k === "number" ? this.ints([k]) : k;
    const shape: Shape = [...x.shape.slice(0, -1), typeof k === "number" ? k : `top(${k.name})`];
    const specs = [
      { dtype: x.dtype, shape },
      { dtype: "int64" as const, shape },
    ];
    const [values, indices] = this.node("TopK", [x, count], specs, { axis: { int: -1 } });
    return { values: values!, indices: indices! };
  }

  private constantInt(value: number): Value {
    return this.constant({ dtype: "int64", shape: [], data: BigInt64Array.of(BigInt(value)) });
  }

  private reduce(op: string, x: Value, axes: readonly number[] | undefined, keepDims: boolean): Value {
    if (x.dtype === "bool") throw new ShapeError(`${op}(): cannot reduce ${describe(x)}; cast it first`);
    const all = axes ?? x.shape.map((_, i) => i);
    const normal = all.map((axis) => normalizeAxis(axis, x.shape.length, `${op}()`));
    const shape = keepDims
      ? x.shape.map((dim, i) => (normal.includes(i) ? 1 : dim))
      : x.shape.filter((_, i) => !normal.includes(i));
    if (normal.length === 0) return x;
    return this.single(op, [x, this.ints(normal)], { dtype: x.dtype, shape }, { keepdims: { int: keepDims ? 1 : 0 } });
  }
}
