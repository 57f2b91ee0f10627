import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { seedlingTokenizerFiles } from "../../src/policy/seedling-tokenizer.ts";
import { ownData, reference, smollm2, temporaryFolder } from "../policy/fixtures.ts";
import { cli, startCli } from "./run-cli.ts";

const numbers = reference("qwen3-tied.json");

/** A copy of a tiny model with seedling's tokenizer, for a test to spoil. */
function copy(t: TestContext, name = "qwen3-tied"): string {
  const folder = join(temporaryFolder(t), name);
  cpSync(reference(name), folder, { recursive: true });
  writeFileSync(join(folder, "tokenizer.json"), seedlingTokenizerFiles().tokenizerJson);
  writeFileSync(join(folder, "tokenizer_config.json"), seedlingTokenizerFiles().tokenizerConfigJson);
  return folder;
}

function editJson(path: string, change: (json: Record<string, unknown>) => object): void {
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, "utf8")))));
}

/** Replaces the JSON header of a safetensors file; the data stay. */
function editHeader(
  path: string,
  change: (header: Record<string, { shape: number[]; data_offsets: number[] }>) => void,
) {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
  change(header);
  const text = Buffer.from(JSON.stringify(header));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([start, text, bytes.subarray(8 + length)]));
}

/** Exit code 2, nothing on stdout, the message, no stack trace; `convert` leaves nothing behind. */
async function refuses(t: TestContext, model: string, message: RegExp, commands = ["inspect", "convert", "verify"]) {
  const out = join(temporaryFolder(t), "out");
  const rest: Record<string, string[]> = { inspect: [], convert: ["-o", out], verify: [numbers] };
  await Promise.all(
    commands.map(async (command) => {
      const { code, signal, stdout, stderr } = await cli("models", command, model, ...rest[command]!);
      assert.deepEqual([code, signal, stdout], [2, null, ""], `${command}: ${stderr}`);
      assert.match(stderr, message, command);
      assert.match(stderr, /^rlvr: /);
      assert.doesNotMatch(stderr, /\n\s+at |bug of rlvr/);
    }),
  );
  assert.equal(existsSync(out), false);
}

test("rlvr models: a missing model says where it was looked for", async (t) => {
  await refuses(
    t,
    "no-such-model",
    /model "no-such-model" was not found: looked for .*models\/no-such-model, .*Give a fold/,
  );
  await refuses(t, temporaryFolder(t), /has neither config.json nor a .gguf file/, ["inspect"]);
});

test("rlvr models: an unsupported architecture is named with the supported list", async (t) => {
  const folder = copy(t);
  editJson(join(folder, "config.json"), (json) => ({ ...json, architectures: ["GPTNeoXForCausalLM"] }));
  await refuses(
    t,
    folder,
    /config\.json: architecture GPTNeoXForCausalLM is not supported; supported: LlamaForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM/,
    ["convert", "verify"],
  );
  const gguf = join(folder, "other.gguf");
  const bytes = readFileSync(reference("qwen3-tied.f16.gguf"));
  const at = bytes.indexOf("qwen3");
  bytes.write("mamba", at);
  writeFileSync(gguf, bytes);
  await refuses(t, gguf, /architecture "mamba" is not supported; supported: llama, qwen2, qwen3/, ["verify"]);
});

test("rlvr models: a cut off or corrupt safetensors file is refused with tensor and offset", async (t) => {
  const folder = copy(t);
  const file = join(folder, "model.safetensors");
  const whole = readFileSync(file);
  truncateSync(file, whole.length - 100);
  await refuses(
    t,
    folder,
    /model\.safetensors: tensor model\.\S+ claims bytes \d+ to \d+, but data lie from offset \d+ to \d+: the file is cut off/,
    ["inspect", "verify"],
  );
  writeFileSync(file, whole.subarray(0, 5));
  await refuses(t, folder, /model\.safetensors: the file ends at offset 5 within the header length/, ["inspect"]);
  const forgedLength = Buffer.from(whole);
  forgedLength.writeBigUInt64LE(2n ** 62n);
  writeFileSync(file, forgedLength);
  await refuses(t, folder, /at offset 0: a header of 46116860184273\d+ bytes is claimed, the file has \d+/, [
    "convert",
  ]);
  writeFileSync(file, whole);
  const size = 2 ** 46;
  editHeader(file, (header) => {
    const norm = header["model.norm.weight"]!;
    norm.shape = [size / 4];
    norm.data_offsets = [norm.data_offsets[0]!, norm.data_offsets[0]! + size];
  });
  await refuses(t, folder, /tensor model\.norm\.weight claims bytes \d+ to \d{14}, but data lie/, [
    "inspect",
    "verify",
  ]);
});

test("rlvr models: a cut off or corrupt GGUF file is refused with tensor and offset", async (t) => {
  const path = join(temporaryFolder(t), "model.gguf");
  const whole = readFileSync(reference("qwen3-tied.f16.gguf"));
  writeFileSync(path, whole.subarray(0, whole.length - 200));
  await refuses(t, path, /model\.gguf: tensor \S+ claims bytes \d+ to \d+, but data lie from offset \d+ to \d+/, [
    "inspect",
    "convert",
  ]);
  writeFileSync(path, whole.subarray(0, 100));
  await refuses(t, path, /model\.gguf: .*offset \d+/, ["inspect"]);
  const forged = Buffer.from(whole);
  forged.writeBigUInt64LE(2n ** 61n, 8); // number of tensors
  writeFileSync(path, forged);
  await refuses(t, path, /model\.gguf: at offset \d+: .*number of tensors/, ["convert"]);
  const name = Buffer.from("output_norm.weight");
  const dimensions = whole.indexOf(name) + name.length;
  whole.writeBigUInt64LE(2n ** 50n, dimensions + 4); // its only size
  writeFileSync(path, whole);
  await refuses(t, path, /model\.gguf: tensor output_norm\.weight claims bytes \d+ to \d{16}/, ["verify"]);
});

test("rlvr models: a tokenizer that does not match the weights is refused", async (t) => {
  const folder = copy(t);
  editJson(join(folder, "tokenizer.json"), (json) => ({
    ...json,
    added_tokens: [{ id: 64, content: "<x>", special: true }],
  }));
  await refuses(t, folder, /the tokenizer does not match the weights: it has ids up to 64, the embedding has 64 rows/, [
    "convert",
    "verify",
  ]);
  writeFileSync(join(folder, "tokenizer.json"), '{"model": {}}');
  await refuses(t, folder, /tokenizer\.json is malformed/, ["inspect"]);
});

test("rlvr models list: models of the current folder too, with the reason where one cannot be used", async (t) => {
  const cwd = temporaryFolder(t);
  mkdirSync(join(cwd, "models", "broken"), { recursive: true });
  cpSync(copy(t), join(cwd, "models", "good"), { recursive: true });
  writeFileSync(join(cwd, "models", "broken", "config.json"), '{"architectures": ["MambaForCausalLM"]}');
  writeFileSync(join(cwd, "models", "cut.gguf"), "GGUF");
  const { code, stdout } = await startCli(["models", "list", "--json"], { cwd }).ended;
  assert.equal(code, 0);
  const entries: { name: string; family: string; problem: string | null }[] = JSON.parse(stdout);
  const find = (name: string) => entries.find((entry) => entry.name === name)!;
  assert.deepEqual([find("good").family, find("good").problem], ["qwen3", null]);
  assert.match(find("broken").problem!, /architecture MambaForCausalLM is not supported/);
  assert.match(find("cut.gguf").problem!, /at offset 4: the file ends within the version/);
  assert.equal(find("seedling").family, "llama");
  const text = await startCli(["models", "list"], { cwd }).ended;
  assert.match(text.stdout, /^name +family +parameters +size +path$/m);
  assert.match(text.stdout, /^broken .*cannot be used: .*MambaForCausalLM/m);
});

test("rlvr models convert: another format that says the same, with its tokenizer; never over other files", async (t) => {
  const folder = copy(t);
  const out = temporaryFolder(t);
  const one = join(out, "one");
  const done = await cli("models", "convert", folder, "--dtype", "f32", "-o", one);
  assert.deepEqual([done.code, done.stdout], [0, `${one}\n`], done.stderr);
  for (const name of ["tokenizer.json", "tokenizer_config.json"])
    assert.equal(readFileSync(join(one, name), "utf8"), readFileSync(join(folder, name), "utf8"));
  const verified = await cli("models", "verify", one, numbers, "--json");
  assert.equal(verified.code, 0, verified.stderr);
  const { rounding, passed, checks } = JSON.parse(verified.stdout);
  assert.deepEqual([rounding, passed, checks[0].kind, checks[0].largest], ["float32", true, "weightHashes", 0]);

  const half = join(out, "half");
  assert.equal(
    (await cli("models", "convert", reference("qwen3-tied.f16.gguf"), "--dtype", "f16", "-o", half)).code,
    0,
  );
  assert.deepEqual(readdirSync(half).sort(), ["config.json", "model.safetensors"]); // that GGUF has no tokenizer
  assert.ok(statSync(join(half, "model.safetensors")).size < 0.6 * statSync(join(one, "model.safetensors")).size);

  const before = readFileSync(join(one, "config.json"), "utf8");
  const again = await cli("models", "convert", folder, "-o", one);
  assert.deepEqual([again.code, again.stderr], [2, `rlvr: ${one}: is not empty; choose another folder with --out\n`]);
  assert.equal(readFileSync(join(one, "config.json"), "utf8"), before);
  assert.equal((await cli("models", "convert", folder, "--dtype", "q4", "-o", join(out, "x"))).code, 2);
});

test("rlvr models verify: a table and exit code 0 within bounds, 1 beyond, 2 for a bad file", async (t) => {
  const model = reference("qwen3-tied");
  const good = await cli("models", "verify", model, numbers);
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /^compared +cases +largest +allowed +where$/m);
  assert.match(good.stdout, /^weight hashes +24 +0 differ +0 differ +ok$/m);
  assert.match(good.stdout, /^log-probs, whole sequence +72 +\S+e-[6-9] nats +1\.0e-4 +ok +prompt/m);
  assert.match(good.stdout, /^gradient norms +25 +\S+ relative +1\.0e-3 +ok/m);
  assert.match(good.stdout, /\nall within bounds\n$/);

  const file = join(temporaryFolder(t), "wrong.json");
  cpSync(numbers, file);
  editJson(file, (json) => {
    const weights = json.weights as Record<string, { sha256: string }>;
    weights["model.norm.weight"]!.sha256 = "0".repeat(64);
    return json;
  });
  const bad = await cli("models", "verify", model, file);
  assert.equal(bad.code, 1);
  assert.match(bad.stdout, /^weight hashes +24 +1 differ +0 differ +TOO LARGE +model\.norm\.weight$/m);
  assert.match(bad.stdout, /^model\.norm\.weight: sha256 [0-9a-f]{64}, expected 0{64}$/m);
  assert.match(bad.stdout, /\n1 kind beyond its bound\n$/);
  const half = await cli("models", "verify", reference("qwen3-tied.f16.gguf"), numbers);
  assert.equal(half.code, 0);
  assert.match(half.stdout, /weights are the reference's rounded to float16: bounds of rounding apply/);

  writeFileSync(file, '{"prompts": [{"greedyIds": [1]}]}');
  const malformed = await cli("models", "verify", model, file);
  assert.deepEqual([malformed.code, malformed.stdout], [2, ""]);
  assert.match(malformed.stderr, /^rlvr: .*wrong\.json: malformed reference file: prompt 0: needs "promptIds"/);
  const missing = await cli("models", "verify", model, join(file, "none.json"));
  assert.deepEqual([missing.code, missing.stdout], [2, ""]);
  assert.equal((await cli("models", "verify", model)).code, 2);
});

test("rlvr models: the real GGUF as a bfloat16 folder keeps texts, and its numbers within rounding", async (t) => {
  const path = smollm2(t);
  if (path === null) return;
  const out = join(temporaryFolder(t), "bf16");
  assert.equal((await cli("models", "convert", path, "--dtype", "bf16", "-o", out)).code, 0);
  const short = join(temporaryFolder(t), "short.json");
  cpSync(ownData("smollm2/reference.json"), short);
  editJson(short, ({ weights, prompts }) => ({ weights, prompts: (prompts as { id: string }[]).slice(0, 2) }));
  const { code, stdout, stderr } = await cli(
    ...["models", "verify", out, short, ownData("smollm2/tokenizer-conformance.json"), "--json"],
  );
  assert.equal(code, 0, stderr);
  const { rounding, checks } = JSON.parse(stdout);
  assert.equal(rounding, "bfloat16");
  for (const { kind, largest } of checks)
    if (["tokenIds", "decodedText", "chatTemplates"].includes(kind)) assert.equal(largest, 0, kind);
});
