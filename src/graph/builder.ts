import { ShapeError } from "../utils/errors.ts";
import { tensorOf } from "./tensor.ts";
import type { Attribute, Constant, Dim, DType, FloatType, Node, Shape, Tensor, Value } from "./types.ts";

/** One result of a node before it has a name. */
export interface OutputSpec {
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * Nodes, inputs, constants and outputs of one graph, in the order of their creation (which is a topological order).
 * Equal constants and equal nodes are created once. A body (of Scan, Loop, If) has a parent and may use its values directly.
 */
export class GraphCore {
  readonly inputs: Value[] = [];
  readonly outputs: { name: string; value: Value }[] = [];
  readonly nodes: Node[] = [];
  readonly constants: Constant[] = [];
  readonly parent: GraphCore | undefined;
  /** Type of float constants and of `input` when none is said. */
  readonly floatType: FloatType;
  private readonly known = new Map<string, readonly Value[]>();
  private readonly dimSources = new Map<string, { value: Value; axis: number }>();
  private readonly scopes: string[] = [];
  private readonly counter: { next: number };
  private isolated = false;

  constructor(options: { floatType?: FloatType; parent?: GraphCore } = {}) {
    this.parent = options.parent;
    this.floatType = options.floatType ?? options.parent?.floatType ?? "float32";
    this.counter = options.parent?.counter ?? { next: 0 };
    if (options.parent) this.scopes.push(...options.parent.scopes);
  }

  /** Runs `build` under a scope: its nodes carry the name, which errors and the printer show. */
  scope<T>(name: string, build: () => T): T {
    this.scopes.push(name);
    try {
      return build();
    } finally {
      this.scopes.pop();
    }
  }

  /** `scope` with the whole path, whatever the scope is now: copies and derivatives of a node belong where the node was built. */
  scopeAt<T>(path: string, build: () => T): T {
    const before = this.scopes.splice(0, this.scopes.length, ...(path === "" ? [] : [path]));
    try {
      return build();
    } finally {
      this.scopes.splice(0, this.scopes.length, ...before);
    }
  }

  /** Runs `build` with all nodes made in this body, even those that the graph around it has too: what a sweep of the body shall see. */
  isolate(build: () => void): void {
    this.isolated = true;
    try {
      build();
    } finally {
      this.isolated = false;
    }
  }

  /** Declares an input that every run must feed. */
  input(name: string, shape: Shape, dtype: DType = this.floatType): Value {
    if (this.inputs.some((input) => input.name === name)) throw new ShapeError(`input(): "${name}" exists already`);
    const value = this.register({ name, dtype, shape });
    this.inputs.push(value);
    return value;
  }

  /** Declares a result of the graph under a name. */
  output(name: string, value: Value): void {
    if (this.outputs.some((output) => output.name === name)) throw new ShapeError(`output(): "${name}" exists already`);
    this.outputs.push({ name, value });
  }

  /** A constant tensor; equal ones share one value. */
  constant(tensor: Tensor): Value {
    const key = `const ${tensor.dtype}[${tensor.shape}] ${tensor.data.length <= 64 ? tensor.data.join() : this.counter.next}`;
    const found = this.lookUp(key);
    if (found) return found[0]!;
    const value = this.register({ name: this.freshName("const"), dtype: tensor.dtype, shape: tensor.shape });
    this.constants.push({ value, tensor });
    this.known.set(key, [value]);
    return value;
  }

  /** Numbers of a constant of this graph or the graphs around it; undefined for any other value. */
  constantData(value: Value): readonly number[] | undefined {
    const found = this.constants.find((constant) => constant.value.name === value.name);
    return found ? Array.from(found.tensor.data, Number) : this.parent?.constantData(value);
  }

  /** A float scalar of the graph's float type, or of the type of `like`. */
  scalar(x: number, like?: Value): Value {
    return this.constant(tensorOf(like?.dtype ?? this.floatType, [], [x]));
  }

  /** A 1-D int64 constant. */
  ints(values: readonly number[]): Value {
    return this.constant(tensorOf("int64", [values.length], values));
  }

  /** Adds a node; returns its outputs. The same operator on the same inputs is created once, but for those with a body or a gradient of their own. */
  node(
    op: string,
    inputs: readonly (Value | null)[],
    outputs: readonly OutputSpec[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain: Node["domain"] = "",
  ): readonly Value[] {
    const isUnique = Object.values(attributes).some((attribute) => "body" in attribute || "gradient" in attribute);
    const specs = outputs.map(({ dtype, shape }) => `${dtype}[${shape}]`).join(); // a symbol may be named anew: [T*2] or [N]
    const key = `${domain}${op}(${inputs.map((input) => input?.name ?? "").join()})${specs}${JSON.stringify(isUnique ? this.counter.next : attributes)}`;
    const found = this.lookUp(key);
    if (found) return found;
    const name = this.freshName(op);
    const values = outputs.map((spec, i) =>
      this.register({ name: outputs.length === 1 ? name : `${name}:${i}`, dtype: spec.dtype, shape: spec.shape }),
    );
    this.nodes.push({ name, op, domain, inputs, outputs: values, attributes, scope: this.scopes.join("/") });
    this.known.set(key, values);
    return values;
  }

  /** `node` with one output. */
  single(
    op: string,
    inputs: readonly (Value | null)[],
    spec: OutputSpec,
    attributes: Readonly<Record<string, Attribute>> = {},
    domain: Node["domain"] = "",
  ): Value {
    return this.node(op, inputs, [spec], attributes, domain)[0]!;
  }

  /** One more result of a node that is there already: a backward rule asks its body for what it has to remember. */
  appendOutput(node: Node, spec: OutputSpec, attributes: Readonly<Record<string, Attribute>> = {}): Value {
    const at = this.nodes.findIndex(({ name }) => name === node.name);
    const present = this.nodes[at];
    if (!present) throw new ShapeError(`internal: appendOutput(): ${node.name} is not in this graph`);
    const { dtype, shape } = spec;
    const value = this.register({ name: `${present.name}:${present.outputs.length}`, dtype, shape });
    this.nodes[at] = {
      ...present,
      outputs: [...present.outputs, value],
      attributes: { ...present.attributes, ...attributes },
    };
    return value;
  }

  /** A size as a 1-element int64 value: a constant when known, else read from the first value that has the symbol in its shape. */
  dim(dim: Dim): Value {
    if (typeof dim === "number") return this.ints([dim]);
    const source = this.findDim(dim);
    if (!source) throw new ShapeError(`dim(): no value of this graph has the size "${dim}"`);
    const attributes = { start: { int: source.axis }, end: { int: source.axis + 1 } };
    return this.single("Shape", [source.value], { dtype: "int64", shape: [1] }, attributes);
  }

  /** Whether a size can be computed while the graph runs. */
  hasDim(dim: Dim): boolean {
    return typeof dim === "number" || this.findDim(dim) !== undefined;
  }

  private findDim(dim: string): { value: Value; axis: number } | undefined {
    return this.dimSources.get(dim) ?? this.parent?.findDim(dim);
  }

  private lookUp(key: string): readonly Value[] | undefined {
    return this.known.get(key) ?? (this.isolated ? undefined : this.parent?.lookUp(key));
  }

  private register(value: Value): Value {
    value.shape.forEach((dim, axis) => {
      if (typeof dim === "string" && !this.findDim(dim)) this.dimSources.set(dim, { value, axis });
    });
    return value;
  }

  /** A name prefix that no other node of this graph or its bodies has. */
  uniqueId(): string {
    return this.freshName("body");
  }

  private freshName(op: string): string {
    const scope = this.scopes.length > 0 ? `${this.scopes.join("/")}/` : "";
    return `${scope}${op}_${this.counter.next++}`;
  }
}
