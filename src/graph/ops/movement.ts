import { ShapeError } from "../../utils/errors.ts";
import { describe, dimAdd, dimProduct, normalizeAxis } from "../shape.ts";
import { tensorOf } from "../tensor.ts";
import type { Dim, DType, Shape, Value } from "../types.ts";
import { LinalgOps } from "./linalg.ts";

/** Operators that move elements without computing. */
export class MovementOps extends LinalgOps {
  /** The same elements under another shape. Sizes may be symbols; at most one of them needs to be new to the graph. */
  reshape(x: Value, shape: Shape): Value {
    checkSameSize(x, shape);
    const open = shape.flatMap((dim, i) => (typeof dim === "string" && x.shape[i] !== dim ? [i] : []));
    const inferred = open.find((i) => !this.hasDim(shape[i]!)) ?? open[0];
    const parts = shape.map((dim, i): number | Value => {
      if (i === inferred) return -1;
      if (typeof dim === "number") return dim;
      return x.shape[i] === dim ? 0 : this.dim(dim);
    });
    const target = parts.every((part) => typeof part === "number")
      ? this.ints(parts)
      : this.concat(
          parts.map((part) => (typeof part === "number" ? this.ints([part]) : part)),
          0,
        );
    return this.single("Reshape", [x, target], { dtype: x.dtype, shape });
  }

  concat(values: readonly Value[], axis: number): Value {
    const first = values[0];
    if (!first) throw new ShapeError("concat(): needs at least one value");
    const at = normalizeAxis(axis, first.shape.length, "concat()");
    for (const value of values) {
      const fits =
        value.shape.length === first.shape.length && value.shape.every((dim, i) => i === at || dim === first.shape[i]);
      if (!fits)
        throw new ShapeError(`concat(): ${describe(value)} does not fit ${describe(first)} along axis ${axis}`);
    }
    if (values.length === 1) return first;
    const total = values.map((value) => value.shape[at]!).reduce((sum, dim) => dimAdd(sum, dim));
    const shape = first.shape.map((dim, i) => (i === at ? total : dim));
    return this.single("Concat", values, { dtype: first.dtype, shape }, { axis: { int: at } });
  }

  /** Cuts an axis into parts of the given sizes. */
  split(x: Value, sizes: readonly Dim[], axis: number): readonly Value[] {
    const at = normalizeAxis(axis, x.shape.length, "split()");
    const total = sizes.reduce((sum, dim) => dimAdd(sum, dim));
    if (typeof total === "number" && typeof x.shape[at] === "number" && total !== x.shape[at]) {
      throw new ShapeError(`split(): parts of [${sizes}] do not make axis ${axis} of ${describe(x)}`);
    }
    const lengths = sizes.every((size) => typeof size === "number")
      ? this.ints(sizes)
      : this.concat(
          sizes.map((size) => this.dim(size)),
          0,
        );
    const specs = sizes.map((size) => ({ dtype: x.dtype, shape: x.shape.map((dim, i) => (i === at ? size : dim)) }));
    return this.node("Split", [x, lengths], specs, { axis: { int: at } });
  }

  /** Elements start..end-1 of an axis; negative bounds count from its end, Infinity is its end. */
  slice(x: Value, axis: number, start: number, end: number): Value {
    const at = normalizeAxis(axis, x.shape.length, "slice()");
    const size = x.shape[at]!;
    const clamp = (bound: number, of: number): number => Math.max(0, Math.min(of, bound < 0 ? bound + of : bound));
    const length: Dim =
      typeof size === "number" ? Math.max(0, clamp(end, size) - clamp(start, size)) : `${size}[${start}:${end}]`;
    const limit = Number.isFinite(end) ? end : 2 ** 52;
    const shape = x.shape.map((dim, i) => (i === at ? length : dim));
    return this.single("Slice", [x, this.ints([start]), this.ints([limit]), this.ints([at])], {
      dtype: x.dtype,
      shape,
    });
  }

  /** Elements of an axis between two bounds [1] int64 that are known when the graph runs; `length` is the size's name. No gradient. */
  sliceBetween(x: Value, axis: number, [start, end]: readonly [Value, Value], length: Dim): Value {
    const at = normalizeAxis(axis, x.shape.length, "sliceBetween()");
    const shape = x.shape.map((dim, i) => (i === at ? length : dim));
    return this.single("Slice", [x, start, end, this.ints([at])], { dtype: x.dtype, shape });
  }

  /** Adds `count` [1] int64 zeros at the end of an axis, which has the size `length` then. No gradient. */
  padEnd(x: Value, axis: number, count: Value, length: Dim): Value {
    const rank = x.shape.length;
    const at = normalizeAxis(axis, rank, "padEnd()");
    const zeros = (n: number): Value[] => (n > 0 ? [this.ints(Array<number>(n).fill(0))] : []);
    const pads = this.concat([...zeros(rank + at), count, ...zeros(rank - at - 1)], 0);
    const shape = x.shape.map((dim, i) => (i === at ? length : dim));
    return this.single("Pad", [x, pads], { dtype: x.dtype, shape });
  }

  /** Inserts axes of size 1 at these positions of the result. */
  unsqueeze(x: Value, axes: readonly number[]): Value {
    const rank = x.shape.length + axes.length;
    const normal = axes.map((axis) => normalizeAxis(axis, rank, "unsqueeze()"));
    const rest = [...x.shape];
    const shape = Array.from({ length: rank }, (_, i): Dim => (normal.includes(i) ? 1 : rest.shift()!));
    return this.single("Unsqueeze", [x, this.ints(normal)], { dtype: x.dtype, shape });
  }

  /** Drops axes of size 1. */
  squeeze(x: Value, axes: readonly number[]): Value {
    const normal = axes.map((axis) => normalizeAxis(axis, x.shape.length, "squeeze()"));
    if (normal.some((axis) => x.shape[axis] !== 1)) {
      throw new ShapeError(`squeeze(): axes [${axes}] of ${describe(x)} are not all of size 1`);
    }
    const shape = x.shape.filter((_, i) => !normal.includes(i));
    return this.single("Squeeze", [x, this.ints(normal)], { dtype: x.dtype, shape });
  }

  /** All elements in one axis. */
  flatten(x: Value): Value {
    return x.shape.length === 1 ? x : this.reshape(x, [dimProduct(x.shape)]);
  }

  /** Repeats axes of size 1 up to a shape. */
  expand(x: Value, shape: Shape): Value {
    if (shape.length === x.shape.length && shape.every((dim, i) => dim === x.shape[i])) return x;
    const target = this.shapeVector(shape);
    return this.single("Expand", [x, target], { dtype: x.dtype, shape });
  }

  /** A tensor filled with one number. */
  full(shape: Shape, value: number, dtype: DType = this.floatType): Value {
    const one = shape.map(() => 1);
    return this.expand(this.constant(tensorOf(dtype, one, [value])), shape);
  }

  /** A shape as a 1-D int64 value. */
  shapeVector(shape: Shape): Value {
    if (shape.every((dim) => typeof dim === "number")) return this.ints(shape);
    return this.concat(
      shape.map((dim) => this.dim(dim)),
      0,
    );
  }
}

function checkSameSize(x: Value, shape: Shape): void {
  const [have, want] = [dimProduct(x.shape), dimProduct(shape)];
  if (typeof have === "number" && typeof want === "number" && have !== want) {
    throw new ShapeError(`reshape(): ${describe(x)} has ${have} elements, [${shape}] has ${want}`);
  }
}
