import assert from "node:assert/strict";
import { test } from "node:test";
import { Graph, grad, print, tensorOf } from "../../src/graph/index.ts";
import { controlRules } from "../../src/graph/vjp-control.ts";
import { type Build, checkGrad, type Inputs, ints, randn } from "../support/check-grad.ts";
import { run } from "../support/run-graph.ts";

interface Case {
  readonly op: string;
  readonly title: string;
  readonly build: Build;
  readonly inputs: Inputs;
  readonly more?: readonly Inputs[];
}

/** A small recurrent net: state ← tanh(state·w + x + b); w and b come from around the body. */
const recurrent: Build = (g, { s, x, w, b }) => {
  const scanned = g.scan([s!], [x!], (body, [h], [step]) => {
    const next = body.tanh(body.add(body.add(body.matMul(h!, w!), step!), b!));
    return { states: [next], outputs: [body.mul(next, next)] };
  });
  return [...scanned.states, ...scanned.outputs];
};
const recurrentInputs = (n: number): Inputs => ({
  s: randn("s", 2, 3),
  x: randn("x", n, 2, 3),
  w: randn("w", 3, 3),
  b: randn("b", 3),
});

const cases: Case[] = [
  {
    op: "Scan",
    title: "reaches states, elements and the weights that the body uses",
    build: recurrent,
    inputs: recurrentInputs(4),
  },
  {
    op: "Scan",
    title: "works for symbolic lengths and widths",
    build: recurrent,
    inputs: {
      ...recurrentInputs(3),
      x: { values: randn("x", 3, 2, 3), shape: ["T", "B", 3] },
      s: { values: randn("s", 2, 3), shape: ["B", 3] },
    },
    more: [{ ...recurrentInputs(1), s: randn("s2", 4, 3), x: randn("x2", 1, 4, 3) }],
  },
  {
    op: "Scan",
    title: "sums over passes when nothing but the output counts, and skips an output that nobody uses",
    build: (g, { x, w }) => {
      const scanned = g.scan([g.full([2], 0)], [x!], (body, [sum], [row]) => ({
        states: [body.add(sum!, row!)],
        outputs: [body.exp(row!), body.mul(body.sin(row!), w!)],
      }));
      return scanned.outputs[1]!;
    },
    inputs: { x: randn("x", 3, 2), w: randn("w", 2) },
  },
  {
    op: "Scan",
    title: "passes a linear state through, and elements that only feed indices get nothing",
    build: (g, { s, ids, table }) => {
      const scanned = g.scan([s!, table!], [ids!], (body, [h, t], [id]) => ({
        states: [body.add(body.mul(h!, 2), body.gather(t!, id!)), t!],
        outputs: [],
      }));
      return scanned.states[0]!;
    },
    inputs: { s: randn("s", 2), table: randn("t", 3, 2), ids: ints([4], [2, 0, 2, 1]) },
  },
  {
    op: "Scan",
    title: "follows a state that becomes dependent only through another state",
    build: (g, { s, x }) => {
      const zero = g.full([2], 0);
      const scanned = g.scan([s!, zero, zero], [x!], (body, [a, b, c], [row]) => ({
        states: [body.sin(body.add(a!, row!)), body.mul(a!, a!), body.add(c!, body.exp(b!))],
        outputs: [],
      }));
      return scanned.states[2]!;
    },
    inputs: { s: randn("s", 2), x: randn("x", 4, 2) },
  },
  {
    op: "Scan",
    title: "inside a Scan: weights of the outermost graph, states of both",
    build: (g, { s, x, w }) => {
      const scanned = g.scan([s!], [x!], (outer, [h], [rows]) => {
        const inner = outer.scan([h!], [rows!], (body, [k], [row]) => {
          const next = body.tanh(body.add(body.mul(k!, w!), row!));
          return { states: [next], outputs: [body.mul(next, h!)] };
        });
        return { states: [inner.states[0]!], outputs: [outer.reduceSum(inner.outputs[0]!, [0])] };
      });
      return [...scanned.states, ...scanned.outputs];
    },
    inputs: { s: randn("s", 2), x: randn("x", 2, 3, 2), w: randn("w", 2) },
  },
  {
    op: "Scan",
    title: "a node of the body that the backward pass makes around it as well stays in the body's derivative",
    build: (g, { x, w }) => {
      const scanned = g.scan([], [x!], (body, _states, [row]) => ({
        states: [],
        outputs: [body.mul(body.sin(w!), row!), w!],
      }));
      return [...scanned.outputs, g.cos(w!)]; // its derivative is made of sin(w)
    },
    inputs: { x: randn("x", 3, 2), w: randn("w", 2) },
  },
  {
    op: "Loop",
    title: "a constant number of times, with the iteration number in the sum",
    build: (g, { s, w }) => {
      const count = g.squeeze(g.ints([3]), [0]);
      const looped = g.loop(count, [s!], (body, i, [h]) => {
        const scaled = body.mul(h!, body.add(body.cast(i, "float64"), 0.5));
        return { states: [body.sin(body.add(scaled, w!))], outputs: [body.mul(h!, w!)] };
      });
      return [...looped.states, ...looped.outputs];
    },
    inputs: { s: randn("s", 2), w: randn("w", 2) },
  },
  {
    op: "Loop",
    title: "a fed number of times",
    build: (g, { s, w, count }) => {
      const looped = g.loop(count!, [s!], (body, _i, [h]) => ({
        states: [body.tanh(body.mul(h!, w!))],
        outputs: [],
      }));
      return looped.states[0]!;
    },
    inputs: { s: randn("s", 2), w: randn("w", 2), count: ints([], [3]) },
    more: [{ s: randn("s", 2), w: randn("w", 2), count: ints([], [1]) }],
  },
  {
    op: "Loop",
    title: "inside a Scan, over a large constant and a table that only the innermost body uses",
    build: (g, { x, table, ids }) => {
      const fixed = g.constant(randn("fixed", 3, 40));
      const scanned = g.scan([g.full([3], 0.1)], [x!, ids!], (body, [h], [row, id]) => {
        const inner = body.constant(randn("inner", 70));
        const looped = body.loop(body.squeeze(body.ints([2]), [0]), [h!], (deep, _i, [k]) => {
          const weights = deep.reduceMean(deep.mul(fixed, deep.reduceMean(inner)), [1]);
          return { states: [deep.tanh(deep.add(deep.mul(k!, deep.gather(table!, id!)), weights))], outputs: [] };
        });
        return { states: [body.add(looped.states[0]!, row!)], outputs: [] };
      });
      return scanned.states[0]!;
    },
    inputs: { x: randn("x", 3, 3), table: randn("table", 4, 3), ids: ints([3], [1, 1, 3]) },
  },
  {
    op: "If",
    title: "over symbolic sizes",
    build: (g, { x, w }) =>
      g.branch(
        g.greater(g.reduceSum(x!), 0),
        (body) => [body.matMul(x!, w!)],
        (body) => [body.mul(body.matMul(x!, w!), 2)],
      ),
    inputs: { x: { values: randn("x", 2, 2), shape: ["T", 2] }, w: randn("w", 2, 3) },
    more: [{ x: randn("x3", 3, 2), w: randn("w", 2, 3) }],
  },
  {
    op: "If",
    title: "each branch has its own gradients",
    build: (g, { x, w, flag }) => {
      const positive = g.greater(g.cast(flag!, "float64"), 0);
      const y = g.exp(x!);
      const [a, b] = g.branch(
        positive,
        (body) => [body.mul(y, w!), body.sin(x!)],
        (body) => [body.mul(w!, w!), y],
      );
      return [a!, b!];
    },
    inputs: { x: randn("x", 3), w: randn("w", 3), flag: ints([], [1]) },
    more: [{ x: randn("x", 3), w: randn("w", 3), flag: ints([], [0]) }],
  },
  {
    op: "If",
    title: "inside a Scan, chosen anew in each pass",
    build: (g, { s, x, w }) => {
      const scanned = g.scan([s!], [x!], (body, [h], [step]) => {
        const [next] = body.branch(
          body.greater(body.reduceSum(step!), 0),
          (yes) => [yes.mul(h!, w!)],
          (no) => [no.sin(no.add(h!, step!))],
        );
        return { states: [next!], outputs: [] };
      });
      return scanned.states[0]!;
    },
    inputs: { s: randn("s", 2), x: randn("xx", 4, 2), w: randn("w", 2) },
  },
];

for (const { op, title, build, inputs, more } of cases) {
  test(`vjp of ${op}: ${title}`, async () => {
    const { operators } = await checkGrad(build, inputs, ...(more ?? []));
    assert.ok(operators.has(op));
  });
}

test("vjp-control: every operator with a body is tested", () => {
  assert.deepEqual(new Set(cases.map(({ op }) => op)), new Set(Object.keys(controlRules)));
});

test("vjp of Loop: a state that grows is an error that names the loop and both shapes", () => {
  const g = new Graph();
  const x = g.input("x", [1]);
  const looped = g.loop(g.input("count", [], "int64"), [x], (body, _i, [h]) => ({
    states: [body.concat([h!, h!], 0)],
    outputs: [],
  }));
  assert.throws(() => grad(g, g.reduceSum(looped.states[0]!), [x]), {
    name: "ShapeError",
    message:
      /^grad\(\): Loop \(Loop_\d+\): no gradient through state 0, it enters as float32\[1\] and leaves as float32\[2\]$/,
  });
});

test("vjp of Scan: two gradients of one Scan share the states that it remembers", () => {
  const g = new Graph();
  const [s, x] = [g.input("s", [2]), g.input("x", [3, 2])];
  const scanned = g.scan([s], [x], (body, [h], [row]) => ({ states: [body.sin(body.add(h!, row!))], outputs: [] }));
  const loss = g.reduceSum(scanned.states[0]!);
  g.output("ds", grad(g, loss, [s])[0]!);
  g.output("dx", grad(g, loss, [x])[0]!);
  const forward = g.nodes.find(({ op }) => op === "Scan")!;
  assert.equal(forward.outputs.length, 2);
  assert.equal(print(g).match(/Scan/g)?.length, 3);
});

test("vjp of Scan: copies and derivatives of a body's nodes are named by where the body built them", () => {
  const g = new Graph();
  const x = g.input("x", [3, 2]);
  const scanned = g.scope("head", () =>
    g.scan([], [x], (body, _states, [row]) => ({ states: [], outputs: [body.scope("loss", () => body.exp(row!))] })),
  );
  grad(g, g.reduceSum(scanned.outputs[0]!), [x]);
  const body = g.nodes.at(-1)!.attributes.body!;
  assert.ok("body" in body);
  assert.deepEqual(
    body.body.nodes.map(({ op, scope }) => [op, scope]),
    [
      ["Exp", "head/loss"],
      ["Mul", "head/loss~"],
    ],
  );
});

test("vjp of Scan: a float32 graph has the gradients of the float64 one", async () => {
  const results = await Promise.all(
    (["float32", "float64"] as const).map(async (dtype) => {
      const g = new Graph({ floatType: dtype });
      const inputs = Object.fromEntries(
        Object.entries(recurrentInputs(4)).map(([name, values]) => [name, values as ReturnType<typeof randn>]),
      );
      const declared = Object.fromEntries(
        Object.entries(inputs).map(([name, { shape }]) => [name, g.input(name, shape)]),
      );
      const built = recurrent(g, declared);
      const sum = (Array.isArray(built) ? built : [built]).map((value) => g.reduceSum(value));
      const loss = sum.reduce((total, value) => g.add(total, value));
      grad(g, loss, Object.values(declared)).forEach((value, i) => {
        g.output(`d${i}`, value);
      });
      const feeds = Object.entries(inputs).map(([name, { shape, data }]) => [
        name,
        tensorOf(dtype, shape, data as Float64Array),
      ]);
      return run(g, Object.fromEntries(feeds));
    }),
  );
  const [single, double] = results;
  for (const [name, values] of Object.entries(double!)) {
    values.forEach((expected, i) => {
      const actual = single![name]![i]!;
      assert.ok(
        Math.abs(actual - expected) <= 1e-5 * Math.max(1, Math.abs(expected)),
        `${name}[${i}]: ${actual}, ${expected}`,
      );
    });
  }
});
