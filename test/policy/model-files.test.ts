import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openModel } from "../../src/policy/model-files.ts";
import { saveModelFolder } from "../../src/policy/model-save.ts";
import { writeSafetensors } from "../../src/policy/safetensors-write.ts";
import { seedlingTokenizerFiles } from "../../src/policy/seedling-tokenizer.ts";
import { DataError } from "../../src/utils/errors.ts";
import { toBf16 } from "../../src/utils/f16.ts";
import { sha256 } from "../../src/utils/hash.ts";
import { lcg, reference, smollm2, temporaryFolder } from "./fixtures.ts";

/** A copy of a tiny reference model that a test may spoil, with seedling's tokenizer (28 ids in a vocabulary of 64). */
function copy(t: TestContext, name = "qwen2-tied", withTokenizer = true): string {
  const folder = join(temporaryFolder(t), name);
  cpSync(reference(name), folder, { recursive: true });
  if (withTokenizer) {
    writeFileSync(join(folder, "tokenizer.json"), seedlingTokenizerFiles().tokenizerJson);
    writeFileSync(join(folder, "tokenizer_config.json"), seedlingTokenizerFiles().tokenizerConfigJson);
  }
  return folder;
}

function editJson(path: string, change: (json: Record<string, unknown>) => object): void {
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, "utf8")))));
}

function refuses(path: string, message: RegExp): void {
  assert.throws(
    () => openModel(path).close(),
    (error) => error instanceof DataError && message.test(error.message),
    String(message),
  );
}

/** Splits a folder's weights into two shards with an index. */
function shard(folder: string): void {
  const model = openModel(folder);
  const map: Record<string, string> = {};
  const halves: [string[], string[]] = [[], []];
  for (const [i, name] of model.names().entries()) halves[i % 2]!.push(name);
  halves.forEach((names, i) => {
    const file = `model-0000${i + 1}-of-00002.safetensors`;
    writeSafetensors(
      join(folder, file),
      names.map((name) => ({ name, dtype: "F32", shape: model.shape(name), data: model.read(name) })),
    );
    for (const name of names) map[name] = file;
  });
  model.close();
  rmSync(join(folder, "model.safetensors"));
  writeFileSync(
    join(folder, "model.safetensors.index.json"),
    JSON.stringify({ metadata: { total_size: 1 }, weight_map: map }),
  );
}

test("openModel: a folder gives configuration, tokenizer, weights in fresh buffers, and its hash", (t) => {
  const folder = copy(t);
  const model = openModel(folder);
  t.after(() => model.close());
  assert.deepEqual([model.name, model.path, model.format], ["qwen2-tied", folder, "safetensors"]);
  assert.equal(model.hash(), sha256(readFileSync(join(folder, "model.safetensors"))));
  assert.equal(model.names().length, 26);
  assert.deepEqual(model.shape("model.layers.1.self_attn.k_proj.bias"), [16]);
  const bias = model.read("model.layers.1.self_attn.k_proj.bias");
  assert.equal(bias.buffer.byteLength, 64);
  assert.deepEqual([model.config.bosId, model.config.eosIds, model.config.padId], [1, [2], 0]);
  assert.equal(model.tokenizer.encode("1+2=3").length, 5);
  assert.deepEqual(model.tokenizerFiles(), seedlingTokenizerFiles());
  model.close();
  assert.throws(() => model.read("model.norm.weight"), /after the file was closed/);
  model.close();
});

test("openModel: a folder without tokenizer is opened only when asked for", (t) => {
  refuses(reference("qwen2-tied"), /has no tokenizer: tokenizer.json is missing/);
  const model = openModel(reference("qwen2-tied"), { tokenizer: "optional" });
  t.after(() => model.close());
  assert.equal(model.tokenizer, null);
  assert.equal(model.tokenizerFiles(), null);
});

test("openModel: shards are read through their index, and a broken index is refused", (t) => {
  const folder = copy(t);
  const whole = openModel(reference("qwen2-tied"), { tokenizer: "optional" });
  t.after(() => whole.close());
  shard(folder);
  const model = openModel(folder);
  assert.deepEqual(model.names().sort(), whole.names().sort());
  for (const name of whole.names()) assert.deepEqual(model.read(name), whole.read(name));
  model.close();
  const index = join(folder, "model.safetensors.index.json");
  const saved = readFileSync(index);
  const edit = (change: (map: Record<string, string>) => object) => {
    writeFileSync(index, saved);
    editJson(index, (json) => ({ weight_map: change(json.weight_map as Record<string, string>) }));
  };
  edit((map) => ({ ...map, "model.norm.weight": "../x.safetensors" }));
  refuses(folder, /shard "..\/x.safetensors" is not a file name in this folder/);
  edit((map) => ({ ...map, "model.norm.weight": "model-00003-of-00003.safetensors" }));
  refuses(folder, /missing shards: model-00003-of-00003.safetensors/);
  edit((map) => ({ ...map, other: "model-00001-of-00002.safetensors" }));
  refuses(folder, /tensor other is not in model-00001/);
  edit(() => ({ a: 3 }));
  refuses(folder, /index.json: is malformed/);
});

test("openModel: a missing model says where it was looked for and what to do", (t) => {
  const folder = temporaryFolder(t);
  refuses(
    join(folder, "none"),
    /model ".*none" was not found: looked for .*none\. Give a folder with config.json, a \.gguf file, or fetch/,
  );
  refuses("no-such-model", /looked for .*models\/no-such-model, .*\/no-such-model/);
  refuses(folder, /has neither config.json nor a .gguf file/);
  writeFileSync(join(folder, "a.gguf"), "");
  refuses(folder, /a\.gguf.* the file ends within the magic number/);
  writeFileSync(join(folder, "b.gguf"), "");
  refuses(folder, /several GGUF files \(a.gguf, b.gguf\): name one of them/);
});

test("openModel: folders without weights, pickled weights and unreadable configurations are refused by name", (t) => {
  const folder = copy(t);
  rmSync(join(folder, "model.safetensors"));
  refuses(folder, /has neither model.safetensors nor model.safetensors.index.json$/);
  writeFileSync(join(folder, "pytorch_model.bin"), "");
  refuses(folder, /pytorch_model.bin is not read: save the model as safetensors/);
  writeFileSync(join(folder, "config.json"), "{");
  refuses(folder, /config.json: cannot be read as JSON/);
  writeFileSync(join(folder, "config.json"), '{"architectures": ["MambaForCausalLM"]}');
  refuses(folder, /architecture MambaForCausalLM is not supported; supported: LlamaForCausalLM/);
});

test("openModel: tensors that do not fit the configuration are listed together", (t) => {
  const folder = copy(t);
  editJson(join(folder, "config.json"), (json) => ({
    ...json,
    num_hidden_layers: 3,
    intermediate_size: 41,
    tie_word_embeddings: false,
  }));
  refuses(
    folder,
    /missing \(13\): model.layers.2.*, lm_head.weight; wrong shape \(6\): model.layers.0.mlp.* is \[40,32\], expected \[41,32\]/,
  );
});

test("openModel: a tokenizer that does not match the weights is refused", (t) => {
  const folder = copy(t);
  const path = join(folder, "tokenizer.json");
  const add = (id: number) =>
    editJson(path, (json) => ({ ...json, added_tokens: [{ id, content: "<x>", special: true }] }));
  add(64);
  refuses(folder, /the tokenizer does not match the weights: it has ids up to 64, the embedding has 64 rows/);
  add(63);
  openModel(folder).close();
  editJson(join(folder, "config.json"), (json) => ({ ...json, eos_token_id: 64 }));
  refuses(folder, /eos token id 64 is outside the vocabulary of 64 ids/);
});

test("openModel: a tied model may repeat its embedding as the head, but not have another one", (t) => {
  const folder = copy(t, "qwen3-tied");
  const model = openModel(folder);
  const tensors = model
    .names()
    .map((name) => ({ name, dtype: "F32" as const, shape: model.shape(name), data: model.read(name) }));
  model.close();
  const head = { ...tensors.find(({ name }) => name.includes("embed"))!, name: "lm_head.weight" };
  writeSafetensors(join(folder, "model.safetensors"), [...tensors, head]);
  const again = openModel(folder);
  assert.ok(!again.names().includes("lm_head.weight"));
  again.close();
  writeSafetensors(join(folder, "model.safetensors"), [
    ...tensors,
    { ...head, data: head.data.map((value) => -value) },
  ]);
  refuses(folder, /ties the head to the embedding, but lm_head.weight differs/);
});

test("openModel: symbolic links are followed, and chat_template.jinja wins", (t) => {
  const folder = copy(t);
  const link = join(temporaryFolder(t), "link");
  symlinkSync(folder, link);
  writeFileSync(join(folder, "chat_template.jinja"), "{% for m in messages %}{{ m.content }}{% endfor %}");
  const model = openModel(link);
  t.after(() => model.close());
  assert.equal(model.name, "link");
  assert.equal(model.tokenizer.renderChat([{ role: "user", content: "1+1" }], { addGenerationPrompt: true }), "1+1");
  assert.match(model.tokenizerFiles()!.tokenizerConfigJson, /chat_template/);
});

for (const dtype of ["F32", "BF16", "F16"] as const) {
  test(`saveModelFolder: a model saved in ${dtype} opens again, twice with the same bytes`, (t) => {
    const out = temporaryFolder(t);
    const model = openModel(copy(t, "qwen3-untied"));
    t.after(() => model.close());
    const tensors = model.names().map((name) => ({ name, data: () => model.read(name) }));
    for (const folder of ["a", "b"])
      saveModelFolder(join(out, folder), {
        config: model.config,
        tensors,
        dtype,
        tokenizerFiles: model.tokenizerFiles(),
      });
    const saved = openModel(join(out, "a"));
    t.after(() => saved.close());
    assert.deepEqual(saved.config, model.config);
    assert.equal(saved.hash(), sha256(readFileSync(join(out, "b", "model.safetensors"))));
    for (const name of model.names()) {
      const [before, after] = [model.read(name), saved.read(name)];
      if (dtype === "F32") assert.deepEqual(after, before);
      if (dtype === "BF16") assert.deepEqual(Array.from(after, toBf16), Array.from(before, toBf16));
      const bound = dtype === "BF16" ? 2 ** -8 : 2 ** -11;
      assert.ok(
        after.every((value, i) => Math.abs(value - before[i]!) <= bound * Math.abs(before[i]!) + 2 ** -25),
        name,
      );
    }
  });
}

test("saveModelFolder: missing and doubled tensors are refused before anything is written", (t) => {
  const folder = join(temporaryFolder(t), "out");
  const model = openModel(reference("qwen2-tied"), { tokenizer: "optional" });
  t.after(() => model.close());
  const tensors = model.names().map((name) => ({ name, data: () => model.read(name) }));
  const save = (list: typeof tensors) => () =>
    saveModelFolder(folder, { config: model.config, tensors: list, dtype: "F32", tokenizerFiles: null });
  assert.throws(save(tensors.slice(1)), /missing \(1\): model.embed_tokens.weight/);
  assert.throws(save([...tensors, tensors[3]!]), /is given twice/);
  mkdirSync(folder);
  assert.throws(() => openModel(folder), DataError);
});

test("saveModelFolder: the real GGUF becomes a folder with the same weights, ids and template", (t) => {
  const path = smollm2(t);
  if (path === null) return;
  const out = temporaryFolder(t);
  const model = openModel(path);
  t.after(() => model.close());
  const tensors = model.names().map((name) => ({ name, data: () => model.read(name) }));
  saveModelFolder(out, { config: model.config, tensors, dtype: "F32", tokenizerFiles: model.tokenizerFiles() });
  const saved = openModel(out);
  t.after(() => saved.close());
  assert.deepEqual(saved.config, model.config);
  for (const name of ["model.embed_tokens.weight", "model.layers.29.self_attn.q_proj.weight"])
    assert.equal(sha256(saved.read(name)), sha256(model.read(name)));
  const ask = [{ role: "user", content: "12 + 30?" }] as const;
  const options = { addGenerationPrompt: true };
  assert.deepEqual(saved.tokenizer.encodeChat(ask, options), model.tokenizer.encodeChat(ask, options));
});

test("openModel: a folder or GGUF with flipped bytes or cut off is opened or refused by a DataError, never worse", (t) => {
  const folder = copy(t);
  const gguf = join(folder, "copy.gguf");
  cpSync(reference("llama-untied.f16.gguf"), gguf);
  const random = lcg(45);
  const files = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors", "copy.gguf"];
  let refused = 0;
  for (let i = 0; i < 500; i++) {
    const file = join(folder, files[i % files.length]!);
    const whole = readFileSync(file);
    const bytes = i % 3 === 0 ? whole.subarray(0, random(whole.length)) : Buffer.from(whole);
    if (i % 3 > 0) bytes[random(Math.min(whole.length, 3000))]! ^= 1 + random(255);
    writeFileSync(file, bytes);
    try {
      openModel(file === gguf ? gguf : folder, { tokenizer: "optional" }).close();
    } catch (error) {
      refused++;
      assert.ok(error instanceof DataError, `${file}: ${error instanceof Error ? error.stack : error}`);
    }
    writeFileSync(file, whole);
  }
  assert.ok(refused > 200 && refused < 490, `${refused} of 500 were refused`);
});
