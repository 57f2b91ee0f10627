import { ShapeError } from "../utils/errors.ts";
import type { DataOf, DType, FloatType, Tensor } from "./types.ts";

/** Bytes of one element. */
export const BYTES: Readonly<Record<DType, number>> = { float32: 4, float64: 8, int64: 8, int32: 4, bool: 1 };

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** A zero-filled array of a type. */
export function zeros<T extends DType>(dtype: T, length: number): DataOf[T] {
  const make: { [K in DType]: () => DataOf[K] } = {
    float32: () => new Float32Array(length),
    float64: () => new Float64Array(length),
    int64: () => new BigInt64Array(length),
    int32: () => new Int32Array(length),
    bool: () => new Uint8Array(length),
  };
  return make[dtype]();
}

/**
 * Wraps data with its shape.
 * @throws ShapeError when the number of elements does not fit the shape
 */
export function tensor<T extends DType>(dtype: T, shape: readonly number[], data: DataOf[T]): Tensor<T> {
  if (sizeOf(shape) !== data.length) {
    throw new ShapeError(`tensor(): shape [${shape}] needs ${sizeOf(shape)} elements, got ${data.length}`);
  }
  return { dtype, shape, data };
}

/** A tensor from plain numbers, converted to the type (booleans from 0 and 1). */
export function tensorOf(dtype: DType, shape: readonly number[], values: ArrayLike<number>): Tensor {
  const data = zeros(dtype, values.length);
  if (data instanceof BigInt64Array) for (let i = 0; i < data.length; i++) data[i] = BigInt(values[i]!);
  else data.set(values);
  return tensor(dtype, shape, data);
}

/** A floating-point array type by name. */
export function floats(dtype: FloatType, length: number): Float32Array | Float64Array {
  return dtype === "float32" ? new Float32Array(length) : new Float64Array(length);
}
