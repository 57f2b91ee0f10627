import assert from "node:assert/strict";
import { test } from "node:test";
import { dimAdd, dimMul, expectShape } from "../../src/graph/index.ts";
import { broadcast, dimProduct, normalizeAxis } from "../../src/graph/shape.ts";
import { tensor, tensorOf } from "../../src/graph/tensor.ts";

test("dimMul: numbers multiply, symbols keep one spelling whatever the order", () => {
  assert.equal(dimMul(3, 4), 12);
  assert.equal(dimMul("T", 3), "3*T");
  assert.equal(dimMul(dimMul("T", 3), dimMul(2, "B")), "6*B*T");
  assert.equal(dimMul(1, "T"), "T");
  assert.equal(dimMul(0, "T"), 0);
  assert.equal(dimProduct(["B", "T", 1]), dimProduct(["T", 1, "B"]));
  assert.equal(dimProduct([]), 1);
});

test("dimMul, dimAdd: a sum is one factor", () => {
  assert.equal(dimAdd("P", "C"), "P+C");
  assert.equal(dimAdd(0, "C"), "C");
  assert.equal(dimAdd(2, 3), 5);
  assert.equal(dimProduct([1, "P+C"]), "P+C");
  assert.equal(dimMul(2, "P+C"), "2*(P+C)");
  assert.equal(dimMul(dimMul(2, "P+C"), "B"), "2*(P+C)*B");
  assert.equal(dimMul("count(a*b+c)", 2), "2*count(a*b+c)");
});

test("broadcast: right-aligned, a symbol fits itself and 1", () => {
  assert.deepEqual(broadcast(["B", 1, 3], ["T", 1], "f()"), ["B", "T", 3]);
  assert.throws(() => broadcast(["B"], [2], "f()"), {
    message: "f(): shapes [B] and [2] do not broadcast: B against 2",
  });
});

test("expectShape: a letter stands for the same size wherever it occurs", () => {
  const value = { name: "x", dtype: "float32" as const, shape: [2, "T", 2] };
  expectShape(value, ["N", "T", "N"], "f(x)");
  assert.throws(() => expectShape(value, ["N", "N", 2], "f(x)"), {
    message: "f(x): expected [N,N,2], got float32[2, T, 2]",
  });
  assert.throws(() => expectShape(value, ["N", "T"], "f(x)"), /expected \[N,T\]/);
});

test("normalizeAxis: counts from the end when negative", () => {
  assert.equal(normalizeAxis(-1, 3, "f()"), 2);
  assert.throws(() => normalizeAxis(-4, 3, "f()"), { message: "f(): axis -4 is outside rank 3" });
});

test("tensor: data must fill the shape", () => {
  assert.throws(() => tensor("float32", [2, 3], new Float32Array(5)), {
    message: "tensor(): shape [2,3] needs 6 elements, got 5",
  });
  assert.deepEqual(tensorOf("int64", [2], [1, -2]).data, BigInt64Array.of(1n, -2n));
  assert.deepEqual(tensorOf("bool", [2], [0, 1]).data, Uint8Array.of(0, 1));
});
