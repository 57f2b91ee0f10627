import { tensor } from "../../src/graph/index.ts";
import type { Build, Inputs } from "../support/check-grad.ts";
import { ints, randn, uniform } from "../support/check-grad.ts";

/** One gradient check of one operator. */
export interface VjpCase {
  readonly op: string;
  readonly title: string;
  readonly build: Build;
  readonly inputs: Inputs;
  /** Inputs of other sizes that are run through the same graph. */
  readonly more?: readonly Inputs[];
}

const ab = (a: number[], b: number[]): Inputs => ({ a: randn("a", ...a), b: uniform("b", 0.5, 2, ...b) });
/** Broadcasting of either side, of both, and over new axes. */
const BROADCASTS: [string, Inputs][] = [
  ["equal shapes", ab([2, 3], [2, 3])],
  ["a row against a matrix", ab([2, 3], [3])],
  ["a scalar against a matrix", ab([], [2, 3])],
  ["both sides repeated", ab([2, 1, 3], [4, 1])],
];
const binary = (op: string, build: Build): VjpCase[] =>
  BROADCASTS.map(([title, inputs]) => ({ op, title, build, inputs }));
const unary = (op: string, build: Build, low = -2, high = 2): VjpCase => ({
  op,
  title: "elementwise",
  build,
  inputs: { x: uniform(op, low, high, 2, 5) },
});

const elementwise: VjpCase[] = [
  ...binary("Add", (g, { a, b }) => g.add(a!, b!)),
  ...binary("Sub", (g, { a, b }) => g.sub(a!, b!)),
  ...binary("Mul", (g, { a, b }) => g.mul(a!, b!)),
  ...binary("Div", (g, { a, b }) => g.div(a!, b!)),
  ...binary("Min", (g, { a, b }) => g.min(a!, b!)),
  ...binary("Max", (g, { a, b }) => g.max(a!, b!)),
  {
    op: "Mul",
    title: "of a value with itself",
    build: (g, { x }) => g.mul(x!, x!),
    inputs: { x: randn("x", 4) },
  },
  unary("Pow", (g, { x }) => g.pow(x!, 3)),
  {
    op: "Pow",
    title: "negative and broken exponents",
    build: (g, { x }) => [g.pow(x!, -1.5), g.pow(x!, 0.5), g.pow(x!, 1)],
    inputs: { x: uniform("x", 0.5, 2, 4) },
  },
  { op: "Pow", title: "a square at zero", build: (g, { x }) => g.pow(x!, 2), inputs: { x: uniform("0", 0, 0, 2) } },
  unary("Clip", (g, { x }) => g.clip(x!, -0.7, 0.9)),
  unary("Neg", (g, { x }) => g.neg(x!)),
  unary("Exp", (g, { x }) => g.exp(x!)),
  unary("Log", (g, { x }) => g.log(x!), 0.3, 3),
  unary("Sqrt", (g, { x }) => g.sqrt(x!), 0.3, 3),
  unary("Reciprocal", (g, { x }) => g.reciprocal(x!), 0.5, 3),
  unary("Abs", (g, { x }) => g.abs(x!)),
  unary("Sigmoid", (g, { x }) => g.sigmoid(x!)),
  unary("Tanh", (g, { x }) => g.tanh(x!)),
  unary("Sin", (g, { x }) => g.sin(x!)),
  unary("Cos", (g, { x }) => g.cos(x!)),
  unary("Identity", (g, { x }) => g.single("Identity", [x!], x!)),
  {
    op: "Where",
    title: "both sides and the condition repeated",
    build: (g, { a, b, x }) => [g.where(g.greater(x!, 0), a!, b!), g.where(g.greater(x!, 0), a!, 1)],
    inputs: { ...ab([2, 1, 3], [4, 1]), x: randn("x", 4, 3) },
  },
  {
    op: "Cast",
    title: "to the same kind of number passes, to integers and back stops",
    build: (g, { x }) => [
      g.single("Cast", [x!], x!, { to: { int: 11 } }),
      g.mul(g.cast(g.cast(x!, "int64"), "float64"), 3),
    ],
    inputs: { x: uniform("x", 0.1, 0.9, 3) },
  },
];

const x234 = { x: randn("x", 2, 3, 4) };
const symbolic = (values: Inputs["x"]): Inputs => ({ x: { values: values as never, shape: ["B", "T", 4] } });
const other = [{ x: randn("y", 3, 1, 4) }, { x: randn("z", 1, 5, 4) }];
const reductions = (["ReduceSum", "ReduceMean", "ReduceMax"] as const).flatMap((op): VjpCase[] => {
  const name = op === "ReduceSum" ? "reduceSum" : op === "ReduceMean" ? "reduceMean" : "reduceMax";
  const all: Build = (g, { x }) => [g[name](x!), g[name](x!, [1]), g[name](x!, [0, -1]), g[name](x!, [-1])];
  const kept: Build = (g, { x }) => [g[name](x!, undefined, true), g[name](x!, [1], true), g[name](x!, [0, -1], true)];
  return [
    { op, title: "axes dropped", build: all, inputs: x234 },
    { op, title: "axes kept", build: kept, inputs: x234 },
    { op, title: "symbolic sizes, axes dropped", build: all, inputs: symbolic(x234.x), more: other },
    { op, title: "symbolic sizes, axes kept", build: kept, inputs: symbolic(x234.x), more: other },
  ];
});

const reduce: VjpCase[] = [
  ...reductions,
  { op: "Softmax", title: "last axis", build: (g, { x }) => g.softmax(x!), inputs: x234 },
  { op: "Softmax", title: "symbolic", build: (g, { x }) => g.softmax(x!), inputs: symbolic(x234.x), more: other },
  { op: "LogSoftmax", title: "last axis", build: (g, { x }) => g.logSoftmax(x!), inputs: x234 },
  { op: "CumSum", title: "any axis", build: (g, { x }) => [g.cumSum(x!, 1), g.cumSum(x!, -1)], inputs: x234 },
  { op: "CumSum", title: "symbolic", build: (g, { x }) => g.cumSum(x!, 1), inputs: symbolic(x234.x), more: other },
  { op: "TopK", title: "the two largest", build: (g, { x }) => g.topK(x!, 2).values, inputs: x234 },
];

const transpositions = [false, true].flatMap((transA) => [false, true].map((transB) => ({ transA, transB })));
const matrices = (a: number[], b: number[], transA: boolean, transB: boolean): Inputs => {
  const swap = (shape: number[], on: boolean) => (on ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape);
  return { a: randn("a", ...swap(a, transA)), b: randn("b", ...swap(b, transB)) };
};

const linalg: VjpCase[] = [
  ...transpositions.map(({ transA, transB }) => ({
    op: "Gemm",
    title: `transA ${transA}, transB ${transB}, alpha, bias row`,
    build: ((g, { a, b, bias }) => g.gemm(a!, b!, { transA, transB, alpha: 0.75, bias: bias! })) as Build,
    inputs: { ...matrices([2, 3], [3, 4], transA, transB), bias: randn("bias", 4) },
  })),
  {
    op: "Gemm",
    title: "a bias for each element, and no bias",
    build: (g, { a, b, bias }) => [g.gemm(a!, b!, { bias: bias! }), g.gemm(a!, b!)],
    inputs: { ...matrices([2, 3], [3, 4], false, false), bias: randn("bias", 2, 1) },
  },
  {
    op: "Gemm",
    title: "symbolic rows",
    build: (g, { a, b }) => g.gemm(a!, b!, { transB: true }),
    inputs: { a: { values: randn("a", 2, 3), shape: ["N", 3] }, b: randn("b", 4, 3) },
    more: [{ a: randn("a5", 5, 3), b: randn("b", 4, 3) }],
  },
  ...transpositions.flatMap(({ transA, transB }) =>
    (
      [
        ["matrices", [2, 3], [3, 4]],
        ["equal batches", [2, 2, 3], [2, 3, 4]],
        ["batch axes repeated on both sides", [2, 1, 2, 3], [1, 3, 3, 2]],
        ["a matrix against a batch", [2, 3], [2, 3, 2]],
      ] as const
    ).map(([title, a, b]) => ({
      op: "MatMul",
      title: `${title}, transA ${transA}, transB ${transB}, alpha`,
      build: ((g, values) => g.matMul(values.a!, values.b!, { transA, transB, alpha: 1.5 })) as Build,
      inputs: matrices([...a], [...b], transA, transB),
    })),
  ),
  {
    op: "MatMul",
    title: "symbolic batch and rows",
    build: (g, { a, b }) => g.matMul(a!, b!, { transB: true }),
    inputs: {
      a: { values: randn("a", 2, 3, 2), shape: ["B", "T", 2] },
      b: { values: randn("b", 2, 3, 2), shape: ["B", "T", 2] },
    },
    more: [{ a: randn("a2", 1, 4, 2), b: randn("b2", 1, 4, 2) }],
  },
  { op: "Transpose", title: "three axes", build: (g, { x }) => g.transpose(x!, [2, 0, 1]), inputs: x234 },
];

const movement: VjpCase[] = [
  { op: "Reshape", title: "known sizes", build: (g, { x }) => g.reshape(x!, [4, 6]), inputs: x234 },
  {
    op: "Reshape",
    title: "symbols multiplied and split again",
    build: (g, { x }) => {
      const rows = g.reshape(x!, ["B*T", 4]);
      return [g.flatten(x!), g.reshape(g.sin(rows), ["B", "T", 2, 2]), g.reshape(x!, ["M", 2])];
    },
    inputs: symbolic(x234.x),
    more: other,
  },
  {
    op: "Concat",
    title: "parts of different sizes, one twice",
    build: (g, { a, b }) => g.concat([a!, b!, a!], -1),
    inputs: ab([2, 1], [2, 3]),
  },
  {
    op: "Concat",
    title: "symbolic sizes",
    build: (g, { a, b }) => g.concat([a!, b!], 0),
    inputs: { a: { values: randn("a", 2, 2), shape: ["P", 2] }, b: { values: randn("b", 3, 2), shape: ["C", 2] } },
    more: [{ a: randn("a2", 1, 2), b: randn("b2", 4, 2) }],
  },
  {
    op: "Split",
    title: "with a part that nobody uses",
    build: (g, { x }) => {
      const [first, , last] = g.split(x!, [1, 1, 2], 2);
      return [g.exp(first!), g.sin(last!)];
    },
    inputs: x234,
  },
  {
    op: "Slice",
    title: "positive, negative and open bounds",
    build: (g, { x }) => [
      g.slice(x!, 2, 1, 3),
      g.slice(x!, -1, -3, -1),
      g.slice(x!, 1, -2, Number.POSITIVE_INFINITY),
      g.slice(x!, 1, 0, 2),
    ],
    inputs: x234,
  },
  {
    op: "Slice",
    title: "bounds outside the axis, and nothing left",
    build: (g, { x }) => [g.slice(x!, 2, -9, 2), g.slice(x!, 2, 1, 9), g.slice(x!, 2, 3, 1)],
    inputs: x234,
  },
  { op: "Unsqueeze", title: "two axes", build: (g, { x }) => g.unsqueeze(x!, [0, -1]), inputs: x234 },
  {
    op: "Unsqueeze",
    title: "symbolic sizes",
    build: (g, { x }) => g.unsqueeze(x!, [1]),
    inputs: symbolic(x234.x),
    more: other,
  },
  { op: "Squeeze", title: "two axes", build: (g, { x }) => g.squeeze(x!, [0, 2]), inputs: { x: randn("x", 1, 3, 1) } },
  {
    op: "Expand",
    title: "inner and new axes",
    build: (g, { x }) => [g.expand(x!, [2, 3, 4]), g.expand(x!, [5, 2, 3, 1])],
    inputs: { x: randn("x", 2, 3, 1) },
  },
  {
    op: "Expand",
    title: "to symbolic sizes",
    build: (g, { x, y }) => g.expand(y!, x!.shape),
    inputs: { x: { values: randn("x", 2, 3, 4), shape: ["B", "T", 4] }, y: randn("y", 4) },
    more: [{ x: randn("x2", 3, 1, 4), y: randn("y", 4) }],
  },
];

const table = randn("table", 4, 3);
const indexing: VjpCase[] = [
  {
    op: "Gather",
    title: "rows, some again",
    build: (g, { table, ids }) => g.gather(table!, ids!),
    inputs: { table, ids: ints([2, 3], [1, 1, 3, 0, 1, 0]) },
  },
  {
    op: "Gather",
    title: "one row, and single numbers",
    build: (g, { table, id, numbers, ids }) => [g.gather(table!, id!), g.gather(numbers!, ids!)],
    inputs: { table, id: ints([], [2]), numbers: randn("numbers", 4), ids: ints([3], [2, 2, 0]) },
  },
  {
    op: "Gather",
    title: "symbolic number of ids",
    build: (g, { table, ids }) => g.gather(table!, ids!),
    inputs: { table, ids: { values: ints([2, 1], [3, 3]), shape: ["B", "T"] } },
    more: [{ table, ids: ints([1, 4], [0, 1, 0, 3]) }],
  },
  {
    op: "GatherElements",
    title: "an index again, fewer indices than elements",
    build: (g, { x, ids }) => [g.gatherElements(x!, ids!, 0), g.gatherElements(x!, ids!, -1)],
    inputs: { x: randn("x", 2, 3), ids: ints([2, 2], [0, 1, 0, 0]) },
  },
  {
    op: "GatherElements",
    title: "gatherLast",
    build: (g, { x, ids }) => g.gatherLast(x!, ids!),
    inputs: { x: randn("x", 2, 2, 3), ids: ints([2, 2], [0, 2, 1, 1]) },
  },
  {
    op: "ScatterElements",
    title: "updates at one place add up",
    build: (g, { x, ids, updates }) => g.scatterAddElements(x!, ids!, updates!, 1),
    inputs: { x: randn("x", 2, 3), ids: ints([2, 2], [1, 1, 0, 2]), updates: randn("u", 2, 2) },
  },
  {
    op: "ScatterND",
    title: "rows at one id add up",
    build: (g, { table, ids, rows }) => g.scatterAddRows(table!, ids!, rows!),
    inputs: { table, ids: ints([3], [1, 3, 1]), rows: randn("rows", 3, 3) },
  },
];

/** Cosines and sines of 5 positions and 3 angles. */
const angles = (of: (x: number) => number) =>
  tensor(
    "float64",
    [5, 3],
    Float64Array.from({ length: 15 }, (_, i) => of(Math.floor(i / 3) / 2 ** (i % 3))),
  );

const own: VjpCase[] = [
  {
    op: "WithGradient",
    title: "rmsNorm over the last axis",
    build: (g, { x, weight }) => g.rmsNorm(x!, weight!, 1e-3),
    inputs: { x: { values: randn("x", 3, 4), shape: ["N", 4] }, weight: randn("w", 4) },
    more: [{ x: randn("x", 1, 4), weight: randn("v", 4) }],
  },
  {
    op: "WithGradient",
    title: "rmsNorm over heads",
    build: (g, { x, weight }) => g.rmsNorm(x!, weight!, 1e-6),
    inputs: { x: randn("x", 2, 3, 4), weight: randn("w", 4) },
  },
  unary("WithGradient", (g, { x }) => g.silu(x!), -4, 4),
  {
    op: "WithGradient",
    title: "rotary",
    build: (g, { x, positions }) =>
      g.rotary(x!, { cos: g.constant(angles(Math.cos)), sin: g.constant(angles(Math.sin)) }, positions!),
    inputs: {
      x: { values: randn("x", 3, 12), shape: ["N", 12] },
      positions: { values: ints([3, 1], [4, 0, 2]), shape: ["N", 1] },
    },
  },
  {
    op: "WithGradient",
    title: "rearrange: a permutation",
    build: (g, { x, ids, back }) => g.rearrange(x!, ids!, back!),
    inputs: { x: randn("x", 4, 2), ids: ints([2, 2], [2, 0, 3, 1]), back: ints([4], [1, 3, 0, 2]) },
  },
  {
    op: "WithGradient",
    title: "inside a Scan's body",
    build: (g, { x, w }) =>
      g.scan([], [x!], (body, _states, [row]) => ({ states: [], outputs: [body.silu(body.rmsNorm(row!, w!, 0.1))] }))
        .outputs,
    inputs: { x: randn("x", 3, 4), w: randn("w", 4) },
  },
];

/** Checks of all rules but those of operators with bodies (`vjp-control.test.ts`) and FusedMatMul (no float64 kernel). */
export const vjpCases: readonly VjpCase[] = [...elementwise, ...reduce, ...linalg, ...movement, ...indexing, ...own];
