import type { GraphCore } from "./builder.ts";
import { resolveAlias, simplify } from "./simplify.ts";
import type { Attribute, Node, Value } from "./types.ts";

/**
 * A graph as text: inputs, live nodes, outputs; values are numbered in the order of printing so that tests can compare the text.
 * `%3: float32[N, 8] = Gemm(x, w) {transB=1}`
 */
export function print(graph: GraphCore): string {
  let count = 0;
  return printBody(graph, new Map(), () => `%${count++}`, "", new Map()).join("\n");
}

function printBody(
  graph: GraphCore,
  labels: Map<string, string>,
  next: () => string,
  indent: string,
  outer: ReadonlyMap<string, Value>,
): string[] {
  const program = simplify(graph);
  const aliases = new Map([...outer, ...program.aliases]);
  for (const { value, tensor } of program.constants) {
    const few = tensor.data.length <= 8 ? [...tensor.data].join(", ") : `… ${tensor.data.length} numbers`;
    labels.set(value.name, tensor.shape.length === 0 ? few : `[${few}]`);
  }
  const label = (value: Value): string => {
    const real = resolveAlias(aliases, value);
    return labels.get(real.name) ?? real.name;
  };
  const inputs = graph.inputs.map((input) => {
    if (indent) labels.set(input.name, next());
    return `${label(input)}: ${typeText(input)}`;
  });
  const lines = [`${indent}(${inputs.join(", ")}) {`];
  for (const node of program.nodes) {
    for (const output of node.outputs) labels.set(output.name, next());
    const results = node.outputs.map((output) => `${label(output)}: ${typeText(output)}`).join(", ");
    const args = node.inputs.map((input) => (input ? label(input) : "_")).join(", ");
    lines.push(`${indent}  ${results} = ${node.op}(${args})${attributeText(node)}`);
    for (const [name, attribute] of Object.entries(node.attributes)) {
      if (!("body" in attribute)) continue;
      lines.push(`${indent}    ${name}:`, ...printBody(attribute.body, labels, next, `${indent}    `, aliases));
    }
  }
  const results = graph.outputs.map(({ name, value }) => (indent ? label(value) : `${name}=${label(value)}`));
  lines.push(`${indent}  return ${results.join(", ")}`, `${indent}}`);
  return lines;
}

function typeText(value: Value): string {
  return `${value.dtype}[${value.shape.join(", ")}]`;
}

function attributeText(node: Node): string {
  const parts = Object.entries(node.attributes)
    .filter(([, attribute]) => !("body" in attribute))
    .map(([name, attribute]) => `${name}=${attributeValue(attribute)}`);
  return parts.length > 0 ? ` {${parts.join(", ")}}` : "";
}

function attributeValue(attribute: Attribute): string {
  if ("int" in attribute) return String(attribute.int);
  if ("float" in attribute) return String(attribute.float);
  if ("string" in attribute) return JSON.stringify(attribute.string);
  if ("ints" in attribute) return `[${attribute.ints.join(", ")}]`;
  return "…";
}
