import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { BLOCK_TYPES } from "../../src/policy/quantized.ts";
import { reference } from "./fixtures.ts";

const { types } = JSON.parse(readFileSync(reference("quantized.json"), "utf8")) as {
  types: Record<string, { data: string; float32: string }>;
};

test("quantized: the fixture covers every readable type but F32", () => {
  const names = [...BLOCK_TYPES.values()].map(({ name }) => name).filter((name) => name !== "F32");
  assert.deepEqual(Object.keys(types).sort(), names.sort());
});

for (const type of BLOCK_TYPES.values()) {
  const made = types[type.name];
  if (made === undefined) continue;
  test(`quantized: ${type.name} has the bits that the Python gguf package computes`, () => {
    const data = Buffer.from(made.data, "base64");
    const expected = Buffer.from(made.float32, "base64");
    assert.ok(data.length >= 64 && data.length % type.bytes === 0);
    const out = new Float32Array((data.length / type.bytes) * type.values);
    type.dequantize(data, out);
    const bits = new Uint32Array(out.buffer);
    for (let i = 0; i < out.length; i++) {
      const word = expected.readUInt32LE(4 * i);
      if (Number.isNaN(expected.readFloatLE(4 * i))) assert.ok(Number.isNaN(out[i]!));
      else assert.equal(bits[i], word, `value ${i}`);
    }
    assert.equal(4 * out.length, expected.length);
  });
}
