import type { GraphCore } from "./builder.ts";
import type { Constant, Node, Value } from "./types.ts";

/** What of a graph has to be computed: live nodes and constants, with values that a cheaper one replaces. */
export interface Program {
  readonly nodes: readonly Node[];
  readonly constants: readonly Constant[];
  /** From a value's name to the value that takes its place. */
  readonly aliases: ReadonlyMap<string, Value>;
  /** Names of all values that an output needs. */
  readonly live: ReadonlySet<string>;
}

/** The value that takes the place of `value`; bodies may step over a value that the graph around them steps over again. */
export function resolveAlias(aliases: ReadonlyMap<string, Value>, value: Value): Value {
  let real = value;
  for (let next = aliases.get(real.name); next; next = aliases.get(real.name)) real = next;
  return real;
}

/**
 * Drops what no output needs, steps over nodes that change nothing (x·1, x+0, double negation, opposite transpositions, markers of gradients) and
 * joins sums with products. Equal nodes and equal constants are already shared by the builder.
 */
export function simplify(graph: GraphCore): Program {
  const aliases = new Map<string, Value>();
  const resolve = (value: Value): Value => aliases.get(value.name) ?? value;
  const producer = new Map<string, Node>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) producer.set(output.name, node);
    const same = equivalentInput(graph, node, (value) => producer.get(resolve(value).name));
    if (same) aliases.set(node.outputs[0]!.name, resolve(same));
  }
  const live = new Set<string>(graph.outputs.map(({ value }) => resolve(value).name));
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((output) => live.has(output.name))) continue;
    const inputs = node.inputs.map((input) => input && resolve(input));
    nodes.push({ ...node, inputs });
    for (const input of inputs) if (input) live.add(input.name);
    for (const name of capturedNames(node)) live.add(aliases.get(name)?.name ?? name);
  }
  const constants = graph.constants.filter(({ value }) => live.has(value.name));
  return { nodes: sumsIntoProducts(graph, nodes.reverse(), aliases), constants, aliases, live };
}

/** a·b + c of equal shapes, where nothing else uses a·b, is one Gemm: it starts from c, which costs a copy in place of a sum. */
function sumsIntoProducts(graph: GraphCore, nodes: readonly Node[], aliases: ReadonlyMap<string, Value>): Node[] {
  const uses = new Map<string, number>();
  const use = (name: string): void => void uses.set(name, (uses.get(name) ?? 0) + 1);
  for (const node of nodes) {
    for (const input of node.inputs) if (input) use(input.name);
    for (const name of capturedNames(node)) use(aliases.get(name)?.name ?? name);
  }
  for (const { value } of graph.outputs) use(resolveAlias(aliases, value).name);
  const products = new Map(
    nodes.filter(({ op, inputs }) => op === "Gemm" && inputs.length === 2).map((node) => [node.outputs[0]!.name, node]),
  );
  const gone = new Set<Node>();
  const joined = nodes.map((node) => {
    const [a, b] = node.inputs;
    if (node.op !== "Add" || !a || !b || a.name === b.name || a.shape.join() !== b.shape.join()) return node;
    for (const [product, other] of [
      [b, a],
      [a, b],
    ] as const) {
      const gemm = products.get(product.name);
      if (!gemm || uses.get(product.name) !== 1) continue;
      gone.add(gemm);
      return { ...gemm, inputs: [...gemm.inputs, other], outputs: node.outputs };
    }
    return node;
  });
  return joined.filter((node) => !gone.has(node));
}

/** The input that a node passes on unchanged, if it does. */
function equivalentInput(
  graph: GraphCore,
  node: Node,
  producerOf: (value: Value) => Node | undefined,
): Value | undefined {
  const [a, b] = node.inputs;
  const output = node.outputs[0];
  if (!a || !output) return undefined;
  const sameShape = (value: Value): boolean => value.shape.join() === output.shape.join();
  const isScalar = (value: Value | null | undefined, x: number): boolean => {
    if (!value || value.shape.length > 0) return false;
    const data = graph.constantData(value);
    return data?.length === 1 && data[0] === x;
  };
  if (node.op === "Identity" || node.op === "WithGradient") return a;
  if ((node.op === "Mul" || node.op === "Div") && isScalar(b, 1) && sameShape(a)) return a;
  if (node.op === "Mul" && b && isScalar(a, 1) && sameShape(b)) return b;
  if ((node.op === "Add" || node.op === "Sub") && isScalar(b, 0) && sameShape(a)) return a;
  const inner = producerOf(a);
  const before = inner?.inputs[0];
  if (!inner || !before || inner.op !== node.op) return undefined;
  if (node.op === "Neg") return before;
  if (node.op === "Transpose" && isInverse(node, inner)) return before;
  return undefined;
}

function isInverse(outer: Node, inner: Node): boolean {
  const [p, q] = [outer.attributes.perm, inner.attributes.perm];
  return !!p && !!q && "ints" in p && "ints" in q && p.ints.every((axis, i) => q.ints[axis] === i);
}

/** Names of outer values that the bodies of a node use. */
export function capturedNames(node: Node): ReadonlySet<string> {
  const names = new Set<string>();
  for (const attribute of Object.values(node.attributes)) {
    if ("body" in attribute) for (const name of freeNames(attribute.body)) names.add(name);
  }
  return names;
}

function freeNames(body: GraphCore): ReadonlySet<string> {
  const free = new Set(simplify(body).live);
  for (const { name } of body.inputs) free.delete(name);
  for (const { value } of body.constants) free.delete(value.name);
  for (const { outputs } of body.nodes) for (const { name } of outputs) free.delete(name);
  return free;
}
