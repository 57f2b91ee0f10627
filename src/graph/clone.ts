import type { GraphCore } from "./builder.ts";
import { Graph } from "./graph.ts";
import type { Attribute, Node, Value } from "./types.ts";

/** Where the values of the original are in the copy, by name; what is not in it is the same value in both. */
export type ValueMap = Map<string, Value>;

/** The value that takes the place of `value` in the copy. */
export function mapped(map: ValueMap, value: Value): Value {
  return map.get(value.name) ?? value;
}

/**
 * Copies all constants and nodes of a body into another graph. The inputs of the body must be in `map` already; its other values are
 * added to it.
 */
export function cloneNodes(source: GraphCore, target: Graph, map: ValueMap): void {
  for (const { value, tensor } of source.constants) map.set(value.name, target.constant(tensor));
  target.isolate(() => {
    for (const node of source.nodes) target.scopeAt(node.scope, () => cloneNode(node, target, map));
  });
}

function cloneNode(node: Node, target: Graph, map: ValueMap): void {
  const inputs = node.inputs.map((input) => input && mapped(map, input));
  const attributes = cloneAttributes(node, target, map);
  const outputs = target.node(node.op, inputs, node.outputs, attributes, node.domain);
  node.outputs.forEach((output, i) => {
    map.set(output.name, outputs[i]!);
  });
}

function cloneAttributes(node: Node, target: Graph, map: ValueMap): Record<string, Attribute> {
  const entries = Object.entries(node.attributes).map(([name, attribute]): [string, Attribute] => [
    name,
    "body" in attribute ? { body: cloneBody(attribute.body, target, map) } : attribute,
  ]);
  return Object.fromEntries(entries);
}

function cloneBody(source: GraphCore, parent: Graph, outer: ValueMap): Graph {
  const body = new Graph({ parent });
  const id = parent.uniqueId();
  const map = new Map(outer);
  source.inputs.forEach((input, i) => {
    map.set(input.name, body.input(`${id}/input_${i}`, input.shape, input.dtype));
  });
  cloneNodes(source, body, map);
  source.outputs.forEach(({ value }, i) => {
    body.output(`${id}/output_${i}`, mapped(map, value));
  });
  return body;
}
