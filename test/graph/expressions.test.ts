import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Graph, grad, tensorOf, type Value } from "../../src/graph/index.ts";
import { run } from "../support/run-graph.ts";

/** An expression of x, y (vectors) and numbers. */
type Expression =
  | { readonly kind: "input"; readonly name: "x" | "y" }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "unary"; readonly op: UnaryName; readonly a: Expression }
  | { readonly kind: "binary"; readonly op: BinaryName; readonly a: Expression; readonly b: Expression };

/** Each operator twice: as JavaScript, and its derivatives. All are defined and smooth enough everywhere. */
const UNARY = {
  neg: { f: (a: number) => -a, d: () => -1 },
  sin: { f: Math.sin, d: Math.cos },
  cos: { f: Math.cos, d: (a: number) => -Math.sin(a) },
  tanh: { f: Math.tanh, d: (a: number) => 1 - Math.tanh(a) ** 2 },
  sigmoid: { f: (a: number) => 1 / (1 + Math.exp(-a)), d: (a: number) => 1 / (2 + Math.exp(a) + Math.exp(-a)) },
  abs: { f: Math.abs, d: Math.sign },
};
const BINARY = {
  add: { f: (a: number, b: number) => a + b, d: () => [1, 1] },
  sub: { f: (a: number, b: number) => a - b, d: () => [1, -1] },
  mul: { f: (a: number, b: number) => a * b, d: (a: number, b: number) => [b, a] },
  min: { f: Math.min, d: (a: number, b: number) => (a <= b ? [1, 0] : [0, 1]) },
  max: { f: Math.max, d: (a: number, b: number) => (a >= b ? [1, 0] : [0, 1]) },
};
type UnaryName = keyof typeof UNARY;
type BinaryName = keyof typeof BINARY;

const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.record({ kind: fc.constant("input" as const), name: fc.constantFrom("x" as const, "y" as const) }),
    fc.record({ kind: fc.constant("number" as const), value: fc.constantFrom(-2, -0.5, 0, 1, 1.5) }),
    fc.record({
      kind: fc.constant("unary" as const),
      op: fc.constantFrom(...(Object.keys(UNARY) as UnaryName[])),
      a: tie("expression"),
    }),
    fc.record({
      kind: fc.constant("binary" as const),
      op: fc.constantFrom(...(Object.keys(BINARY) as BinaryName[])),
      a: tie("expression"),
      b: tie("expression"),
    }),
  ),
}));

function toGraph(g: Graph, e: Expression, inputs: Record<"x" | "y", Value>): Value {
  if (e.kind === "input") return inputs[e.name];
  if (e.kind === "number") return g.scalar(e.value);
  if (e.kind === "unary") return g[e.op](toGraph(g, e.a, inputs));
  return g[e.op](toGraph(g, e.a, inputs), toGraph(g, e.b, inputs));
}

/** Value and derivatives along x and y, forwards. */
function evaluate(e: Expression, x: number, y: number): [number, number, number] {
  if (e.kind === "input") return e.name === "x" ? [x, 1, 0] : [y, 0, 1];
  if (e.kind === "number") return [e.value, 0, 0];
  const [a, ax, ay] = evaluate(e.a, x, y);
  if (e.kind === "unary") {
    const slope = UNARY[e.op].d(a);
    return [UNARY[e.op].f(a), slope * ax, slope * ay];
  }
  const [b, bx, by] = evaluate(e.b, x, y);
  const [da, db] = BINARY[e.op].d(a, b) as [number, number];
  return [BINARY[e.op].f(a, b), da * ax + db * bx, da * ay + db * by];
}

/** Kernels may differ from V8's functions in the last bits; deep products of them a little more. */
const TOLERANCE = 1e-9;
const numbers = fc.double({ min: -2, max: 2, noNaN: true });

test("graphs of random expressions: values and gradients are those of plain JavaScript", async () => {
  const points = fc.array(fc.tuple(numbers, numbers), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(expression, points, async (e, xy) => {
      const g = new Graph({ floatType: "float64" });
      const inputs = { x: g.input("x", ["n"]), y: g.input("y", ["n"]) };
      const value = g.add(toGraph(g, e, inputs), g.mul(g.add(inputs.x, inputs.y), 0)); // [n] even for a number
      g.output("value", value);
      grad(g, g.reduceSum(value), [inputs.x, inputs.y]).forEach((d, i) => {
        g.output(i === 0 ? "dx" : "dy", d);
      });
      const column = (i: 0 | 1) =>
        tensorOf(
          "float64",
          [xy.length],
          xy.map((point) => point[i]),
        );
      const got = await run(g, { x: column(0), y: column(1) });
      xy.forEach(([x, y], i) => {
        evaluate(e, x, y).forEach((expected, k) => {
          const actual = [got.value, got.dx, got.dy][k]![i]!;
          const scale = Math.max(1, Math.abs(expected));
          assert.ok(
            Math.abs(actual - expected) <= TOLERANCE * scale,
            `${["value", "dx", "dy"][k]}: ${actual}, ${expected}`,
          );
        });
      });
    }),
    { numRuns: 200, seed: 20240607 },
  );
});
