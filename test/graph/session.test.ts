import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, type Feeds, Graph, tensorOf } from "../../src/graph/index.ts";
import { SessionError } from "../../src/utils/errors.ts";

function lookup(): Graph {
  const g = new Graph();
  const table = g.input("table", [3, 2]);
  const ids = g.input("ids", ["T"], "int64");
  const weights = g.input("weights", ["T"]);
  const rows = g.scope("model", () => g.scope("embedding", () => g.gather(table, ids)));
  g.output("sum", g.reduceSum(g.mul(rows, g.unsqueeze(weights, [1])), [0]));
  return g;
}

const table = tensorOf("float32", [3, 2], [1, 2, 3, 4, 5, 6]);
const good: Feeds = { table, ids: tensorOf("int64", [2], [2, 0]), weights: tensorOf("float32", [2], [1, 10]) };

const refused: [string, Feeds, string][] = [
  ["nothing is fed", {}, "input table float32[3, 2] is not fed, only nothing"],
  [
    "a name is wrong",
    { table, id: good.ids!, weights: good.weights! },
    "input ids int64[T] is not fed, only table, id, weights",
  ],
  ["the type is wrong", { ...good, ids: tensorOf("float32", [2], [2, 0]) }, "input ids needs int64[T], got float32[2]"],
  [
    "the rank is wrong",
    { ...good, ids: tensorOf("int64", [1, 2], [2, 0]) },
    "input ids needs int64[T], got int64[1,2]",
  ],
  [
    "a size is wrong",
    { ...good, table: tensorOf("float32", [2, 2], [1, 2, 3, 4]) },
    "input table needs float32[3, 2], got float32[2,2]",
  ],
  [
    "one symbol has two sizes",
    { ...good, weights: tensorOf("float32", [3], [1, 2, 3]) },
    "input weights needs float32[T], got float32[3] (T=2)",
  ],
];

test("session: refuses feeds that do not fit, and says what fits", async () => {
  const session = await compile(lookup(), { name: "lookup" });
  try {
    for (const [title, feeds, message] of refused) {
      await assert.rejects(session.run(feeds), { name: "SessionError", message: `graph "lookup": ${message}` }, title);
    }
    assert.deepEqual([...(await session.run(good)).sum!.data], [15, 26]); // 1·[5, 6] + 10·[1, 2]
  } finally {
    await session.dispose();
  }
});

test("session: a failure while running names the graph, and the node with its scope", async () => {
  const session = await compile(lookup(), { name: "lookup" });
  try {
    await assert.rejects(session.run({ ...good, ids: tensorOf("int64", [2], [7, 0]) }), (error: Error) => {
      assert.ok(error instanceof SessionError && error.cause instanceof Error);
      assert.match(error.message, /^graph "lookup" failed at node model\/embedding\/Gather_\d+: .*idx=7/);
      return true;
    });
    assert.deepEqual([...(await session.run(good)).sum!.data], [15, 26]); // still usable
  } finally {
    await session.dispose();
  }
});

test("compile: an operator that ONNX Runtime does not know is a SessionError with its name", async () => {
  const g = new Graph();
  const x = g.input("x", [2]);
  g.output("y", g.single("Bogus", [x], x));
  await assert.rejects(compile(g, { name: "odd" }), {
    name: "SessionError",
    message: /^cannot compile graph "odd": .*No Op registered for Bogus/,
  });
});

test("session: dispose twice is fine, running afterwards is not", async () => {
  const session = await compile(lookup(), { name: "lookup", threads: 1 });
  await session.dispose();
  await session.dispose();
  await assert.rejects(session.run(good), { name: "SessionError", message: 'graph "lookup" was disposed' });
});

test("session: all element types go in and come out", async () => {
  const g = new Graph();
  const types = ["float32", "float64", "int64", "int32", "bool"] as const;
  for (const dtype of types) g.output(`${dtype}/out`, g.input(dtype, ["n"], dtype));
  const session = await compile(g, { name: "types" });
  const feeds = Object.fromEntries(types.map((dtype) => [dtype, tensorOf(dtype, [3], [1, 0, 1])]));
  const results = await session.run(feeds);
  for (const dtype of types) assert.deepEqual(results[`${dtype}/out`], feeds[dtype]);
  await session.dispose();
});

/** 200 sessions that are not disposed of take 75 MiB, 2000 results that are not freed over 400; the work itself was seen to add 20. */
const GROWTH_LIMIT = 48 * 2 ** 20;

test("session: created and disposed 200 times, and run 2000 times, it leaves no memory behind", async () => {
  const g = new Graph();
  const x = g.input("x", ["n", 256]);
  g.output("y", g.exp(g.matMul(x, x, { transB: true })));
  const rows = (n: number): Feeds => ({ x: tensorOf("float32", [n, 256], new Float32Array(n * 256)) });
  const cycle = async (): Promise<void> => {
    const session = await compile(g, { name: "leak", threads: 1 });
    await session.run(rows(8));
    await session.dispose();
  };
  const session = await compile(g, { name: "leak", threads: 1 });
  const work = async (sessions: number, runs: number): Promise<void> => {
    for (let i = 0; i < sessions; i++) await cycle();
    for (let i = 0; i < runs; i++) await session.run(rows(200 + (i % 50))); // other sizes each time; 0.2 MB a result
  };
  try {
    await work(20, 200); // what the process keeps for good is there after this
    const before = process.memoryUsage().rss;
    await work(200, 2000);
    const growth = process.memoryUsage().rss - before;
    assert.ok(growth < GROWTH_LIMIT, `resident memory grew by ${(growth / 2 ** 20).toFixed(1)} MiB`);
  } finally {
    await session.dispose();
  }
});
