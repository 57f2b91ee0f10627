import type { GraphCore } from "./builder.ts";
import type { Graph } from "./graph.ts";

/** Element types that graphs compute with. Weights, activations and losses are float32, or float64 for gradient checks. */
export type DType = "float32" | "float64" | "int64" | "int32" | "bool";

/** A size: known, or a symbol such as "T" that is bound when the graph runs. "3*T" and "P+C" are symbols too. */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** A tensor-to-be: the output of a node, an input or a constant of a graph. */
export interface Value {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** ONNX attributes carry their type: 1 and 1.0 are different things there. */
export type Attribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly body: GraphCore }
  | { readonly gradient: OwnGradient; readonly inputs: number };

/** What the rule of one value sees; it builds nodes from this alone, since bodies are copied with their rules. */
export interface OwnGradientContext {
  readonly y: Value;
  readonly inputs: readonly Value[];
  /** Which inputs need a cotangent. */
  readonly needs: readonly boolean[];
  /** Values that the rule uses again; they get no cotangent. */
  readonly remembered: readonly Value[];
}

/** A backward rule that one value has for itself: from its cotangent to those of its inputs (null = zero or not needed). */
export type OwnGradient = (g: Graph, cotangent: Value, context: OwnGradientContext) => readonly (Value | null)[];

/** One operator application. `scope` is the path of names it was built under. An absent optional input is null. */
export interface Node {
  readonly name: string;
  readonly op: string;
  readonly domain: "" | "com.microsoft";
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly scope: string;
}

/** Array kinds by element type; booleans are bytes 0 and 1. */
export interface DataOf {
  float32: Float32Array;
  float64: Float64Array;
  int64: BigInt64Array;
  int32: Int32Array;
  bool: Uint8Array;
}

/** A host array with its shape, row-major. */
export interface Tensor<T extends DType = DType> {
  readonly dtype: T;
  readonly shape: readonly number[];
  readonly data: DataOf[T];
}

/** A value that every run of a graph has: numbers baked into it. */
export interface Constant {
  readonly value: Value;
  readonly tensor: Tensor;
}

/** Data type of the real numbers in a graph. */
export type FloatType = "float32" | "float64";
