import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openSafetensors } from "../../src/policy/safetensors.ts";
import { writeSafetensors } from "../../src/policy/safetensors-write.ts";
import { DataError } from "../../src/utils/errors.ts";
import { lcg, temporaryFolder } from "./fixtures.ts";

const sample = [
  { name: "b", dtype: "F32", shape: [2, 3], data: Float32Array.of(1, -2.5, 3, 4e-40, 5, 6) },
  { name: "a", dtype: "BF16", shape: [3], data: Float32Array.of(1, 1.00390625, -3) },
  { name: "c", dtype: "F16", shape: [2], data: () => Float32Array.of(0.333251953125, -65504) },
  { name: "d", dtype: "F64", shape: [2], data: Float64Array.of(Math.PI, -1e300) },
  { name: "empty", dtype: "F32", shape: [0, 4], data: new Float32Array(0) },
  { name: "scalar", dtype: "F32", shape: [], data: Float32Array.of(7) },
] as const;

/** A file from a header object and a data section; `claim` overrides the header length. */
function forge(path: string, header: unknown, data: number, claim?: bigint): string {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claim ?? BigInt(json.length));
  writeFileSync(path, Buffer.concat([length, json, Buffer.alloc(data)]));
  return path;
}

test("safetensors: what is written is read back, each type with its own rounding", (t) => {
  const path = join(temporaryFolder(t), "x.safetensors");
  writeSafetensors(path, sample, { format: "pt", step: "3" });
  const file = openSafetensors(path);
  t.after(() => file.close());
  assert.deepEqual(file.metadata, { format: "pt", step: "3" });
  assert.deepEqual(file.tensors.get("b")!.shape, [2, 3]);
  assert.deepEqual(file.read("b"), sample[0].data);
  assert.deepEqual([...file.read("a")], [1, 1, -3]); // 1 + 2^-8 is halfway and goes to even
  assert.deepEqual([...file.read("c")], [0.333251953125, -65504]);
  assert.deepEqual(file.readFloat64("d"), sample[3].data);
  assert.deepEqual([...file.read("d")], [Math.fround(Math.PI), Number.NEGATIVE_INFINITY]);
  assert.equal(file.read("empty").length, 0);
  assert.deepEqual([...file.read("scalar")], [7]);
  const once = file.read("b");
  assert.equal(once.buffer.byteLength, 24);
  assert.notEqual(once.buffer, file.read("b").buffer);
  assert.throws(() => file.read("nope"), /x\.safetensors: has no tensor nope/);
});

test("safetensors: the bytes do not depend on the order given, data begin aligned, no temporary file stays", (t) => {
  const folder = temporaryFolder(t);
  writeSafetensors(join(folder, "1"), sample, { z: "1", a: "2" });
  writeSafetensors(join(folder, "2"), [...sample].reverse(), { a: "2", z: "1" });
  const [one, two] = [readFileSync(join(folder, "1")), readFileSync(join(folder, "2"))];
  assert.ok(one.equals(two));
  assert.equal((8 + Number(one.readBigUInt64LE(0))) % 8, 0);
  assert.deepEqual(readdirSync(folder), ["1", "2"]);
});

test("safetensors: a write that fails leaves the old file whole and nothing beside it", (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "x");
  writeSafetensors(path, sample);
  const before = readFileSync(path);
  const bad = { name: "f", dtype: "F16", shape: [1], data: Float32Array.of(70000) } as const;
  assert.throws(() => writeSafetensors(path, [bad]), /tensor f: value 70000 does not fit float16: write BF16 or F32/);
  assert.throws(() => writeSafetensors(path, [{ ...bad, shape: [2] }]), /needs 2 values, got 1/);
  assert.throws(() => writeSafetensors(path, [sample[0], sample[0]]), /occurs twice/);
  assert.ok(readFileSync(path).equals(before));
  assert.deepEqual(readdirSync(folder), ["x"]);
});

test("safetensors: every malformed header is refused with file, tensor and offset", (t) => {
  const path = join(temporaryFolder(t), "bad");
  const tensor = (from: number, to: number, shape: unknown = [1], dtype = "F32") => ({
    dtype,
    shape,
    data_offsets: [from, to],
  });
  const cases: [unknown, number, RegExp, bigint?][] = [
    [{}, 0, /a header of 18446744073709551615 bytes is claimed|header of 1844\d+ bytes/, 2n ** 64n - 1n],
    [{}, 0, /at offset 0: a header of 99999999 bytes is claimed, the file has 10/, 99999999n],
    ["not json at all", 0, /header \(offset 8\) is not JSON/],
    ["[1, 2]", 0, /not a JSON object/],
    [{ __metadata__: { a: 1 } }, 0, /__metadata__/],
    [{ w: { dtype: "F32" } }, 4, /header \(offset 8\) is malformed\n.*[\s\S]*w/],
    [{ w: tensor(0, 4, [-1]) }, 4, /malformed/],
    [{ w: tensor(0, 4, [1.5]) }, 4, /malformed/],
    [{ w: tensor(0, 4, [1], "F3") }, 4, /tensor w at offset \d+: unknown type F3/],
    [{ w: tensor(0, 4, [1], "toString") }, 4, /unknown type toString/],
    [{ w: tensor(0, 8) }, 8, /tensor w at offset \d+: F32 of shape \[1\] needs 4 bytes, the header gives 8/],
    [
      { w: tensor(0, 4 * 2 ** 40, [2 ** 40]) },
      8,
      /tensor w claims bytes \d+ to \d+, but data lie from offset \d+ to \d+: the file is cut off/,
    ],
    [{ w: tensor(0, 4, [2 ** 30, 2 ** 30]) }, 4, /impossibly large/],
    [{ w: tensor(4, 0) }, 4, /needs 4 bytes, the header gives -4/],
    [{ w: tensor(0, 4), v: tensor(0, 4) }, 4, /tensor [vw] at offset \d+ overlaps tensor [vw], which ends at/],
    [{ w: tensor(4, 8) }, 8, /bytes \d+ to \d+ before tensor w belong to no tensor/],
    [{ w: tensor(0, 4) }, 5, /the tensors end at offset \d+, the file at \d+/],
  ];
  for (const [header, data, message, claim] of cases)
    assert.throws(
      () => openSafetensors(forge(path, header, data, claim)),
      (error) => error instanceof DataError && error.message.startsWith(path) && message.test(error.message),
      `${JSON.stringify(header)} ${message}`,
    );
  assert.throws(() => openSafetensors(`${path}-missing`), DataError);
  assert.throws(() => openSafetensors(join(path, "..")), /is not a regular file/);
});

test("safetensors: a tensor of integers is named with its type and offset", (t) => {
  const path = forge(join(temporaryFolder(t), "int"), { w: { dtype: "I64", shape: [1], data_offsets: [0, 8] } }, 8);
  const file = openSafetensors(path);
  t.after(() => file.close());
  assert.throws(() => file.read("w"), /tensor w at offset \d+ has type I64; F32, F16, BF16 and F64 can be read/);
});

test("safetensors: cut off at 200 places or with flipped bytes, the file is read or refused by a DataError, never worse", (t) => {
  const path = join(temporaryFolder(t), "fuzz");
  writeSafetensors(path, sample, { format: "pt" });
  const whole = readFileSync(path);
  const random = lcg(42);
  for (let i = 0; i < 200; i++) {
    writeFileSync(path, whole.subarray(0, random(whole.length)));
    assert.throws(() => openSafetensors(path), DataError);
  }
  let read = 0;
  for (let i = 0; i < 1000; i++) {
    const bytes = Buffer.from(whole);
    for (let flips = 1 + random(3); flips > 0; flips--) bytes[random(bytes.length)]! ^= 1 + random(255);
    writeFileSync(path, bytes);
    try {
      const file = openSafetensors(path);
      for (const name of file.tensors.keys()) file.read(name);
      file.close();
      read++;
    } catch (error) {
      assert.ok(error instanceof DataError, String(error));
    }
  }
  assert.ok(read > 10 && read < 990, `${read} of 1000 were read`);
});
