import assert from "node:assert/strict";
import { test } from "node:test";
import { Graph, grad, print, tensorOf } from "../../src/graph/index.ts";

const dedent = (text: string): string =>
  text
    .replace(/^\n/, "")
    .replace(/\n\s*$/, "")
    .replace(/^ {4}/gm, "");

test("print: a linear layer with softmax cross-entropy, forward and backward", () => {
  const g = new Graph();
  const x = g.input("x", [2, 3]);
  const w = g.input("w", [4, 3]);
  const target = g.input("target", [2], "int64");
  const logp = g.logSoftmax(g.gemm(x, w, { transB: true }));
  const loss = g.neg(g.reduceSum(g.gatherLast(logp, target)));
  g.output("loss", loss);
  g.output("dw", grad(g, loss, [w])[0]!);
  assert.equal(
    print(g),
    dedent(`
    (x: float32[2, 3], w: float32[4, 3], target: int64[2]) {
      %0: float32[2, 4] = Gemm(x, w) {transA=0, transB=1, alpha=1}
      %1: float32[2, 4] = LogSoftmax(%0) {axis=-1}
      %2: int64[2, 1] = Unsqueeze(target, [1])
      %3: float32[2, 1] = GatherElements(%1, %2) {axis=1}
      %4: float32[2] = Squeeze(%3, [1])
      %5: float32[] = ReduceSum(%4, [0]) {keepdims=0}
      %6: float32[] = Neg(%5)
      %7: float32[] = Neg(1)
      %8: float32[1] = Unsqueeze(%7, [0])
      %9: float32[2] = Expand(%8, [2])
      %10: float32[2, 1] = Reshape(%9, [2, 1])
      %11: float32[2, 4] = Expand([0], [2, 4])
      %12: float32[2, 4] = ScatterElements(%11, %2, %10) {axis=1, reduction="add"}
      %13: float32[2, 4] = Exp(%1)
      %14: float32[2, 1] = ReduceSum(%12, [1]) {keepdims=1}
      %15: float32[2, 4] = Mul(%13, %14)
      %16: float32[2, 4] = Sub(%12, %15)
      %17: float32[4, 3] = Gemm(%16, x) {transA=1, transB=0, alpha=1}
      return loss=%6, dw=%17
    }`),
  );
});

test("print: a Scan and its backward Scan, which the forward one hands the states at entry", () => {
  const g = new Graph();
  const s = g.input("s", [2]);
  const x = g.input("x", ["T", 2]);
  const w = g.input("w", [2]);
  const scanned = g.scan([s], [x], (body, [h], [row]) => ({ states: [body.mul(body.add(h!, row!), w)], outputs: [] }));
  const loss = g.reduceSum(scanned.states[0]!);
  const [ds, dw] = grad(g, loss, [s, w]);
  g.output("ds", ds!);
  g.output("dw", dw!);
  assert.equal(
    print(g),
    dedent(`
    (s: float32[2], x: float32[T, 2], w: float32[2]) {
      %0: float32[2], %1: float32[T, 2] = Scan(s, x) {num_scan_inputs=1}
        body:
        (%2: float32[2], %3: float32[2]) {
          %4: float32[2] = Add(%2, %3)
          %5: float32[2] = Mul(%4, w)
          return %5, %2
        }
      %6: float32[1] = Unsqueeze(1, [0])
      %7: float32[2] = Expand(%6, [2])
      %8: float32[2] = Expand([0], [2])
      %9: float32[2], %10: float32[2] = Scan(%7, %8, x, %1) {num_scan_inputs=2, scan_input_directions=[1, 1]}
        body:
        (%11: float32[2], %12: float32[2], %13: float32[2], %14: float32[2]) {
          %15: float32[2] = Add(%14, %13)
          %16: float32[2] = Mul(%11, w)
          %17: float32[2] = Mul(%11, %15)
          %18: float32[2] = Add(%12, %17)
          return %16, %18
        }
      return ds=%9, dw=%10
    }`),
  );
});

test("print: a state whose derivative does not need it is not remembered", () => {
  const g = new Graph();
  const x = g.input("x", ["T", 2]);
  const scanned = g.scan([g.full([2], 0)], [x], (body, [sum], [row]) => ({
    states: [body.add(sum!, row!)],
    outputs: [],
  }));
  g.output("dx", grad(g, g.reduceSum(scanned.states[0]!), [x])[0]!);
  assert.doesNotMatch(print(g), /Add/); // the whole forward pass is dead
  assert.equal(print(g).match(/Scan/g)?.length, 1);
});

test("print: long constants are counted, absent inputs are underscores", () => {
  const g = new Graph();
  const x = g.input("x", [9]);
  const table = g.constant(tensorOf("float32", [9], [1, 2, 3, 4, 5, 6, 7, 8, 9]));
  g.output("y", g.single("Clip", [g.mul(x, table), null, g.scalar(0.5)], x));
  assert.equal(
    print(g),
    dedent(`
    (x: float32[9]) {
      %0: float32[9] = Mul(x, [… 9 numbers])
      %1: float32[9] = Clip(%0, _, 0.5)
      return y=%1
    }`),
  );
});
