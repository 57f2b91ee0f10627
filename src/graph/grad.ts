import { ShapeError } from "../utils/errors.ts";
import type { GraphCore } from "./builder.ts";
import type { Graph } from "./graph.ts";
import { describe } from "./shape.ts";
import { capturedNames } from "./simplify.ts";
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
  return sweep(g, seeds, wrt).map((ct, i) => ct ?? g.full(wrt[i]!.shape, 0, wrt[i]!.dtype));
}

/** Gradient of a scalar. */
export function grad(g: Graph, loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.shape.length > 0) throw new ShapeError(`grad(): the loss must be a scalar, got ${describe(loss)}`);
  return vjp(g, [{ value: loss, cotangent: g.scalar(1, loss) }], wrt);
}

/** `vjp` with null where nothing depends on the value. */
function sweep(g: Graph, seeds: readonly Seed[], wrt: readonly Value[]): (Value | null)[] {
  const cotangents = new Map<string, Value>();
  const accumulate = (value: Value, ct: Value): void => {
    const present = cotangents.get(value.name);
    cotangents.set(value.name, present ? g.add(present, ct) : ct);
  };
  for (const { value, cotangent } of seeds) {
    if (describe(value) !== describe(cotangent)) {
      throw new ShapeError(`vjp(): the cotangent of ${describe(value)} is ${describe(cotangent)}`);
    }
    accumulate(value, cotangent);
  }
  const needed = dependents(g, wrt);
  refuseOuter(g, seeds, wrt);
  for (const node of [...g.nodes].reverse()) {
    const cts = node.outputs.map((output) => cotangents.get(output.name) ?? null);
    if (cts.every((ct) => ct === null) || stopsGradient(node)) continue;
    const captured = capturedNames(node);
    const capturedNeeded = [...captured].flatMap((name) => needed.get(name) ?? []);
    const needs = node.inputs.map((input) => input !== null && needed.has(input.name));
    if (!needs.includes(true) && capturedNeeded.length === 0) continue;
    const targets = [...node.inputs, ...capturedNeeded];
    backward(g, node, cts, needs, capturedNeeded).forEach((ct, i) => {
      if (ct && needed.has(targets[i]!.name)) accumulate(targets[i]!, ct);
    });
  }
  return wrt.map((value) => cotangents.get(value.name) ?? null);
}

function backward(
  g: Graph,
  node: Node,
  cts: readonly (Value | null)[],
  needs: readonly boolean[],
  captured: readonly Value[],
): readonly (Value | null)[] {
  const rule = vjpRules[node.op];
  if (!rule) throw new ShapeError(`grad(): operator ${node.op} (${node.name}) has no backward rule`);
  const inputs = node.inputs.filter((input) => input !== null);
  const context = { node, inputs, outputs: node.outputs, needs, captured, sweep, dependents };
  return g.scopeAt(`${node.scope}~`, () => rule(g, context, cts));
}

/** The values of a graph that a gradient reaches from one of these roots, by name; the roots are among them. */
function dependents(g: GraphCore, roots: readonly Value[]): ReadonlyMap<string, Value> {
  const found = new Map(roots.map((root) => [root.name, root]));
  for (const node of g.nodes) {
    if (stopsGradient(node)) continue;
    const reached = node.inputs.some((input) => input !== null && found.has(input.name));
    if (!reached && ![...capturedNames(node)].some((name) => found.has(name))) continue;
    for (const output of node.outputs) if (output.dtype.startsWith("float")) found.set(output.name, output);
  }
  return found;
}

function stopsGradient({ op, attributes }: Node): boolean {
  return ZERO_GRADIENT.has(op) || (op === "Identity" && attributes.stop !== undefined);
}

/** A sweep of a body alone cannot follow values that are computed around it from one of `wrt`: rather an error than a wrong gradient. */
function refuseOuter(g: GraphCore, seeds: readonly Seed[], wrt: readonly Value[]): void {
  if (!g.parent) return;
  const used = new Set(
    g.nodes.flatMap((node) => [...node.inputs.flatMap((x) => x?.name ?? []), ...capturedNames(node)]),
  );
  for (const { name } of wrt) used.delete(name);
  for (let outer: GraphCore | undefined = g.parent; outer; outer = outer.parent) {
    for (const value of dependents(outer, wrt).values()) {
      if (!used.has(value.name)) continue;
      const reached = dependents(g, [value]);
      if (!seeds.some((seed) => reached.has(seed.value.name))) continue;
      throw new ShapeError(
        `grad(): the body uses ${value.name}, computed around it from a value asked for; ask for the gradient of ${value.name} too`,
      );
    }
  }
}
