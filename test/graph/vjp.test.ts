import assert from "node:assert/strict";
import { test } from "node:test";
import type { Value } from "../../src/graph/index.ts";
import { compile, Graph, grad, tensor, tensorOf, vjp, vjpRules } from "../../src/graph/index.ts";
import { ZERO_GRADIENT } from "../../src/graph/vjp.ts";
import { controlRules } from "../../src/graph/vjp-control.ts";
import { ShapeError } from "../../src/utils/errors.ts";
import { checkGrad, randn } from "../support/check-grad.ts";
import { run } from "../support/run-graph.ts";
import { vjpCases } from "./vjp-cases.ts";

for (const { op, title, build, inputs, more } of vjpCases) {
  test(`vjp of ${op}: ${title}`, async () => {
    const { operators } = await checkGrad(build, inputs, ...(more ?? []));
    assert.ok(operators.has(op), `the graph has no ${op}`);
  });
}

test("vjpRules: every rule is tested in float64, FusedMatMul in float32", () => {
  const tested = [...vjpCases.map(({ op }) => op), ...Object.keys(controlRules), "FusedMatMul"];
  assert.deepEqual([...new Set(tested)].sort(), Object.keys(vjpRules).sort());
});

test("vjpRules: no operator has both a rule and a zero gradient", () => {
  assert.deepEqual(
    Object.keys(vjpRules).filter((op) => ZERO_GRADIENT.has(op)),
    [],
  );
});

/** Runs `build` with one rule replaced. */
async function withRule(op: string, rule: (typeof vjpRules)[string], work: () => Promise<void>): Promise<void> {
  const rules = vjpRules as Record<string, (typeof vjpRules)[string]>;
  const right = rules[op]!;
  rules[op] = rule;
  try {
    await work();
  } finally {
    rules[op] = right;
  }
}

test("checkGrad: fails on a wrong rule, and names the element with both numbers", async () => {
  await withRule(
    "Sin",
    (g, { inputs: [x] }, [ct]) => [g.mul(ct!, g.mul(g.cos(x!), 1.00001))],
    async () => {
      const check = checkGrad((g, { x }) => g.sin(x!), { x: tensor("float64", [1], Float64Array.of(0.5)) });
      await assert.rejects(check, /gradient of x\[0\]: derived -?[\d.e-]+, difference/);
    },
  );
});

test("checkGrad: fails on a rule that forgets to undo broadcasting", async () => {
  await withRule(
    "Add",
    (_g, _context, [ct]) => [ct!, ct!],
    async () => {
      await assert.rejects(checkGrad((g, { a, b }) => g.add(a!, b!), { a: randn("a", 2, 3), b: randn("b", 3) }));
    },
  );
});

test("checkGrad: fails on a rule inside a Scan's body", async () => {
  await withRule(
    "Exp",
    (_g, _context, [ct]) => [ct!],
    async () => {
      const check = checkGrad(
        (g, { x }) => g.scan([], [x!], (body, _states, [row]) => ({ states: [], outputs: [body.exp(row!)] })).outputs,
        { x: randn("x", 2, 2) },
      );
      await assert.rejects(check, /gradient of x\[0\]/);
    },
  );
});

test("grad: an operator without a rule is an error with its name", () => {
  const g = new Graph();
  const x = g.input("x", [2]);
  const y = g.single("Erf", [x], x);
  assert.throws(() => grad(g, g.reduceSum(y), [x]), {
    name: "ShapeError",
    message: "grad(): operator Erf (Erf_0) has no backward rule",
  });
  assert.throws(() => grad(g, y, [x]), { message: "grad(): the loss must be a scalar, got float32[2]" });
  assert.throws(() => vjp(g, [{ value: y, cotangent: g.scalar(1) }], [x]), ShapeError);
});

test("grad: an operator without a rule does not matter where no gradient has to pass", async () => {
  const g = new Graph(); // ONNX Runtime has an Erf for float32 only
  const [x, y] = [g.input("x", [2]), g.input("y", [2])];
  const [dx] = grad(g, g.reduceSum(g.mul(x, g.single("Erf", [y], y))), [x]);
  g.output("dx", g.cast(g.greater(dx!, 0), "int64"));
  const { dx: got } = await run(g, { x: tensorOf("float32", [2], [1, 2]), y: tensorOf("float32", [2], [1, -1]) });
  assert.deepEqual(got, [1, 0]);
});

test("grad: operators without slope, stopGradient and unused values give zeros", async () => {
  const g = new Graph({ floatType: "float64" });
  const [x, unused] = [g.input("x", [3]), g.input("unused", ["n"])];
  const flat: Value[] = [
    g.sign(x),
    g.single("Floor", [x], x),
    g.cast(g.argMax(x), "float64"),
    g.cast(g.and(g.less(x, 0), g.not(g.or(g.equal(x, 1), g.greaterOrEqual(x, 2)))), "float64"),
    g.mul(g.stopGradient(x), 3),
  ];
  const loss = flat.map((value) => g.reduceSum(value)).reduce((sum, value) => g.add(sum, value));
  grad(g, loss, [x, unused]).forEach((value, i) => {
    g.output(`d${i}`, value);
  });
  const feeds = { x: randn("x", 3), unused: randn("u", 2) };
  assert.deepEqual(await run(g, feeds), { d0: [0, 0, 0], d1: [0, 0] });
});

async function gradientOf(build: (g: Graph, x: Value) => Value, values: number[]): Promise<unknown> {
  const g = new Graph({ floatType: "float64" });
  const x = g.input("x", [values.length]);
  g.output("dx", grad(g, g.reduceSum(build(g, x)), [x])[0]!);
  return (await run(g, { x: tensorOf("float64", [values.length], values) })).dx;
}

test("vjp of Min and Max: at a tie the first operand gets the whole cotangent", async () => {
  const one = (g: Graph) => g.constant(tensorOf("float64", [1], [1]));
  assert.deepEqual(await gradientOf((g, x) => g.min(x, 1), [1, 0, 2]), [1, 1, 0]);
  assert.deepEqual(await gradientOf((g, x) => g.max(x, 1), [1, 0, 2]), [1, 0, 1]);
  assert.deepEqual(await gradientOf((g, x) => g.min(one(g), x), [1, 0, 2]), [0, 1, 0]);
  assert.deepEqual(await gradientOf((g, x) => g.max(one(g), x), [1, 0, 2]), [0, 0, 1]);
});

test("vjp of Clip: the bounds themselves belong to the inside", async () => {
  assert.deepEqual(await gradientOf((g, x) => g.clip(x, -1, 1), [-1, 1, 1.5, -2, 0]), [1, 1, 0, 0, 1]);
});

test("vjp of Abs and ReduceMax: zero slope at 0, equal maxima share", async () => {
  assert.deepEqual(await gradientOf((g, x) => g.abs(x), [0, -2, 3]), [0, -1, 1]);
  assert.deepEqual(await gradientOf((g, x) => g.reduceMax(x), [3, 1, 3]), [0.5, 0, 0.5]);
  assert.deepEqual(await gradientOf((g, x) => g.reduceMax(g.expand(x, [4, 2]), [0]), [3, 1]), [1, 1]);
});

test("vjp of Slice: a symbolic axis is an error that names the value", () => {
  const g = new Graph();
  const x = g.input("x", ["T", 2]);
  assert.throws(() => grad(g, g.reduceSum(g.slice(x, 0, 1, 3)), [x]), /slice\(\): .*float32\[T, 2\]/);
});

/** Kernels and summation order differ between the fused float32 product and the float64 decomposition. */
const FLOAT32_TOLERANCE = 1e-5;

for (const transA of [false, true]) {
  for (const transB of [false, true]) {
    test(`vjp of FusedMatMul: agrees with the float64 decomposition, transA ${transA}, transB ${transB}`, async () => {
      const shapeA = transA ? [2, 1, 5, 3] : [2, 1, 3, 5];
      const shapeB = transB ? [4, 2, 5] : [4, 5, 2];
      const results = await Promise.all(
        (["float32", "float64"] as const).map(async (dtype) => {
          const g = new Graph({ floatType: dtype });
          const [a, b] = [g.input("a", shapeA), g.input("b", shapeB)];
          const y = g.matMul(a, b, { transA, transB, alpha: 0.3 });
          const ct = g.input("ct", y.shape);
          const [da, db] = vjp(g, [{ value: y, cotangent: ct }], [a, b]);
          for (const [name, value] of Object.entries({ y, da: da!, db: db! })) g.output(name, value);
          assert.ok(g.nodes.some(({ op }) => op === (dtype === "float32" ? "FusedMatMul" : "MatMul")));
          const feed = (name: string, shape: number[]) =>
            tensorOf(dtype, shape, randn(name, ...shape).data as Float64Array);
          return run(g, { a: feed("a", shapeA), b: feed("b", shapeB), ct: feed("ct", [2, 4, 3, 2]) });
        }),
      );
      for (const name of ["y", "da", "db"]) {
        const [single, double] = results.map((result) => result[name]!);
        single!.forEach((x, i) => {
          assert.ok(
            Math.abs(x - double![i]!) <= FLOAT32_TOLERANCE * Math.max(1, Math.abs(double![i]!)),
            `${name}[${i}]`,
          );
        });
      }
    });
  }
}

/** Results of a graph and its gradients in float32 and float64, side by side. */
async function inBothTypes(
  shapes: Readonly<Record<string, readonly number[]>>,
  build: (g: Graph, inputs: Readonly<Record<string, Value>>) => Value,
): Promise<void> {
  const [single, double] = await Promise.all(
    (["float32", "float64"] as const).map(async (dtype) => {
      const g = new Graph({ floatType: dtype });
      const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, g.input(name, shape)]));
      const y = build(g, inputs);
      const ct = g.constant(
        tensorOf(dtype, y.shape as number[], Array.from(randn("ct", ...(y.shape as number[])).data, Number)),
      );
      const gradients = vjp(g, [{ value: y, cotangent: ct }], Object.values(inputs));
      g.output("y", y);
      Object.keys(inputs).forEach((name, i) => {
        g.output(`d${name}`, gradients[i]!);
      });
      const feeds = Object.entries(shapes).map(([name, shape]) => [
        name,
        tensorOf(dtype, shape, Array.from(randn(name, ...shape).data, Number)),
      ]);
      return run(g, Object.fromEntries(feeds));
    }),
  );
  for (const [name, values] of Object.entries(double!))
    values.forEach((x, i) => {
      assert.ok(Math.abs(single![name]![i]! - x) <= FLOAT32_TOLERANCE * Math.max(1, Math.abs(x)), `${name}[${i}]`);
    });
}

test("fused operators: float32's kernels agree with float64's parts, gradients too", async () => {
  await inBothTypes({ x: [3, 8], w: [8] }, (g, { x, w }) => g.rmsNorm(x!, w!, 1e-3));
  await inBothTypes({ x: [2, 3, 8], w: [8] }, (g, { x, w }) => g.rmsNorm(x!, w!, 1e-6));
  await inBothTypes({ x: [3, 8] }, (g, { x }) => g.silu(x!));
  await inBothTypes({ x: [3, 16] }, (g, { x }) => {
    const table = (of: (angle: number) => number) =>
      g.constant(
        tensorOf(
          g.floatType,
          [6, 4],
          Array.from({ length: 24 }, (_, i) => of((i >> 2) / 3 ** (i % 4))),
        ),
      );
    return g.rotary(
      x!,
      { cos: table(Math.cos), sin: table(Math.sin) },
      g.constant(tensorOf("int64", [3, 1], [5, 0, 2])),
    );
  });
});

test("grad: of a gradient, through elementwise rules and through a Scan", async () => {
  const report = await checkGrad(
    (g, { x, w }) => {
      const scanned = g.scan([g.full([2], 1)], [x!], (body, [h], [row]) => ({
        states: [body.sin(body.mul(body.add(h!, row!), w!))],
        outputs: [],
      }));
      return grad(g, g.reduceSum(scanned.states[0]!), [x!, w!]);
    },
    { x: randn("x", 3, 2), w: randn("w", 2) },
  );
  assert.ok(report.operators.has("Scan"));
});

test("grad: a body alone refuses a gradient that would have to leave it", () => {
  const g = new Graph();
  const x = g.input("x", [2]);
  const y = g.exp(x);
  assert.throws(
    () =>
      g.scan([], [g.input("rows", [3, 2])], (body, _states, [row]) => ({
        states: [],
        outputs: grad(body, body.reduceSum(body.mul(row!, y)), [x]),
      })),
    { message: /^grad\(\): the body uses Exp_0, computed around it from a value asked for/ },
  );
});

test("compile: a gradient graph runs", async () => {
  const g = new Graph();
  const x = g.input("x", [2]);
  g.output("dx", grad(g, g.reduceSum(g.mul(x, x)), [x])[0]!);
  const session = await compile(g, { name: "square" });
  const { dx } = await session.run({ x: tensorOf("float32", [2], [1.5, -2]) });
  assert.deepEqual([...dx!.data], [3, -4]);
  await session.dispose();
});

test("withGradient: two rules on one value stay two values", async () => {
  const g = new Graph({ floatType: "float64" });
  const x = g.input("x", [2]);
  const y = g.exp(x);
  const times = (factor: number) => g.withGradient(y, [x], (h, ct) => [h.mul(ct, factor)]);
  const [dx] = vjp(
    g,
    [2, 5].map((factor) => ({ value: times(factor), cotangent: g.full([2], 1) })),
    [x],
  );
  g.output("dx", dx!);
  assert.deepEqual((await run(g, { x: randn("x", 2) })).dx, [7, 7]);
});

test("withGradient: a gradient that its rule says nothing of is refused", () => {
  const g = new Graph({ floatType: "float64" });
  const [x, w] = [g.input("x", [2]), g.input("w", [2])];
  const y = g.withGradient(g.mul(x, w), [x], (h, ct) => [h.mul(ct, 2)]);
  assert.throws(() => vjp(g, [{ value: y, cotangent: g.full([2], 1) }], [w]), /says nothing of what is asked for/);
});

test("vjp of Gather: many rows of one id add up on several threads", async () => {
  const count = 200_000;
  const g = new Graph();
  const [table, ids] = [g.input("table", [3, 2]), g.input("ids", [count], "int32")];
  const [d] = vjp(g, [{ value: g.gather(table, ids), cotangent: g.full([count, 2], 1) }], [table]);
  g.output("d", d!);
  const session = await compile(g, { name: "gather", threads: 2 });
  const feeds = {
    table: tensorOf("float32", [3, 2], [0, 0, 0, 0, 0, 0]),
    ids: tensorOf("int32", [count], new Array<number>(count).fill(1)),
  };
  for (let i = 0; i < 5; i++) {
    const { d } = await session.run(feeds);
    assert.deepEqual(Array.from(d!.data, Number), [0, 0, count, count, 0, 0]);
  }
  await session.dispose();
});
