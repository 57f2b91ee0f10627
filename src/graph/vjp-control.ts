import { ShapeError } from "../utils/errors.ts";
import type { GraphCore } from "./builder.ts";
import { cloneNodes, mapped, type ValueMap } from "./clone.ts";
import { Graph } from "./graph.ts";
import { describe } from "./shape.ts";
import { simplify } from "./simplify.ts";
import { tensorOf } from "./tensor.ts";
import type { Attribute, Dim, Node, Value } from "./types.ts";
import type { VjpContext, VjpRule } from "./vjp.ts";

/**
 * Scan and Loop seen as one thing: passes over elements with states in between. A Loop is a Scan over its iteration numbers.
 * The backward pass is a Scan in the opposite direction. Each of its passes computes the body anew from the states at the pass's entry,
 * the only values that the forward pass is asked to remember, and those only when a derivative uses them.
 */
interface Passes {
  readonly node: Node;
  readonly body: GraphCore;
  /** Number of passes. */
  readonly length: Dim;
  readonly states: readonly { readonly initial: Value; readonly entry: Value; readonly exit: Value }[];
  readonly elements: readonly Element[];
  /** Outputs of the body that are stacked outside; `reversed` as in ONNX's scan_output_directions. */
  readonly outputs: readonly { readonly inner: Value; readonly reversed: boolean }[];
  /** Inputs of the body that are neither state nor element. */
  readonly fixed: (target: Graph) => ValueMap;
}

/** A value sliced along its axis 0. `outer` may first have to be remembered by the forward pass. */
interface Element {
  readonly inner: Value;
  readonly outer: () => Value;
  readonly reversed: boolean;
}

/** Backward rules of the operators with bodies. Gradients reach the inputs and every outer value that a body uses. */
export const controlRules: Readonly<Record<string, VjpRule>> = {
  Scan: (g, context, cts) => {
    const gradients = reversePasses(g, context, scanPasses(context.node), context.needs, cts);
    return [...gradients.states, ...gradients.elements, ...gradients.captured];
  },
  Loop: (g, context, cts) => {
    const passes = loopPasses(g, context.node);
    const gradients = reversePasses(g, context, passes, [...context.needs.slice(2), false], cts);
    return [null, null, ...gradients.states, ...gradients.captured];
  },
  If: (g, context, cts) => {
    const { node, captured } = context;
    const id = g.uniqueId();
    const branch = (name: string): { body: Graph } => {
      const forward = bodyOf(node, name);
      const body = new Graph({ parent: g });
      const map: ValueMap = new Map();
      cloneNodes(forward, body, map);
      const seeds = forward.outputs.flatMap(({ value }, i) => {
        const cotangent = cts[i];
        return cotangent ? [{ value: mapped(map, value), cotangent }] : [];
      });
      context.sweep(body, seeds, captured).forEach((ct, i) => {
        const { shape, dtype } = captured[i]!;
        body.output(`${id}/${name}_${i}`, ct ?? body.full(shape, 0, dtype));
      });
      return { body };
    };
    const bodies = { then_branch: branch("then_branch"), else_branch: branch("else_branch") };
    return [null, ...g.node("If", node.inputs, captured, bodies)];
  },
};

function scanPasses(node: Node): Passes {
  const body = bodyOf(node, "body");
  const elementCount = "int" in node.attributes.num_scan_inputs! ? node.attributes.num_scan_inputs.int : 0;
  const stateCount = node.inputs.length - elementCount;
  const inputs = node.inputs.map((input) => input!);
  const readBack = directions(node.attributes.scan_input_directions);
  const writeBack = directions(node.attributes.scan_output_directions);
  const values = body.outputs.map(({ value }) => value);
  const length = inputs[stateCount]!.shape[0]!;
  return {
    node,
    body,
    length,
    states: inputs.slice(0, stateCount).map((initial, i) => ({ initial, entry: body.inputs[i]!, exit: values[i]! })),
    elements: inputs
      .slice(stateCount)
      .map((outer, i) => ({ inner: body.inputs[stateCount + i]!, outer: () => outer, reversed: readBack(i) })),
    outputs: values.slice(stateCount).map((inner, i) => ({ inner, reversed: writeBack(i) })),
    fixed: () => new Map(),
  };
}

function loopPasses(g: Graph, node: Node): Passes {
  const body = bodyOf(node, "body");
  const [iteration, condition, ...entries] = body.inputs;
  const [, ...values] = body.outputs.map(({ value }) => value);
  const states = node.inputs.slice(2).map((initial, i) => {
    const [entry, exit] = [entries[i]!, values[i]!];
    if (describe(initial!) !== describe(exit)) {
      throw new ShapeError(
        `grad(): Loop (${node.name}): no gradient through state ${i}, it enters as ${describe(initial!)} and leaves as ${describe(exit)}`,
      );
    }
    return { initial: initial!, entry, exit };
  });
  const outputs = values.slice(states.length).map((inner) => ({ inner, reversed: false }));
  const length = node.outputs[states.length]?.shape[0] ?? `count(${node.name})`;
  const passes: Omit<Passes, "elements"> = {
    node,
    body,
    length,
    states,
    outputs,
    fixed: (target) => new Map([[condition!.name, target.constant(tensorOf("bool", [], [1]))]]),
  };
  const outer = (): Value => remember(g, passes, iteration!);
  return { ...passes, elements: [{ inner: iteration!, outer, reversed: false }] };
}

/** Cotangents of the initial states, the elements and the captured values. */
function reversePasses(
  g: Graph,
  { captured, sweep, dependents }: VjpContext,
  passes: Passes,
  needs: readonly boolean[],
  cts: readonly (Value | null)[],
) {
  const { states, elements, outputs, length } = passes;
  const wanted = elements.flatMap((element, i) => (needs[states.length + i] ? [element] : []));
  const active = activeStates(passes, (roots) => dependents(passes.body, roots), needs, [
    ...wanted.map(({ inner }) => inner),
    ...captured,
  ]);
  const id = g.uniqueId();
  const back = new Graph({ parent: g });
  const stateCts = active.map(({ entry }, i) => back.input(`${id}/ct_${i}`, entry.shape, entry.dtype));
  const sums = captured.map((value, i) => back.input(`${id}/sum_${i}`, value.shape, value.dtype));

  const sources: Element[] = [];
  const read = (name: string, { shape, dtype }: Value, outer: () => Value, reversed: boolean): Value => {
    const inner = back.input(`${id}/${name}`, shape, dtype);
    sources.push({ inner, outer, reversed });
    return inner;
  };
  const map = passes.fixed(back);
  elements.forEach(({ inner, outer, reversed }, i) => {
    map.set(inner.name, read(`element_${i}`, inner, outer, !reversed));
  });
  states.forEach(({ entry }, i) => {
    map.set(
      entry.name,
      read(`entry_${i}`, entry, () => remember(g, passes, entry), true),
    );
  });
  cloneNodes(passes.body, back, map);
  const seeds = active.map(({ exit }, i) => ({ value: mapped(map, exit), cotangent: stateCts[i]! }));
  outputs.forEach(({ inner, reversed }, i) => {
    const ct = cts[states.length + i];
    if (ct) seeds.push({ value: mapped(map, inner), cotangent: read(`ct_output_${i}`, inner, () => ct, !reversed) });
  });

  const targets = [...active.map(({ entry }) => entry), ...wanted.map(({ inner }) => inner)];
  const gradients = sweep(back, seeds, [...targets.map((value) => mapped(map, value)), ...captured]);
  const exits = targets.map((value, i) => gradients[i] ?? back.full(value.shape, 0, value.dtype));
  const added = sums.map((sum, i) => {
    const ct = gradients[targets.length + i];
    return ct ? back.add(sum, ct) : sum;
  });
  const results = [...exits.slice(0, active.length), ...added, ...exits.slice(active.length)];
  results.forEach((value, i) => {
    back.output(`${id}/output_${i}`, value);
  });

  const used = dropUnusedInputs(back, sources);
  const initial = [
    ...active.map((state) => cts[states.indexOf(state)] ?? g.full(state.entry.shape, 0, state.entry.dtype)),
    ...captured.map(({ shape, dtype }) => g.full(shape, 0, dtype)),
  ];
  const stacked = wanted.map(({ inner: { dtype, shape } }) => ({ dtype, shape: [length, ...shape] }));
  const values = g.node("Scan", [...initial, ...used.map(({ outer }) => outer())], [...initial, ...stacked], {
    body: { body: back },
    num_scan_inputs: { int: used.length },
    scan_input_directions: { ints: used.map(({ reversed }) => Number(reversed)) },
    ...(wanted.length > 0 ? { scan_output_directions: { ints: wanted.map(({ reversed }) => Number(!reversed)) } } : {}),
  });
  const at = <T>(list: readonly T[], item: T, offset: number): Value | null =>
    list.includes(item) ? values[offset + list.indexOf(item)]! : null;
  return {
    states: states.map((state) => at(active, state, 0)),
    elements: elements.map((element) => at(wanted, element, initial.length)),
    captured: values.slice(active.length, initial.length),
  };
}

/** The states that depend on something asked for, be it through other states and many passes. */
function activeStates(
  { states }: Passes,
  reach: (roots: readonly Value[]) => ReadonlyMap<string, Value>,
  needs: readonly boolean[],
  roots: readonly Value[],
): Passes["states"] {
  let active = states.filter((_, i) => needs[i]);
  for (;;) {
    const reached = reach([...roots, ...active.map(({ entry }) => entry)]);
    const next = states.filter((state) => active.includes(state) || reached.has(state.exit.name));
    if (next.length === active.length) return active;
    active = next;
  }
}

/** The stacked values [passes, ..] that an input of the body had; makes the forward pass return them if it does not yet. */
function remember(g: Graph, { node, body, length, states, outputs }: Omit<Passes, "elements">, input: Value): Value {
  const present = g.nodes.find(({ name }) => name === node.name)!;
  const offset = node.op === "Loop" ? 1 : 0; // a Loop's body has its condition as first output
  const known = body.outputs.findIndex(
    ({ value }, i) =>
      i >= states.length + offset && value.name === input.name && !outputs[i - states.length - offset]?.reversed,
  );
  if (known >= 0) return present.outputs[known - offset]!;
  body.output(`${g.uniqueId()}/remembered`, input);
  const back = present.attributes.scan_output_directions;
  const attributes: Record<string, Attribute> =
    back && "ints" in back ? { scan_output_directions: { ints: [...back.ints, 0] } } : {};
  return g.appendOutput(present, { dtype: input.dtype, shape: [length, ...input.shape] }, attributes);
}

/** Takes away the inputs that no output needs (a Scan must keep one). */
function dropUnusedInputs(body: Graph, sources: readonly Element[]): readonly Element[] {
  const live = simplify(body).live;
  const used = sources.filter(({ inner }) => live.has(inner.name));
  const kept = used.length > 0 ? used : sources.slice(0, 1);
  for (const { inner } of sources) {
    if (!kept.some((element) => element.inner === inner)) body.inputs.splice(body.inputs.indexOf(inner), 1);
  }
  return kept;
}

function bodyOf(node: Node, name: string): GraphCore {
  const attribute = node.attributes[name];
  if (!attribute || !("body" in attribute)) throw new ShapeError(`internal: ${node.name}: no ${name}`);
  return attribute.body;
}

function directions(attribute: Attribute | undefined): (i: number) => boolean {
  return (i) => attribute !== undefined && "ints" in attribute && attribute.ints[i] === 1;
}
