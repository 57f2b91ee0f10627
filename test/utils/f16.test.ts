import assert from "node:assert/strict";
import { test } from "node:test";
import { getFloat16, setFloat16 } from "@petamoriken/float16";
import { bf16ToF32, f16Table, f16ToF32, toBf16, toF16 } from "../../src/utils/f16.ts";

const view = new DataView(new ArrayBuffer(4));

test("f16: all 65,536 patterns widen as an independent library widens them, and come back", () => {
  for (let bits = 0; bits < 65536; bits++) {
    view.setUint16(0, bits);
    const expected = getFloat16(view, 0);
    assert.ok(Object.is(f16Table()[bits], expected), `pattern ${bits}`);
    if (!Number.isNaN(expected)) assert.equal(toF16(expected), bits);
  }
});

test("f16: narrowing rounds to nearest even, as an independent library does for float32 values", () => {
  let state = 12345;
  const check = (value: number) => {
    setFloat16(view, 0, value);
    assert.equal(toF16(value), view.getUint16(0), String(value));
  };
  for (let i = 0; i < 200_000; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    view.setUint32(0, state);
    const value = view.getFloat32(0);
    if (!Number.isNaN(value)) check(value);
    check(Math.fround((state / 2 ** 32 - 0.5) * 2 ** ((state % 40) - 24)));
  }
  for (const value of [0, -0, 65504, 65519.99609375, 65520, 65536, 2 ** -25, 3 * 2 ** -25, 2 ** -24, 2 ** -14])
    check(value);
  assert.equal(toF16(Number.NaN) & 0x7c00, 0x7c00);
  assert.notEqual(toF16(Number.NaN) & 0x3ff, 0);
});

test("f16: whole arrays widen element by element", () => {
  const out = new Float32Array(3);
  f16ToF32(Uint16Array.of(0x3c00, 0xc000, 0x0001), out);
  assert.deepEqual([...out], [1, -2, 2 ** -24]);
});

test("bf16: narrowing rounds to nearest, ties to even", () => {
  assert.equal(toBf16(1), 0x3f80);
  assert.equal(toBf16(1 + 2 ** -8), 0x3f80); // tie, even below
  assert.equal(toBf16(1 + 3 * 2 ** -8), 0x3f82); // tie, even above
  assert.equal(toBf16(1 + 2 ** -8 + 2 ** -20), 0x3f81);
  assert.equal(toBf16(-0), 0x8000);
  assert.equal(toBf16(3.4028234663852886e38), 0x7f80); // largest float32 is beyond the largest bfloat16's half step
  assert.equal(toBf16(Number.NEGATIVE_INFINITY), 0xff80);
  const nan = toBf16(Number.NaN);
  assert.ok((nan & 0x7f80) === 0x7f80 && (nan & 0x7f) !== 0);
});

test("bf16: every pattern that is a number comes back", () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const out = new Float32Array(65536);
  bf16ToF32(bits, out);
  for (let i = 0; i < 65536; i++) if (!Number.isNaN(out[i]!)) assert.equal(toBf16(out[i]!), i);
});
