import assert from "node:assert/strict";
import { test } from "node:test";
import { Graph, tensorOf } from "../../src/graph/index.ts";
import { ShapeError } from "../../src/utils/errors.ts";
import { run, runTensors } from "../support/run-graph.ts";

function setup() {
  const g = new Graph();
  return {
    g,
    a: g.input("a", [2, 3]),
    b: g.input("b", [4, 5]),
    t: g.input("t", ["T", 3]),
    s: g.input("s", ["S", 3]),
    ids: g.input("ids", [2], "int64"),
  };
}

const bad: [string, (inputs: ReturnType<typeof setup>) => unknown, string][] = [
  ["add", ({ g, a, b }) => g.add(a, b), "Add(): shapes [2,3] and [4,5] do not broadcast: 2 against 4"],
  ["add of symbols", ({ g, t, s }) => g.add(t, s), "Add(): shapes [T,3] and [S,3] do not broadcast: T against S"],
  ["add of types", ({ g, a, ids }) => g.add(a, ids), "Add(): types differ, got float32[2, 3] and int64[2]"],
  ["less", ({ g, a, b }) => g.less(a, b), "Less(): shapes [2,3] and [4,5] do not broadcast: 2 against 4"],
  [
    "matMul",
    ({ g, a, b }) => g.matMul(a, b),
    "matMul(): inner sizes differ, 3 against 4, for a float32[2, 3] and b float32[4, 5]",
  ],
  [
    "gemm",
    ({ g, a, b }) => g.gemm(a, g.unsqueeze(b, [0])),
    "gemm(): needs two matrices, got a float32[2, 3] and b float32[1, 4, 5]",
  ],
  ["transpose", ({ g, a }) => g.transpose(a, [0, 0]), "transpose(): [0,0] does not permute the axes of float32[2, 3]"],
  ["reduceSum", ({ g, a }) => g.reduceSum(a, [2]), "ReduceSum(): axis 2 is outside rank 2"],
  [
    "reduceSum of bool",
    ({ g, a }) => g.reduceSum(g.less(a, 0)),
    "ReduceSum(): cannot reduce bool[2, 3]; cast it first",
  ],
  ["reshape", ({ g, a }) => g.reshape(a, [4]), "reshape(): float32[2, 3] has 6 elements, [4] has 4"],
  ["concat", ({ g, a, b }) => g.concat([a, b], 0), "concat(): float32[4, 5] does not fit float32[2, 3] along axis 0"],
  ["split", ({ g, a }) => g.split(a, [1, 1], 1), "split(): parts of [1,1] do not make axis 1 of float32[2, 3]"],
  ["squeeze", ({ g, a }) => g.squeeze(a, [0]), "squeeze(): axes [0] of float32[2, 3] are not all of size 1"],
  ["gather", ({ g, a, b }) => g.gather(a, b), "gather(ids): expected int64, got float32[4, 5]"],
  ["dim", ({ g }) => g.dim("Q"), 'dim(): no value of this graph has the size "Q"'],
  ["input twice", ({ g }) => g.input("a", []), 'input(): "a" exists already'],
  [
    "scan of nothing",
    ({ g }) => g.scan([], [], () => ({ states: [], outputs: [] })),
    "scan(): needs at least one input to run over",
  ],
  [
    "scan of two lengths",
    ({ g, a, b }) => g.scan([], [a, b], () => ({ states: [], outputs: [] })),
    "scan(elements): expected [2,5], got float32[4, 5]",
  ],
  [
    "scan whose state grows",
    ({ g, a }) => g.scan([a], [a], (body, [h]) => ({ states: [body.unsqueeze(h!, [0])], outputs: [] })),
    "scan(): state 0 enters as float32[2, 3] and leaves as float32[1, 2, 3]",
  ],
  [
    "branch of two types",
    ({ g, a, b }) =>
      g.branch(
        g.less(g.reduceSum(a), 0),
        () => [a],
        () => [b],
      ),
    "branch(): result 0 is float32[2, 3] or float32[4, 5]",
  ],
];

for (const [title, build, message] of bad) {
  test(`builder: ${title} that does not fit names the function and the shapes`, () => {
    assert.throws(
      () => build(setup()),
      (error: Error) => {
        assert.ok(error instanceof ShapeError);
        assert.equal(error.message, message);
        return true;
      },
    );
  });
}

test("reshape: symbolic sizes are computed while the graph runs", async () => {
  const g = new Graph();
  const x = g.input("x", ["B", "T", 3]);
  const y = g.input("y", ["H"]);
  const rows = g.reshape(x, ["B*T", 3]);
  g.output("flat", g.flatten(x));
  g.output("heads", g.reshape(g.mul(g.reshape(rows, ["B", "T", 3, 1]), y), ["B", "T", "3*H"]));
  assert.deepEqual(
    g.outputs.map(({ value }) => value.shape),
    [["3*B*T"], ["B", "T", "3*H"]],
  );
  const feeds = (b: number, t: number) => ({
    x: tensorOf(
      "float32",
      [b, t, 3],
      Array.from({ length: b * t * 3 }, (_, i) => i),
    ),
    y: tensorOf("float32", [2], [1, 10]),
  });
  const results = await runTensors(g, feeds(2, 4));
  assert.deepEqual([results.flat!.shape, results.heads!.shape], [[24], [2, 4, 6]]);
  assert.deepEqual([...results.heads!.data].slice(-6), [21, 210, 22, 220, 23, 230]);
  assert.deepEqual((await runTensors(g, feeds(1, 1))).heads!.shape, [1, 1, 6]);
});

test("concat, slice: sizes with symbols get names of their own", () => {
  const g = new Graph();
  const [p, c] = [g.input("p", ["P", 2]), g.input("c", ["C", 2])];
  const all = g.concat([p, c], 0);
  assert.deepEqual(all.shape, ["P+C", 2]);
  assert.deepEqual(g.flatten(all).shape, ["2*(P+C)"]);
  assert.deepEqual(g.slice(all, 0, 1, Number.POSITIVE_INFINITY).shape, ["P+C[1:Infinity]", 2]);
  assert.deepEqual(g.slice(g.input("k", [5]), 0, -3, -1).shape, [2]);
});

test("split, expand, full: sizes come from other values of the graph", async () => {
  const g = new Graph();
  const [p, c] = [g.input("p", ["P"]), g.input("c", ["C"])];
  const [, second] = g.split(g.concat([p, c], 0), ["P", "C"], 0);
  g.output("second", second!);
  g.output("sevens", g.full(["C", "P"], 7));
  const feeds = { p: tensorOf("float32", [2], [1, 2]), c: tensorOf("float32", [3], [3, 4, 5]) };
  assert.deepEqual(await run(g, feeds), { second: [3, 4, 5], sevens: [7, 7, 7, 7, 7, 7] });
});

test("scope: names carry the path, in bodies too", () => {
  const g = new Graph();
  const x = g.input("x", [2, 2]);
  const y = g.scope("layers.0", () => g.scope("attention", () => g.exp(x)));
  assert.equal(y.name, "layers.0/attention/Exp_0");
  assert.equal(g.nodes[0]!.scope, "layers.0/attention");
  g.scope("head", () =>
    g.scan([], [x], (body, _states, [row]) => {
      const z = body.scope("loss", () => body.sin(row!));
      assert.match(z.name, /^head\/loss\/Sin_\d+$/);
      return { states: [], outputs: [z] };
    }),
  );
  assert.throws(
    () =>
      g.scope("broken", () => {
        throw new Error("stop");
      }),
    /stop/,
  );
  assert.match(g.cos(x).name, /^Cos_\d+$/); // the scope was left
});

test("loop, branch: run as written", async () => {
  const g = new Graph();
  const x = g.input("x", [2]);
  const count = g.input("count", [], "int64");
  const looped = g.loop(count, [x], (body, i, [h]) => ({
    states: [body.mul(h!, 2)],
    outputs: [body.cast(i, "float32")],
  }));
  const [sign] = g.branch(
    g.greater(g.reduceSum(x), 0),
    (body) => [body.scalar(1)],
    (body) => [body.scalar(-1)],
  );
  g.output("last", looped.states[0]!);
  g.output("steps", looped.outputs[0]!);
  g.output("sign", sign!);
  const feed = (a: number, b: number, n: number) => ({
    x: tensorOf("float32", [2], [a, b]),
    count: tensorOf("int64", [], [n]),
  });
  assert.deepEqual(await run(g, feed(1, 3, 3)), { last: [8, 24], steps: [0, 1, 2], sign: [1] });
  assert.deepEqual(await run(g, feed(1, -3, 0)), { last: [1, -3], steps: [], sign: [-1] });
});
