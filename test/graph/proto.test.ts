import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { Graph, tensorOf, toOnnx } from "../../src/graph/index.ts";
import { AttributeProto_AttributeType as Kind, ModelProtoSchema } from "../../src/graph/onnx_pb.ts";

function example(): Graph {
  const g = new Graph();
  const x = g.input("x", ["T", 2]);
  const table = g.constant(tensorOf("float32", [2, 2], [1, 2, 3, 4]));
  const y = g.scope("layer", () => g.matMul(x, table, { alpha: 0.5 }));
  const scanned = g.scan([g.ints([7])], [g.transpose(y, [1, 0])], (body, [count], [row]) => ({
    states: [body.add(count!, 1)],
    outputs: [body.stopGradient(body.sin(row!))],
  }));
  g.output("count", scanned.states[0]!);
  g.output("y", scanned.outputs[0]!);
  return g;
}

test("toOnnx: the bytes read back as the graph", () => {
  const model = fromBinary(ModelProtoSchema, toOnnx(example()));
  assert.equal(model.producerName, "rlvr");
  assert.deepEqual(
    model.opsetImport.map(({ domain, version }) => [domain, version]),
    [
      ["", 21n],
      ["com.microsoft", 1n],
    ],
  );
  const graph = model.graph!;
  assert.deepEqual(
    graph.node.map(({ opType, domain, name }) => [opType, domain, name]),
    [
      ["FusedMatMul", "com.microsoft", "layer/FusedMatMul_1"],
      ["Transpose", "", "Transpose_3"],
      ["Scan", "", graph.node[2]!.name],
      ["Identity", "", "output/count"],
      ["Identity", "", "output/y"],
    ],
  );
  const [product, transposition, scan] = graph.node;
  const attribute = (node: typeof scan, name: string) => node!.attribute.find((one) => one.name === name)!;
  assert.deepEqual([attribute(product, "alpha").type, attribute(product, "alpha").f], [Kind.FLOAT, 0.5]);
  assert.deepEqual([attribute(product, "transA").type, attribute(product, "transA").i], [Kind.INT, 0n]);
  assert.deepEqual(attribute(transposition, "perm").ints, [1n, 0n]);
  assert.equal(attribute(scan, "body").type, Kind.GRAPH);
  assert.deepEqual(
    attribute(scan, "body").g!.node.map(({ opType }) => opType),
    ["Add", "Sin", "Identity", "Identity"], // the last two give the outputs their names; the gradient stop is gone
  );
});

test("toOnnx: constants, inputs and outputs carry types and sizes", () => {
  const graph = fromBinary(ModelProtoSchema, toOnnx(example())).graph!;
  const [table, seven] = graph.initializer;
  assert.deepEqual([table!.dataType, table!.dims], [1, [2n, 2n]]);
  assert.deepEqual([...new Float32Array(table!.rawData.slice().buffer)], [1, 2, 3, 4]);
  assert.deepEqual([seven!.dataType, [...new BigInt64Array(seven!.rawData.slice().buffer)]], [7, [7n]]);
  const typeOf = (info: (typeof graph.input)[number]) => {
    const { case: kind, value } = info.type!.value;
    assert.ok(kind === "tensorType");
    return [info.name, value.elemType, ...value.shape!.dim.map((dim) => dim.value.value)];
  };
  assert.deepEqual(graph.input.map(typeOf), [["x", 1, "T", 2n]]);
  assert.deepEqual(graph.output.map(typeOf), [
    ["count", 7, 1n],
    ["y", 1, 2n, "T"],
  ]);
});

test("toOnnx: the same graph gives the same bytes, and reading and writing changes none", () => {
  const bytes = toOnnx(example());
  assert.deepEqual(toOnnx(example()), bytes);
  assert.deepEqual(toBinary(ModelProtoSchema, fromBinary(ModelProtoSchema, bytes)), bytes);
});
