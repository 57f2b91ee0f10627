import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openGguf } from "../../src/policy/gguf.ts";
import { ggufConfig, splitHalves } from "../../src/policy/gguf-model.ts";
import { openModel } from "../../src/policy/model-files.ts";
import { openSafetensors } from "../../src/policy/safetensors.ts";
import { DataError } from "../../src/utils/errors.ts";
import { f16Table, toF16 } from "../../src/utils/f16.ts";
import { sha256 } from "../../src/utils/hash.ts";
import { lcg, ownData, reference, smollm2, temporaryFolder } from "./fixtures.ts";
import { f32Tensor, ggufBytes, type Meta, writeGguf } from "./gguf-writer.ts";

const values = Float32Array.of(1, 2, 3, 4, 5, 6);
const metadata: Record<string, Meta> = {
  "general.architecture": { text: "llama" },
  number: { u32: 7 },
  negative: { i32: -7 },
  real: { f32: 0.5 },
  large: { u64: 2n ** 60n },
  yes: { bool: true },
  words: { list: [{ text: "a" }, { text: "ü" }] },
  nested: { list: [{ list: [{ u32: 1 }] }, { list: [{ u32: 2 }, { u32: 3 }] }] },
};
const q8 = new Uint8Array(34).map((_, i) => (i === 1 ? 0x3c : i)); // scale 1
const tensors = [f32Tensor("w", [2, 3], values), { name: "q", type: 8, shape: [1, 32], data: q8 }];

test("gguf: metadata and tensors of versions 2 and 3 are read", (t) => {
  const path = join(temporaryFolder(t), "x.gguf");
  for (const version of [2, 3]) {
    const file = openGguf(writeGguf(path, metadata, tensors, version));
    assert.deepEqual(Object.fromEntries(file.metadata), {
      ...{ "general.architecture": "llama", number: 7, negative: -7, real: 0.5, large: 2n ** 60n, yes: true },
      ...{ words: ["a", "ü"], nested: [[1], [2, 3]] },
    });
    assert.deepEqual(file.tensors.get("w")!.shape, [2, 3]);
    assert.deepEqual(file.read("w"), values);
    assert.equal(file.read("w").buffer.byteLength, 24);
    assert.deepEqual([...file.read("q")].slice(0, 3), [2, 3, 4]);
    file.close();
  }
});

test("gguf: every malformed file is refused with its path, the place and the tensor", (t) => {
  const path = join(temporaryFolder(t), "bad.gguf");
  const good = ggufBytes(metadata, tensors);
  const patched = (offset: number, value: bigint): Buffer => {
    const bytes = Buffer.from(good);
    bytes.writeBigUInt64LE(value, offset);
    return bytes;
  };
  const one = (change: object) => ggufBytes({}, [{ ...tensors[0]!, ...change }]);
  const cases: [Buffer, RegExp][] = [
    [Buffer.from("GG"), /the file ends within the magic number, which needs 4 bytes/],
    [Buffer.from("PK\x03\x04 and more bytes than a few"), /at offset 0: not a GGUF file/],
    [ggufBytes({}, [], 1), /at offset 4: GGUF version 1 cannot be read/],
    [ggufBytes({}, [], 0x03000000), /version 50331648/],
    [patched(8, 2n ** 62n), /the number of tensors is impossibly large/],
    [patched(8, 10n ** 6n), /the number of tensors is 1000000, but \d+ bytes are left/],
    [patched(16, 10n ** 5n), /the number of metadata entries is 100000/],
    [patched(24, 2n ** 40n), /the length of key 0 of the metadata is 1099511627776/],
    [ggufBytes({ a: { u32: 1 } }, []).subarray(0, 40), /the file ends within metadata a/],
    [ggufBytes({ "general.alignment": { u32: 24 } }, tensors), /general.alignment must be a power of two, got 24/],
    [one({ type: 99 }), /tensor w \(described at offset 24\) has type number 99, which cannot be read; readable: F32/],
    [one({ type: 8 }), /tensor w .*rows of 3 values cannot be made of Q8_0 blocks of 32/],
    [one({ offset: 8n }), /tensor w .*data offset 8 is not a multiple of 32/],
    [one({ offset: 1n << 40n }), /tensor w claims bytes \d+ to \d+, but data lie from offset 96 to 128/],
    [one({ shape: [2 ** 30, 2 ** 30] }), /tensor w .*impossibly large/],
    [one({ shape: [2 ** 20, 2 ** 20] }), /tensor w claims bytes/],
    [one({ shape: [1, 1, 1, 1, 6] }), /tensor w has 5 dimensions/],
    [ggufBytes({}, [tensors[0]!, tensors[0]!]), /tensor w .* occurs twice/],
    [ggufBytes({}, [tensors[0]!, { ...tensors[1]!, offset: 0n }]), /tensor [wq] at offset \d+ overlaps tensor [wq]/],
    [good.subarray(0, good.length - 64), /tensor q claims bytes/],
  ];
  for (const [bytes, message] of cases) {
    writeFileSync(path, bytes);
    assert.throws(
      () => openGguf(path),
      (error) => error instanceof DataError && error.message.startsWith(path) && message.test(error.message),
      String(message),
    );
  }
});

test("gguf: cut off at 200 places or with flipped bytes, the file is read or refused by a DataError, never worse", (t) => {
  const path = join(temporaryFolder(t), "fuzz.gguf");
  const whole = ggufBytes(metadata, tensors);
  const random = lcg(43);
  const end = whole.length - 30; // the last tensor's bytes end 30 bytes before, the rest is padding
  for (let i = 0; i < 200; i++) {
    writeFileSync(path, whole.subarray(0, random(end)));
    assert.throws(() => openGguf(path), DataError);
  }
  let read = 0;
  for (let i = 0; i < 1500; i++) {
    const bytes = Buffer.from(whole);
    for (let flips = 1 + random(3); flips > 0; flips--) bytes[random(bytes.length)]! ^= 1 + random(255);
    writeFileSync(path, bytes);
    try {
      const file = openGguf(path);
      for (const name of file.tensors.keys()) file.read(name);
      try {
        ggufConfig(file);
      } finally {
        file.close();
      }
      read++;
    } catch (error) {
      assert.ok(error instanceof DataError, String(error));
      if (/metadata llama|token_embd|not supported/.test(error.message)) read++;
    }
  }
  assert.ok(read > 50 && read < 1450, `${read} of 1500 were read`);
});

test("gguf: rows of interleaved rotary pairs come back as split halves", () => {
  // 2 heads of 4 rows, 1 column; GGUF order is 0, 2, 1, 3 in each head
  assert.deepEqual([...splitHalves(Float32Array.of(0, 2, 1, 3, 10, 12, 11, 13), 2, 4)], [0, 1, 2, 3, 10, 11, 12, 13]);
});

for (const name of ["llama-untied", "qwen2-tied", "qwen3-untied", "qwen3-tied"]) {
  test(`gguf: ${name} written by the Python gguf package has the configuration and weights of the folder`, (t) => {
    const model = openModel(reference(`${name}.f16.gguf`), { tokenizer: "optional" });
    t.after(() => model.close());
    const folder = openModel(reference(name), { tokenizer: "optional" });
    t.after(() => folder.close());
    assert.equal(model.format, "gguf");
    assert.equal(model.tokenizer, null);
    assert.deepEqual({ ...model.config, normEps: 0 }, { ...folder.config, normEps: 0 });
    assert.equal(model.config.normEps, Math.fround(folder.config.normEps));
    assert.deepEqual(model.names().sort(), folder.names().sort());
    for (const tensor of folder.names()) {
      const exact = folder.read(tensor);
      const isMatrix = folder.shape(tensor).length === 2;
      const expected = isMatrix ? exact.map((value) => f16Table()[toF16(value)]!) : exact;
      assert.deepEqual(model.read(tensor), expected, tensor);
    }
  });
}

test("gguf: the real SmolLM2 file has the float32 bits of the reference", (t) => {
  const path = smollm2(t);
  if (path === null) return;
  const { model, weights } = JSON.parse(readFileSync(ownData("smollm2/reference.json"), "utf8"));
  const opened = openModel(path);
  t.after(() => opened.close());
  assert.equal(opened.hash(), model.sha256);
  assert.equal(opened.config.normEps, model.architecture.rmsNormEps);
  assert.equal(opened.names().length, 272);
  const names = Object.keys(weights);
  assert.equal(names.length, 29);
  for (const name of names) {
    assert.deepEqual(opened.shape(name), weights[name].shape, name);
    assert.equal(sha256(opened.read(name)), weights[name].sha256, name);
  }
});

test("reference: the tiny models' files have the weights that the numbers were made from", (t) => {
  for (const name of ["llama-untied", "qwen2-tied", "qwen3-untied", "qwen3-tied"]) {
    const { weights } = JSON.parse(readFileSync(reference(`${name}.json`), "utf8"));
    const file = openSafetensors(join(reference(name), "model.safetensors"));
    t.after(() => file.close());
    assert.deepEqual(Object.keys(weights).sort(), [...file.tensors.keys()].sort());
    for (const tensor of Object.keys(weights)) assert.equal(sha256(file.read(tensor)), weights[tensor].sha256, tensor);
  }
});
