import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalJson, sha256 } from "../../src/utils/hash.ts";

test("canonicalJson: keys are sorted at every depth, lists keep their order", () => {
  assert.equal(
    canonicalJson({ b: [{ d: 1, c: null }, 2], a: { z: "x", Z: true } }),
    '{"a":{"Z":true,"z":"x"},"b":[{"c":null,"d":1},2]}',
  );
  assert.equal(canonicalJson(null), "null");
});

test("canonicalJson: means the same as plain JSON, whatever the order of keys", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const plain = JSON.parse(JSON.stringify(value)) as unknown;
      assert.deepEqual(JSON.parse(canonicalJson(plain)), plain);
    }),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.integer(), { noNullPrototype: true }), (record) => {
      const reversed = Object.fromEntries(Object.entries(record).reverse());
      assert.equal(canonicalJson(reversed), canonicalJson(record));
    }),
  );
});

test("sha256: the value of FIPS 180-2 for abc, in parts and as bytes", () => {
  const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  assert.equal(sha256("abc"), abc);
  assert.equal(sha256("a", new TextEncoder().encode("bc")), abc);
});
