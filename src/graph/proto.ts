import { create, toBinary } from "@bufbuild/protobuf";
import type { GraphCore } from "./builder.ts";
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  ValueInfoProtoSchema,
} from "./onnx_pb.ts";
import { ONNX_TYPE } from "./ops/elementwise.ts";
import { resolveAlias, simplify } from "./simplify.ts";
import type { Attribute, Constant, Dim, Node, Value } from "./types.ts";

const IR_VERSION = 9n;
const OPSET = 21n;

/** The graph as the bytes of an ONNX model. */
export function toOnnx(graph: GraphCore): Uint8Array {
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: "rlvr",
    opsetImport: [
      { domain: "", version: OPSET },
      { domain: "com.microsoft", version: 1n },
    ],
    graph: graphProto(graph, "main", new Map()),
  });
  return toBinary(ModelProtoSchema, model);
}

function graphProto(graph: GraphCore, name: string, outer: ReadonlyMap<string, Value>): GraphProto {
  const program = simplify(graph);
  const aliases = new Map([...outer, ...program.aliases]);
  const nameOf = (value: Value): string => resolveAlias(aliases, value).name;
  const results = graph.outputs.map(({ name: output, value }) =>
    create(NodeProtoSchema, { opType: "Identity", name: `output/${output}`, input: [nameOf(value)], output: [output] }),
  );
  return create(GraphProtoSchema, {
    name,
    node: [...program.nodes.map((node) => nodeProto(node, nameOf, aliases)), ...results],
    initializer: program.constants.map(tensorProto),
    input: graph.inputs.map((value) => valueInfo(value.name, value)),
    output: graph.outputs.map(({ name: output, value }) => valueInfo(output, value)),
  });
}

function nodeProto(node: Node, nameOf: (value: Value) => string, aliases: ReadonlyMap<string, Value>): NodeProto {
  return create(NodeProtoSchema, {
    opType: node.op,
    domain: node.domain,
    name: node.name,
    input: node.inputs.map((input) => (input ? nameOf(input) : "")),
    output: node.outputs.map((output) => output.name),
    attribute: Object.entries(node.attributes)
      .filter(([name]) => name !== "stop")
      .map(([name, attribute]) => attributeProto(name, attribute, aliases)),
  });
}

function attributeProto(name: string, attribute: Attribute, aliases: ReadonlyMap<string, Value>): AttributeProto {
  const type = AttributeProto_AttributeType;
  if ("int" in attribute) return create(AttributeProtoSchema, { name, type: type.INT, i: BigInt(attribute.int) });
  if ("float" in attribute) return create(AttributeProtoSchema, { name, type: type.FLOAT, f: attribute.float });
  if ("ints" in attribute) {
    return create(AttributeProtoSchema, { name, type: type.INTS, ints: attribute.ints.map((x) => BigInt(x)) });
  }
  if ("string" in attribute) {
    return create(AttributeProtoSchema, { name, type: type.STRING, s: new TextEncoder().encode(attribute.string) });
  }
  if ("gradient" in attribute) throw new Error(`internal: ${name} has no place in an ONNX model`);
  return create(AttributeProtoSchema, { name, type: type.GRAPH, g: graphProto(attribute.body, name, aliases) });
}

function tensorProto({ value, tensor }: Constant) {
  const { buffer, byteOffset, byteLength } = tensor.data;
  return create(TensorProtoSchema, {
    name: value.name,
    dataType: ONNX_TYPE[tensor.dtype],
    dims: tensor.shape.map((size) => BigInt(size)),
    rawData: new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength),
  });
}

function valueInfo(name: string, value: Value) {
  const dim = value.shape.map((size) => create(TensorShapeProto_DimensionSchema, { value: dimValue(size) }));
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: ONNX_TYPE[value.dtype], shape: { dim } } } },
  });
}

function dimValue(size: Dim) {
  return typeof size === "number"
    ? { case: "dimValue" as const, value: BigInt(size) }
    : { case: "dimParam" as const, value: size };
}
