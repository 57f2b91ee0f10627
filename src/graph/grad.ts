import { ShapeError } from "../utils/errors.ts";
import type { Graph } from "./graph.ts";
import { describe } from "./shape.ts";
import type { Node, Value } from "./types.ts";
import { vjpRules, ZERO_GRADIENT } from "./vjp.ts";

/** A value together with the cotangent that flows into it. */
export interface Seed {
  readonly value: Value;
  readonly cotangent: Value;
}

/**
 * Reverse sweep: adds nodes to the graph that compute Σ seeds ⟨cotangent, ∂value/∂x⟩ for every x asked for.
 * @returns one gradient a value of `wrt`, in its shape; zeros where nothing depends on it
 * @throws ShapeError naming the operator that has no backward rule
 */
export function vjp(g: Graph, seeds: readonly Seed[], wrt: readonly Value[]): Value[] {
  const cotangents = new Map<string, Value>();
  const accumulate = (value: Value, ct: Value): void => {
    const present = cotangents.get(value.name);
    cotangents.set(value.name, present ? g.add(present, ct) : ct);
  };
  for (const { value, cotangent } of seeds) {
    if (value.shape.join() !== cotangent.shape.join()) {
      throw new ShapeError(`vjp(): the cotangent of ${describe(value)} has shape [${cotangent.shape}]`);
    }
    accumulate(value, cotangent);
  }
  const needed = dependents(g, wrt);
  for (const node of [...g.nodes].reverse()) {
    const cts = node.outputs.map((output) => cotangents.get(output.name) ?? null);
    const needs = node.inputs.map((input) => input !== null && needed.has(input.name));
    if (cts.every((ct) => ct === null) || !needs.includes(true) || ZERO_GRADIENT.has(node.op)) continue;
    backward(g, node, cts, needs).forEach((ct, i) => {
      if (ct && needs[i]) accumulate(node.inputs[i]!, ct);
    });
  }
  return wrt.map((value) => cotangents.get(value.name) ?? g.full(value.shape, 0, value.dtype));
}

/** Gradient of a scalar. */
export function grad(g: Graph, loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.shape.length > 0) throw new ShapeError(`grad(): the loss must be a scalar, got ${describe(loss)}`);
  return vjp(g, [{ value: loss, cotangent: g.scalar(1, loss) }], wrt);
}

function backward(
  g: Graph,
  node: Node,
  cts: readonly (Value | null)[],
  needs: readonly boolean[],
): readonly (Value | null)[] {
  const rule = vjpRules[node.op];
  if (!rule) throw new ShapeError(`grad(): operator ${node.op} (${node.name}) has no backward rule`);
  const inputs = node.inputs.filter((input) => input !== null);
  return g.scope(`${node.scope}~`, () => rule(g, { node, inputs, outputs: node.outputs, needs }, cts));
}

/** Names of all values of the graph that depend on one of these. */
function dependents(g: Graph, roots: readonly Value[]): ReadonlySet<string> {
  const names = new Set(roots.map((root) => root.name));
  for (const node of g.nodes) {
    if (node.inputs.some((input) => input !== null && names.has(input.name))) {
      for (const output of node.outputs) names.add(output.name);
    }
  }
  return names;
}
