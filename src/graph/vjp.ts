import { ShapeError } from "../utils/errors.ts";
import type { GraphCore } from "./builder.ts";
import type { Graph } from "./graph.ts";
import { describe } from "./shape.ts";
import type { Attribute, Node, Shape, Value } from "./types.ts";
import { controlRules } from "./vjp-control.ts";

/** What a rule sees: the node, and which of its inputs need a cotangent. */
export interface VjpContext {
  readonly node: Node;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly needs: readonly boolean[];
  /** Outer values that need a cotangent and that the bodies of the node use. Their cotangents follow those of `node.inputs`. */
  readonly captured: readonly Value[];
  /** The reverse sweep itself, for the bodies of a node; null where nothing depends on a value. */
  readonly sweep: (
    g: Graph,
    seeds: readonly { readonly value: Value; readonly cotangent: Value }[],
    wrt: readonly Value[],
  ) => readonly (Value | null)[];
  /** The values of a body that a gradient reaches from these roots, by name. */
  readonly dependents: (body: GraphCore, roots: readonly Value[]) => ReadonlyMap<string, Value>;
}

/**
 * Vector-Jacobian product of one operator: from the cotangent of each output (null = zero) to one of each input (null = zero or not
 * needed), in that input's shape.
 */
export type VjpRule = (g: Graph, context: VjpContext, cts: readonly (Value | null)[]) => readonly (Value | null)[];

type SimpleRule = (g: Graph, context: VjpContext, ct: Value) => readonly (Value | null)[];

/** Lifts a rule of a one-output operator. */
function rule(simple: SimpleRule): VjpRule {
  return (g, context, cts) => (cts[0] ? simple(g, context, cts[0]) : context.inputs.map(() => null));
}

/** Elementwise rule of one input: the cotangent times a factor made from input x and output y. */
function unary(factor: (g: Graph, x: Value, y: Value) => Value): VjpRule {
  return rule((g, { inputs: [x], outputs: [y] }, ct) => [g.mul(ct, factor(g, x!, y!))]);
}

/** Undoes broadcasting: sums a cotangent over the axes along which a value of this shape was repeated. */
export function sumTo(g: Graph, ct: Value, shape: Shape): Value {
  const extra = ct.shape.length - shape.length;
  const leading = Array.from({ length: extra }, (_, i) => i);
  const repeated = shape.flatMap((dim, i) => (dim === 1 && ct.shape[i + extra] !== 1 ? [i + extra] : []));
  if (leading.length + repeated.length === 0) return ct;
  const summed = g.reduceSum(ct, [...leading, ...repeated], true);
  return extra === 0 ? summed : g.squeeze(summed, leading);
}

/** Rule of a broadcasting operator of two inputs; only the products that are needed are built. */
function binary(left: (g: Graph, ct: Value, a: Value, b: Value) => Value, right: typeof left): VjpRule {
  return rule((g, { inputs: [a, b], needs }, ct) => [
    needs[0] ? sumTo(g, left(g, ct, a!, b!), a!.shape) : null,
    needs[1] ? sumTo(g, right(g, ct, a!, b!), b!.shape) : null,
  ]);
}

/** Puts a cotangent of a reduced shape back to the shape of the input. */
function unreduce(g: Graph, { node, inputs: [x] }: VjpContext, y: Value): Value {
  const axes = axesOf(g, node);
  const kept = intOf(node.attributes.keepdims) === 1 ? y : g.unsqueeze(y, axes);
  return g.expand(kept, x!.shape);
}

function axesOf(g: Graph, node: Node): readonly number[] {
  const axes = node.inputs[1] && g.constantData(node.inputs[1]);
  if (!axes) throw new ShapeError(`internal: ${node.name}: axes must be constant`);
  return axes;
}

function intOf(attribute: Attribute | undefined, otherwise = 0): number {
  return attribute && "int" in attribute ? attribute.int : otherwise;
}

function floatOf(attribute: Attribute | undefined, otherwise: number): number {
  return attribute && "float" in attribute ? attribute.float : otherwise;
}

function zerosLike(g: Graph, x: Value): Value {
  return g.full(x.shape, 0, x.dtype);
}

/** Cotangents of y = alpha · op(a) op(b), for Gemm and the batched products alike. */
function productRule(multiply: "gemm" | "matMul"): SimpleRule {
  return (g, { node, inputs: [a, b, bias], needs }, ct) => {
    const transA = intOf(node.attributes.transA) === 1;
    const transB = intOf(node.attributes.transB) === 1;
    const alpha = floatOf(node.attributes.alpha, 1);
    const product = g[multiply].bind(g);
    const toA = (): Value =>
      transA ? product(b!, ct, { transA: transB, transB: true, alpha }) : product(ct, b!, { transB: !transB, alpha });
    const toB = (): Value =>
      transB ? product(ct, a!, { transA: true, transB: transA, alpha }) : product(a!, ct, { transA: !transA, alpha });
    return [
      needs[0] ? sumTo(g, toA(), a!.shape) : null,
      needs[1] ? sumTo(g, toB(), b!.shape) : null,
      ...(bias ? [needs[2] ? sumTo(g, ct, bias.shape) : null] : []),
    ];
  };
}

/** Operators whose derivative is zero wherever it exists: their inputs get no cotangent. */
export const ZERO_GRADIENT: ReadonlySet<string> = new Set([
  "Sign",
  "Floor",
  "Shape",
  "ArgMax",
  "Equal",
  "Less",
  "LessOrEqual",
  "Greater",
  "GreaterOrEqual",
  "Not",
  "And",
  "Or",
]);

/** One rule an operator, in the order of `ops/`. A missing rule is an error by operator name (`grad.ts`). */
export const vjpRules: Readonly<Record<string, VjpRule>> = {
  // ops/elementwise.ts
  Add: binary(
    (_g, ct) => ct,
    (_g, ct) => ct,
  ),
  Sub: binary(
    (_g, ct) => ct,
    (g, ct) => g.neg(ct),
  ),
  Mul: binary(
    (g, ct, _a, b) => g.mul(ct, b),
    (g, ct, a) => g.mul(ct, a),
  ),
  Div: binary(
    (g, ct, _a, b) => g.div(ct, b),
    (g, ct, a, b) => g.neg(g.div(g.mul(ct, a), g.mul(b, b))),
  ),
  Pow: rule((g, { node, inputs: [x] }, ct) => {
    const exponent = g.constantData(node.inputs[1]!)?.[0];
    if (exponent === undefined) throw new ShapeError(`internal: ${node.name}: the exponent must be constant`);
    return [g.mul(ct, g.mul(g.pow(x!, exponent - 1), exponent)), null];
  }),
  // At a tie the first operand gets the whole cotangent.
  Min: binary(
    (g, ct, a, b) => g.where(g.lessOrEqual(a, b), ct, 0),
    (g, ct, a, b) => g.where(g.lessOrEqual(a, b), 0, ct),
  ),
  Max: binary(
    (g, ct, a, b) => g.where(g.greaterOrEqual(a, b), ct, 0),
    (g, ct, a, b) => g.where(g.greaterOrEqual(a, b), 0, ct),
  ),
  Clip: rule((g, { inputs: [x, low, high] }, ct) => {
    const inside = g.and(g.greaterOrEqual(x!, low!), g.lessOrEqual(x!, high!));
    return [g.where(inside, ct, 0), null, null];
  }),
  Neg: rule((g, _context, ct) => [g.neg(ct)]),
  Exp: unary((_g, _x, y) => y),
  Log: rule((g, { inputs: [x] }, ct) => [g.div(ct, x!)]),
  Sqrt: rule((g, { outputs: [y] }, ct) => [g.div(g.mul(ct, 0.5), y!)]),
  Reciprocal: unary((g, _x, y) => g.neg(g.mul(y, y))),
  Abs: unary((g, x) => g.sign(x)),
  Sigmoid: unary((g, _x, y) => g.mul(y, g.sub(1, y))),
  Tanh: unary((g, _x, y) => g.sub(1, g.mul(y, y))),
  Sin: unary((g, x) => g.cos(x)),
  Cos: unary((g, x) => g.neg(g.sin(x))),
  Identity: rule((_g, _context, ct) => [ct]),
  WithGradient: rule((g, { node, inputs: [y, ...values], needs }, ct) => {
    const own = node.attributes.gradient;
    if (!own || !("gradient" in own)) throw new ShapeError(`internal: ${node.name}: no gradient`);
    if (needs[0] && !needs.slice(1, 1 + own.inputs).includes(true))
      throw new ShapeError(`grad(): ${node.name} has a gradient of its own, which says nothing of what is asked for`);
    const [inputs, remembered] = [values.slice(0, own.inputs), values.slice(own.inputs)];
    const cts = own.gradient(g, ct, { y: y!, inputs, needs: needs.slice(1, 1 + own.inputs), remembered });
    return [null, ...cts, ...remembered.map(() => null)];
  }),
  Where: rule((g, { inputs: [condition, yes, no], needs }, ct) => [
    null,
    needs[1] ? sumTo(g, g.where(condition!, ct, 0), yes!.shape) : null,
    needs[2] ? sumTo(g, g.where(condition!, 0, ct), no!.shape) : null,
  ]),
  Cast: rule((g, { inputs: [x] }, ct) => [x!.dtype.startsWith("float") ? g.cast(ct, x!.dtype) : null]),

  // ops/reduce.ts
  ReduceSum: rule((g, context, ct) => [unreduce(g, context, ct), null]),
  ReduceMean: rule((g, context, ct) => {
    const { node, inputs } = context;
    const sizes = axesOf(g, node).map((axis) => g.dim(inputs[0]!.shape[axis]!));
    const count = sizes.reduce((product, size) => g.mul(product, size));
    return [g.div(unreduce(g, context, ct), g.cast(g.squeeze(count, [0]), ct.dtype)), null];
  }),
  // Equal maxima share the cotangent: right also where they are copies of one value.
  ReduceMax: rule((g, context, ct) => {
    const isMax = g.cast(g.equal(context.inputs[0]!, unreduce(g, context, context.outputs[0]!)), ct.dtype);
    const kept = intOf(context.node.attributes.keepdims) === 1;
    const share = g.div(ct, g.reduceSum(isMax, axesOf(g, context.node), kept));
    return [g.mul(isMax, unreduce(g, context, share)), null];
  }),
  Softmax: rule((g, { outputs: [y] }, ct) => {
    const weighted = g.mul(ct, y!);
    return [g.sub(weighted, g.mul(y!, g.reduceSum(weighted, [-1], true)))];
  }),
  LogSoftmax: rule((g, { outputs: [y] }, ct) => [g.sub(ct, g.mul(g.exp(y!), g.reduceSum(ct, [-1], true)))]),
  CumSum: rule((g, { node }, ct) => [
    g.single("CumSum", [ct, node.inputs[1]!], ct, { reverse: { int: 1 - intOf(node.attributes.reverse) } }),
    null,
  ]),
  TopK: rule((g, { inputs: [x], outputs: [, indices] }, ct) => [
    g.scatterAddElements(zerosLike(g, x!), indices!, ct, x!.shape.length - 1),
    null,
  ]),

  // ops/linalg.ts
  Gemm: rule(productRule("gemm")),
  FusedMatMul: rule(productRule("matMul")),
  MatMul: rule(productRule("matMul")),
  Transpose: rule((g, { node }, ct) => {
    const perm = node.attributes.perm;
    if (!perm || !("ints" in perm)) throw new ShapeError(`internal: ${node.name}: no perm`);
    return [
      g.transpose(
        ct,
        perm.ints.map((_, i) => perm.ints.indexOf(i)),
      ),
    ];
  }),

  // ops/movement.ts
  Reshape: rule((g, { inputs: [x] }, ct) => [g.reshape(ct, x!.shape), null]),
  Concat: rule((g, { node, inputs }, ct) => {
    const axis = intOf(node.attributes.axis);
    return g.split(
      ct,
      inputs.map((input) => input.shape[axis]!),
      axis,
    );
  }),
  Split: (g, { node, outputs }, cts) => [
    g.concat(
      outputs.map((output, i) => cts[i] ?? zerosLike(g, output)),
      intOf(node.attributes.axis),
    ),
    null,
  ],
  Slice: rule((g, { node, inputs: [x] }, ct) => {
    const [starts, ends, axes] = [1, 2, 3].map((i) => g.constantData(node.inputs[i]!)?.[0]);
    const size = x!.shape[axes!]!;
    if (typeof size !== "number")
      throw new ShapeError(`slice(): no gradient along an axis of unknown size, ${describe(x!)}`);
    const bound = (index: number): number => Math.max(0, Math.min(size, index < 0 ? index + size : index));
    const from = bound(starts!);
    const to = Math.max(from, bound(ends!));
    const pad = (length: number): Value[] =>
      length > 0
        ? [
            g.full(
              x!.shape.map((dim, i) => (i === axes ? length : dim)),
              0,
              ct.dtype,
            ),
          ]
        : [];
    return [g.concat([...pad(from), ct, ...pad(size - to)], axes!), null, null, null];
  }),
  Unsqueeze: rule((g, { inputs: [x] }, ct) => [g.reshape(ct, x!.shape), null]),
  Squeeze: rule((g, { inputs: [x] }, ct) => [g.reshape(ct, x!.shape), null]),
  Expand: rule((g, { inputs: [x] }, ct) => [sumTo(g, ct, x!.shape), null]),

  // ops/indexing.ts
  // not by rows (ScatterND): ONNX Runtime adds rows of one id on several threads at once, and loses some
  Gather: rule((g, { inputs: [table, ids] }, ct) => {
    const row = table!.shape.slice(1);
    const flat = g.flatten(ids!.dtype === "int64" ? ids! : g.cast(ids!, "int64"));
    const count = flat.shape[0]!;
    const places = g.expand(g.reshape(flat, [count, ...row.map(() => 1)]), [count, ...row]);
    return [g.scatterAddElements(zerosLike(g, table!), places, g.reshape(ct, [count, ...row]), 0), null];
  }),
  GatherElements: rule((g, { node, inputs: [x, indices] }, ct) => [
    g.scatterAddElements(zerosLike(g, x!), indices!, ct, intOf(node.attributes.axis)),
    null,
  ]),
  ScatterElements: rule((g, { node, inputs: [, indices] }, ct) => [
    ct,
    null,
    g.gatherElements(ct, indices!, intOf(node.attributes.axis)),
  ]),
  ScatterND: rule((g, { inputs: [, column] }, ct) => [
    ct,
    null,
    g.gather(ct, g.squeeze(column!, [column!.shape.length - 1])),
  ]),

  // ops/control.ts
  ...controlRules,
};
