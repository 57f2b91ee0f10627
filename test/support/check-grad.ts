import assert from "node:assert/strict";
import type { Shape, Tensor, Value } from "../../src/graph/index.ts";
import { compile, Graph, sizeOf, tensor, tensorOf, vjp } from "../../src/graph/index.ts";
import type { Node } from "../../src/graph/types.ts";
import { createRng } from "../../src/utils/rng.ts";

/** Distance of the two points of a central difference from the middle; in float64 truncation and rounding both stay below 1e-9. */
const STEP = 1e-5;
/** Largest difference allowed, relative to the largest entry of the gradient (or 1): a wrong rule is off by far more. */
export const TOLERANCE = 1e-7;

/** Values of an input; a `shape` with symbols declares it so, the sizes are those of the values. */
export interface CheckedInput {
  readonly values: Tensor;
  readonly shape?: Shape;
}

export type Inputs = Readonly<Record<string, Tensor | CheckedInput>>;
export type Build = (g: Graph, inputs: Readonly<Record<string, Value>>) => Value | readonly Value[];

/** What a check saw, for tests that count what was tested. */
export interface CheckReport {
  /** Operators of the forward graph, those of bodies included. */
  readonly operators: ReadonlySet<string>;
  /** Largest relative error. */
  readonly error: number;
}

/** A float64 tensor of standard normal numbers, always the same for one name. */
export function randn(name: string, ...shape: number[]): Tensor {
  const rng = createRng(name);
  return tensor(
    "float64",
    shape,
    Float64Array.from({ length: sizeOf(shape) }, () => rng.normal()),
  );
}

/** The same, in (low, high). */
export function uniform(name: string, low: number, high: number, ...shape: number[]): Tensor {
  const rng = createRng(name);
  const data = Float64Array.from({ length: sizeOf(shape) }, () => low + (high - low) * rng.uniform());
  return tensor("float64", shape, data);
}

/** An int64 tensor. */
export function ints(shape: readonly number[], values: readonly number[]): Tensor {
  return tensorOf("int64", shape, values);
}

/**
 * Compares the derived gradient of a random linear functional of the outputs with central differences, for every element of every
 * float64 input. Further `sizes` are other inputs run through the same compiled graphs.
 * @throws AssertionError naming the input and element, and both numbers
 */
export async function checkGrad(build: Build, inputs: Inputs, ...sizes: Inputs[]): Promise<CheckReport> {
  const forward = declare(build, inputs);
  const back = declare(build, inputs);
  forward.outputs.forEach((value, i) => {
    forward.g.output(`y${i}`, value);
  });
  const operators = operatorsOf(forward.g.nodes);
  const seeds = back.outputs.map((value, i) => ({ value, cotangent: back.g.input(`ct${i}`, value.shape) }));
  vjp(back.g, seeds, Object.values(back.differentiable)).forEach((value, i) => {
    back.g.output(`d/${Object.keys(back.differentiable)[i]}`, value);
  });
  const session = await compile(forward.g, { name: "forward", threads: 1 });
  const gradient = await compile(back.g, { name: "gradient", threads: 1 });
  try {
    let error = 0;
    for (const feeds of [inputs, ...sizes]) {
      const run = (values: Record<string, Tensor>) => session.run(values);
      error = Math.max(error, await compare(feeds, run, (values) => gradient.run(values)));
    }
    return { operators, error };
  } finally {
    await session.dispose();
    await gradient.dispose();
  }
}

type Run = (values: Record<string, Tensor>) => Promise<Record<string, Tensor>>;

async function compare(inputs: Inputs, forward: Run, backward: Run): Promise<number> {
  const feeds = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, valuesOf(input)]));
  const outputs = await forward(feeds);
  const weights = Object.entries(outputs).map(([name, { shape }]) => [name.replace("y", "ct"), randn(name, ...shape)]);
  const cts = Object.fromEntries(weights) as Record<string, Tensor<"float64">>;
  const functional = async (values: Record<string, Tensor>): Promise<number> => {
    let sum = 0;
    for (const [name, { data }] of Object.entries(await forward(values))) {
      const weight = cts[name.replace("y", "ct")]!.data;
      for (let i = 0; i < data.length; i++) sum += Number(data[i]) * weight[i]!;
    }
    return sum;
  };
  const derived = await backward({ ...feeds, ...cts });
  let worst = 0;
  for (const [name, { dtype, data, shape }] of Object.entries(feeds)) {
    if (dtype !== "float64") continue;
    const got = derived[`d/${name}`]!;
    assert.deepEqual(got.shape, shape, `shape of the gradient of ${name}`);
    const expected = new Float64Array(data.length);
    for (let i = 0; i < data.length; i++) {
      const at = (offset: number): Promise<number> => {
        const moved = Float64Array.from(data as Float64Array);
        moved[i]! += offset;
        return functional({ ...feeds, [name]: tensor("float64", shape, moved) });
      };
      expected[i] = ((await at(STEP)) - (await at(-STEP))) / (2 * STEP);
    }
    const scale = Math.max(1, ...expected.map(Math.abs));
    for (let i = 0; i < data.length; i++) {
      const error = Math.abs(Number(got.data[i]) - expected[i]!) / scale;
      assert.ok(error <= TOLERANCE, `gradient of ${name}[${i}]: derived ${got.data[i]}, difference ${expected[i]}`);
      worst = Math.max(worst, error);
    }
  }
  return worst;
}

function declare(build: Build, inputs: Inputs) {
  const g = new Graph({ floatType: "float64" });
  const values: Record<string, Value> = {};
  const differentiable: Record<string, Value> = {};
  for (const [name, input] of Object.entries(inputs)) {
    const { shape, dtype } = valuesOf(input);
    values[name] = g.input(name, ("values" in input && input.shape) || shape, dtype);
    if (dtype === "float64") differentiable[name] = values[name];
  }
  const built = build(g, values);
  return { g, differentiable, outputs: Array.isArray(built) ? (built as readonly Value[]) : [built as Value] };
}

function valuesOf(input: Tensor | CheckedInput): Tensor {
  return "values" in input ? input.values : input;
}

function operatorsOf(nodes: readonly Node[], into = new Set<string>()): Set<string> {
  for (const { op, attributes } of nodes) {
    into.add(op);
    for (const attribute of Object.values(attributes)) if ("body" in attribute) operatorsOf(attribute.body.nodes, into);
  }
  return into;
}
