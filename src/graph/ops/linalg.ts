import { ShapeError } from "../../utils/errors.ts";
import { broadcast, describe } from "../shape.ts";
import type { Dim, Shape, Value } from "../types.ts";
import { ReduceOps } from "./reduce.ts";

/** Which operands of a product are transposed, and a factor on the result. */
export interface MatMulOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly alpha?: number;
}

/** Matrix products. */
export class LinalgOps extends ReduceOps {
  /** alpha · op(a) op(b) of two matrices, op being the transposition asked for, plus `bias` (broadcast over rows). ONNX Gemm. */
  gemm(a: Value, b: Value, options: MatMulOptions & { bias?: Value } = {}): Value {
    const { transA = false, transB = false, alpha = 1, bias } = options;
    if (a.shape.length !== 2 || b.shape.length !== 2) {
      throw new ShapeError(`gemm(): needs two matrices, got a ${describe(a)} and b ${describe(b)}`);
    }
    const shape = productShape(a, b, transA, transB, "gemm()");
    const attributes = { transA: { int: transA ? 1 : 0 }, transB: { int: transB ? 1 : 0 }, alpha: { float: alpha } };
    return this.single("Gemm", bias ? [a, b, bias] : [a, b], { dtype: a.dtype, shape }, attributes);
  }

  /**
   * alpha · op(a) op(b) over the last two axes, leading axes broadcast. One fused node in float32; ONNX Runtime has no float64 kernel of
   * it, so there the transpositions are nodes of their own.
   */
  matMul(a: Value, b: Value, options: MatMulOptions = {}): Value {
    const { transA = false, transB = false, alpha = 1 } = options;
    const shape = productShape(a, b, transA, transB, "matMul()");
    if (a.dtype === "float32") {
      const attributes = { transA: { int: transA ? 1 : 0 }, transB: { int: transB ? 1 : 0 }, alpha: { float: alpha } };
      return this.single("FusedMatMul", [a, b], { dtype: a.dtype, shape }, attributes, "com.microsoft");
    }
    const product = this.single("MatMul", [transA ? this.swapLast(a) : a, transB ? this.swapLast(b) : b], {
      dtype: a.dtype,
      shape,
    });
    return alpha === 1 ? product : this.mul(product, alpha);
  }

  /** Exchanges the last two axes. */
  swapLast(x: Value): Value {
    const rank = x.shape.length;
    const perm = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
    return this.transpose(x, perm);
  }

  /** Axis i of the result is axis perm[i] of x. */
  transpose(x: Value, perm: readonly number[]): Value {
    if (perm.length !== x.shape.length || new Set(perm).size !== perm.length) {
      throw new ShapeError(`transpose(): [${perm}] does not permute the axes of ${describe(x)}`);
    }
    const shape = perm.map((axis) => x.shape[axis]!);
    return this.single("Transpose", [x], { dtype: x.dtype, shape }, { perm: { ints: perm } });
  }
}

function productShape(a: Value, b: Value, transA: boolean, transB: boolean, where: string): Shape {
  const matrix = (value: Value, transposed: boolean): [Dim, Dim] => {
    if (value.shape.length < 2) throw new ShapeError(`${where}: needs at least two axes, got ${describe(value)}`);
    const [rows, columns] = [value.shape.at(-2)!, value.shape.at(-1)!];
    return transposed ? [columns, rows] : [rows, columns];
  };
  const [rows, inner] = matrix(a, transA);
  const [innerB, columns] = matrix(b, transB);
  if (inner !== innerB) {
    throw new ShapeError(
      `${where}: inner sizes differ, ${inner} against ${innerB}, for a ${describe(a)} and b ${describe(b)}`,
    );
  }
  return [...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2), where), rows, columns];
}
