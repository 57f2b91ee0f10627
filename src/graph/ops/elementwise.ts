import { ShapeError } from "../../utils/errors.ts";
import { GraphCore } from "../builder.ts";
import { broadcast, describe } from "../shape.ts";
import type { DType, OwnGradient, Value } from "../types.ts";

/** Operators that work element by element, with ONNX broadcasting. A plain number stands for a scalar of the other operand's type. */
export class ElementwiseOps extends GraphCore {
  add(a: Value, b: Value | number): Value {
    return this.binary("Add", a, b);
  }
  sub(a: Value | number, b: Value | number): Value {
    return this.binary("Sub", a, b);
  }
  mul(a: Value, b: Value | number): Value {
    return this.binary("Mul", a, b);
  }
  div(a: Value | number, b: Value | number): Value {
    return this.binary("Div", a, b);
  }
  /** a^b for a constant exponent b. */
  pow(a: Value, exponent: number): Value {
    return this.binary("Pow", a, exponent);
  }
  min(a: Value, b: Value | number): Value {
    return this.binary("Min", a, b);
  }
  max(a: Value, b: Value | number): Value {
    return this.binary("Max", a, b);
  }
  /** min(max(x, low), high); no gradient outside [low, high]. */
  clip(x: Value, low: number, high: number): Value {
    return this.single("Clip", [x, this.scalar(low, x), this.scalar(high, x)], x);
  }
  neg(x: Value): Value {
    return this.unary("Neg", x);
  }
  exp(x: Value): Value {
    return this.unary("Exp", x);
  }
  log(x: Value): Value {
    return this.unary("Log", x);
  }
  sqrt(x: Value): Value {
    return this.unary("Sqrt", x);
  }
  reciprocal(x: Value): Value {
    return this.unary("Reciprocal", x);
  }
  abs(x: Value): Value {
    return this.unary("Abs", x);
  }
  /** -1, 0 or 1. */
  sign(x: Value): Value {
    return this.unary("Sign", x);
  }
  sigmoid(x: Value): Value {
    return this.unary("Sigmoid", x);
  }
  tanh(x: Value): Value {
    return this.unary("Tanh", x);
  }
  sin(x: Value): Value {
    return this.unary("Sin", x);
  }
  cos(x: Value): Value {
    return this.unary("Cos", x);
  }
  /** Passes the value, stops the gradient. */
  stopGradient(x: Value): Value {
    return this.single("Identity", [x], x, { stop: { int: 1 } });
  }
  /**
   * y, which the reverse sweep sees as a function of these inputs with this rule; how y was computed does not matter to it. For what has a cheaper
   * gradient than the sweep would derive. What y depends on beside the inputs gets no gradient through it.
   */
  withGradient(y: Value, inputs: readonly Value[], gradient: OwnGradient, remembered: readonly Value[] = []): Value {
    const attributes = { gradient: { gradient, inputs: inputs.length } };
    return this.single("WithGradient", [y, ...inputs, ...remembered], y, attributes);
  }
  equal(a: Value, b: Value | number): Value {
    return this.compare("Equal", a, b);
  }
  less(a: Value, b: Value | number): Value {
    return this.compare("Less", a, b);
  }
  lessOrEqual(a: Value, b: Value | number): Value {
    return this.compare("LessOrEqual", a, b);
  }
  greater(a: Value, b: Value | number): Value {
    return this.compare("Greater", a, b);
  }
  greaterOrEqual(a: Value, b: Value | number): Value {
    return this.compare("GreaterOrEqual", a, b);
  }
  and(a: Value, b: Value): Value {
    return this.single("And", [a, b], { dtype: "bool", shape: broadcast(a.shape, b.shape, "and()") });
  }
  or(a: Value, b: Value): Value {
    return this.single("Or", [a, b], { dtype: "bool", shape: broadcast(a.shape, b.shape, "or()") });
  }
  not(x: Value): Value {
    return this.single("Not", [x], x);
  }
  /** `yes` where the condition holds, else `no`. */
  where(condition: Value, yes: Value | number, no: Value | number): Value {
    const [a, b] = this.pair(yes, no, "where()");
    const shape = broadcast(condition.shape, broadcast(a.shape, b.shape, "where()"), "where()");
    return this.single("Where", [condition, a, b], { dtype: a.dtype, shape });
  }
  cast(x: Value, dtype: DType): Value {
    if (x.dtype === dtype) return x;
    return this.single("Cast", [x], { dtype, shape: x.shape }, { to: { int: ONNX_TYPE[dtype] } });
  }

  private unary(op: string, x: Value): Value {
    return this.single(op, [x], x);
  }

  private binary(op: string, left: Value | number, right: Value | number): Value {
    const [a, b] = this.pair(left, right, `${op}()`);
    return this.single(op, [a, b], { dtype: a.dtype, shape: broadcast(a.shape, b.shape, `${op}()`) });
  }

  private compare(op: string, left: Value, right: Value | number): Value {
    const [a, b] = this.pair(left, right, `${op}()`);
    return this.single(op, [a, b], { dtype: "bool", shape: broadcast(a.shape, b.shape, `${op}()`) });
  }

  private pair(left: Value | number, right: Value | number, where: string): [Value, Value] {
    const a = typeof left === "number" ? this.scalar(left, typeof right === "number" ? undefined : right) : left;
    const b = typeof right === "number" ? this.scalar(right, a) : right;
    if (a.dtype !== b.dtype) throw new ShapeError(`${where}: types differ, got ${describe(a)} and ${describe(b)}`);
    return [a, b];
  }
}

/** Numbers of `TensorProto.DataType`. */
export const ONNX_TYPE: Readonly<Record<DType, number>> = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11 };
