import assert from "node:assert/strict";
import { test } from "node:test";
import { Graph, print, simplify, tensorOf, type Value } from "../../src/graph/index.ts";
import { capturedNames } from "../../src/graph/simplify.ts";
import { randn } from "../support/check-grad.ts";
import { run } from "../support/run-graph.ts";

/** Operators that are left of `build`. */
function left(build: (g: Graph, x: Value) => Value): string[] {
  const g = new Graph({ floatType: "float64" });
  g.output("y", build(g, g.input("x", [2, 3])));
  return simplify(g).nodes.map(({ op }) => op);
}

test("simplify: drops what no output needs, constants too", () => {
  const g = new Graph();
  const x = g.input("x", [2]);
  g.mul(g.exp(x), g.constant(tensorOf("float32", [2], [5, 6])));
  g.output("y", g.sin(x));
  const { nodes, constants } = simplify(g);
  assert.deepEqual([nodes.map(({ op }) => op), constants.length], [["Sin"], 0]);
});

test("simplify: steps over nodes that change nothing", () => {
  assert.deepEqual(
    left((g, x) => g.sin(g.mul(g.add(x, 0), 1))),
    ["Sin"],
  );
  assert.deepEqual(
    left((g, x) => g.sin(g.sub(g.div(x, 1), 0))),
    ["Sin"],
  );
  assert.deepEqual(
    left((g, x) => g.sin(g.mul(g.scalar(1), x))),
    ["Sin"],
  );
  assert.deepEqual(
    left((g, x) => g.neg(g.neg(x))),
    [],
  );
  assert.deepEqual(
    left((g, x) => g.stopGradient(g.sin(x))),
    ["Sin"],
  );
  assert.deepEqual(
    left((g, x) => g.transpose(g.transpose(g.unsqueeze(x, [0]), [2, 0, 1]), [1, 2, 0])),
    ["Unsqueeze"],
  );
});

test("simplify: keeps what only looks like it", () => {
  assert.deepEqual(
    left((g, x) => g.mul(x, 2)),
    ["Mul"],
  );
  assert.deepEqual(
    left((g, x) => g.sub(0, x)),
    ["Sub"],
  );
  assert.deepEqual(
    left((g, x) => g.div(1, x)),
    ["Div"],
  );
  const cycle = [1, 2, 0];
  assert.deepEqual(
    left((g, x) => g.transpose(g.transpose(g.unsqueeze(x, [0]), cycle), cycle)),
    ["Unsqueeze", "Transpose", "Transpose"],
  );
  // 1 · x repeats the axes of the scalar: nothing to step over when the shapes differ
  const g = new Graph();
  const scalar = g.input("s", []);
  g.output("y", g.mul(g.full([2], 1), scalar));
  assert.deepEqual(
    simplify(g).nodes.map(({ op }) => op),
    ["Expand", "Mul"],
  );
});

test("node, constant: equal ones are created once", () => {
  const g = new Graph();
  const x = g.input("x", [2]);
  assert.equal(g.exp(x), g.exp(x));
  assert.equal(g.scalar(2), g.scalar(2));
  assert.notEqual(g.scalar(2), g.constant(tensorOf("float64", [], [2])));
  assert.notEqual(g.reduceSum(x, [0], true), g.reduceSum(x, [0]));
  const body = g.scan([], [x], (inner, _states, [row]) => {
    assert.equal(inner.exp(x), g.exp(x)); // a body uses what the graph around it has
    return { states: [], outputs: [inner.mul(row!, 2)] };
  });
  assert.equal(body.outputs.length, 1);
});

test("node: shapes with other symbols are other values, even when ONNX sees the same node", () => {
  const g = new Graph();
  const x = g.input("x", ["T", 2]);
  assert.deepEqual(g.reshape(x, ["T*2"]).shape, ["T*2"]);
  assert.deepEqual(g.reshape(x, ["N"]).shape, ["N"]);
});

test("simplify: a body keeps alive what it uses, through values that both sides step over", async () => {
  const g = new Graph({ floatType: "float64" });
  const [x, rows] = [g.input("x", [2]), g.input("rows", [3, 2])];
  const same = g.add(g.exp(x), 0);
  const scanned = g.scan([], [rows], (body, _states, [row]) => {
    body.mul(row!, g.cos(x)); // dead: does not keep cos alive
    return { states: [], outputs: [body.add(body.mul(same, 1), row!)] };
  });
  g.output("y", scanned.outputs[0]!);
  assert.deepEqual(
    simplify(g).nodes.map(({ op }) => op),
    ["Exp", "Scan"],
  );
  assert.equal([...capturedNames(g.nodes.at(-1)!)].length, 1);
  const { y } = await run(g, {
    x: tensorOf("float64", [2], [0, 0]),
    rows: tensorOf("float64", [3, 2], [0, 1, 2, 3, 4, 5]),
  });
  assert.deepEqual(y, [1, 2, 3, 4, 5, 6]);
});

test("simplify: leaves results as they are", async () => {
  const build = (wrap: (g: Graph, x: Value) => Value): Graph => {
    const g = new Graph({ floatType: "float64" });
    const x = g.input("x", [2, 3]);
    g.output("y", g.matMul(wrap(g, g.sin(x)), wrap(g, x), { transB: true }));
    return g;
  };
  const plain = build((_g, x) => x);
  const padded = build((g, x) => g.neg(g.neg(g.transpose(g.transpose(g.mul(g.add(x, 0), 1), [1, 0]), [1, 0]))));
  assert.equal(print(padded), print(plain));
  const feeds = { x: randn("x", 2, 3) };
  assert.deepEqual(await run(padded, feeds), await run(plain, feeds));
});

test("simplify: a sum with a product is one Gemm that gives the same", async () => {
  const build = (g: Graph) => {
    const [x, w, c] = [g.input("x", ["N", 3]), g.input("w", [2, 3]), g.input("c", ["N", 2])];
    return { x, w, c, product: g.gemm(x, w, { transB: true, alpha: 0.5 }) };
  };
  const g = new Graph({ floatType: "float64" });
  const { x, w, c, product } = build(g);
  g.output("y", g.add(g.add(c, product), g.gemm(x, g.exp(w), { transB: true })));
  assert.deepEqual(
    simplify(g).nodes.map(({ op }) => op),
    ["Gemm", "Exp", "Gemm"],
  );
  const { y } = await run(g, { x: randn("x", 1, 3), w: randn("w", 2, 3), c: randn("c", 1, 2) });
  const [xs, ws, cs] = [randn("x", 1, 3).data, randn("w", 2, 3).data, randn("c", 1, 2).data] as Float64Array[];
  const dot = (of: (value: number) => number, row: number): number =>
    [0, 1, 2].reduce((sum, i) => sum + xs![i]! * of(ws![row * 3 + i]!), 0);
  [0, 1].forEach((row) => {
    const expected = cs![row]! + 0.5 * dot((value) => value, row) + dot(Math.exp, row);
    assert.ok(Math.abs(y![row]! - expected) < 1e-12);
  });
});

test("simplify: a product that something else uses, or of another shape than the sum's other side, stays", () => {
  const ops = (build: (g: Graph, product: Value, c: Value) => Value[]): string[] => {
    const g = new Graph({ floatType: "float64" });
    const product = g.gemm(g.input("x", [2, 3]), g.input("w", [3, 2]));
    build(g, product, g.input("c", [2, 2])).forEach((value, i) => {
      g.output(`y${i}`, value);
    });
    return simplify(g).nodes.map(({ op }) => op);
  };
  assert.deepEqual(
    ops((g, product, c) => [g.add(product, c), product]),
    ["Gemm", "Add"],
  );
  assert.deepEqual(
    ops((g, product, c) => [g.add(product, c), g.exp(product)]),
    ["Gemm", "Add", "Exp"],
  );
  assert.deepEqual(
    ops((g, product) => [g.add(product, 2)]),
    ["Gemm", "Add"],
  );
  assert.deepEqual(
    ops((g, product) => [g.add(product, product)]),
    ["Gemm", "Add"],
  );
});

test("simplify: a product whose marker a body uses stays beside a sum with it", async () => {
  const g = new Graph({ floatType: "float64" });
  const [x, w, c] = [g.input("x", [2, 3]), g.input("w", [3, 2]), g.input("c", [2, 2])];
  const product = g.gemm(x, w);
  const marked = g.stopGradient(product);
  const { outputs } = g.scan([], [c], (body, _states, [row]) => ({
    states: [],
    outputs: [body.add(body.reduceSum(marked), row!)],
  }));
  g.output("sum", g.add(product, c));
  g.output("scanned", outputs[0]!);
  const feeds = { x: randn("x", 2, 3), w: randn("w", 3, 2), c: randn("c", 2, 2) };
  const { sum, scanned } = await run(g, feeds);
  const total = sum!.reduce((all, value, i) => all + value - Number(feeds.c.data[i]), 0);
  scanned!.forEach((value, i) => {
    assert.ok(Math.abs(value - total - Number(feeds.c.data[i])) < 1e-12);
  });
});
