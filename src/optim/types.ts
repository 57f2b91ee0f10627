import type { FloatType } from "../graph/index.ts";

/** A float array of either precision. */
export type Floats = Float32Array | Float64Array;

/** Named arrays: parameters, their gradients, or one moment of them. The order of the names is the order of every sum over them. */
export type ParameterTree = ReadonlyMap<string, Floats>;

/** Moments of an update rule; one array a parameter. */
export interface OptimizerState {
  /** Updates taken so far. */
  readonly count: number;
  readonly moments: Readonly<Record<string, ParameterTree>>;
}

/** An update rule. `update` changes the parameters and the moments in place: the sampler reads the same arrays. */
export interface Optimizer {
  readonly name: string;
  init(parameters: ParameterTree): OptimizerState;
  /** @param lr learning rate of this update */
  update(parameters: ParameterTree, gradients: ParameterTree, state: OptimizerState, lr: number): OptimizerState;
}

/** Zero arrays in the shape of a tree. */
export function zerosLike(tree: ParameterTree): Map<string, Floats> {
  return new Map([...tree].map(([name, array]) => [name, zerosOf(array)]));
}

/** Zeros in the kind and length of an array. */
export function zerosOf(array: Floats): Floats {
  return array instanceof Float32Array ? new Float32Array(array.length) : new Float64Array(array.length);
}

/** Element type of an array. */
export function floatTypeOf(array: Floats): FloatType {
  return array instanceof Float32Array ? "float32" : "float64";
}
