import assert from "node:assert/strict";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findModel, type HubSettings, openLearner, openModel } from "../../src/policy/index.ts";
import { openSafetensors } from "../../src/policy/safetensors.ts";
import { writeSafetensors } from "../../src/policy/safetensors-write.ts";
import { seedlingTokenizerFiles } from "../../src/policy/seedling-tokenizer.ts";
import { listModels } from "../../src/run/models.ts";
import { type ModelPullRequest, type PulledModel, pullModel } from "../../src/run/pull-model.ts";
import { ConfigError, DataError } from "../../src/utils/errors.ts";
import { startCli } from "../cli/run-cli.ts";
import { reference } from "../policy/fixtures.ts";
import { startFakeHub } from "../support/fake-hub.ts";

const folder = mkdtempSync(join(tmpdir(), "rlvr-pull-"));
const read = (name: string): Uint8Array => readFileSync(reference(name));
const { tokenizerJson, tokenizerConfigJson } = seedlingTokenizerFiles();
const tokenizer = { "tokenizer.json": tokenizerJson, "tokenizer_config.json": tokenizerConfigJson };
const config = { "config.json": read("llama-untied/config.json") };
const weights = read("llama-untied/model.safetensors");

/** The weights in two files with an index, as large models come. */
function shards(): Record<string, Uint8Array | string> {
  const file = openSafetensors(join(reference("llama-untied"), "model.safetensors"));
  const names = [...file.tensors.keys()];
  const parts = [names.slice(0, 8), names.slice(8)].map((part, i) => {
    const path = join(folder, `model-0000${i + 1}-of-00002.safetensors`);
    writeSafetensors(
      path,
      part.map((name) => ({ name, dtype: "F32", shape: file.tensors.get(name)!.shape, data: file.read(name) })),
    );
    return { name: path.split("/").at(-1)!, part, bytes: readFileSync(path) };
  });
  file.close();
  const map = parts.flatMap(({ name, part }) => part.map((tensor) => [tensor, name] as const));
  return {
    "model.safetensors.index.json": JSON.stringify({ metadata: {}, weight_map: Object.fromEntries(map) }),
    ...Object.fromEntries(parts.map(({ name, bytes }) => [name, bytes])),
  };
}

/** Of llama-untied: embedding and head 2·64·32, two layers of 6,144 + 3,840 + 64, the last norm. */
const PARAMETERS = 24_224;
const adapterConfig = JSON.parse(readFileSync(reference("peft-adapter/adapter_config.json"), "utf8")) as object;
const adapterWeights = { "adapter_model.safetensors": read("peft-adapter/adapter_model.safetensors") };
const withBase = (change: object): string => JSON.stringify({ ...adapterConfig, ...change });
const hub = await startFakeHub({
  "models/org/bare": { files: { ...config, "model.safetensors": weights } },
  "models/org/sharded": {
    files: { ...config, ...tokenizer, ...shards(), "README.md": "a model", "pytorch_model.bin": new Uint8Array(5000) },
  },
  "models/org/mamba": {
    files: { "config.json": '{"architectures": ["MambaForCausalLM"]}', "model.safetensors": weights },
  },
  "models/org/scaled": {
    files: {
      "config.json": JSON.stringify({
        ...JSON.parse(Buffer.from(config["config.json"]).toString()),
        rope_scaling: { rope_type: "yarn", factor: 4 },
      }),
      "model.safetensors": weights,
    },
  },
  "models/org/pickled": { files: { ...config, "pytorch_model.bin": new Uint8Array(5000) } },
  "models/org/torn": {
    files: { ...config, "model.safetensors.index.json": '{"weight_map": {"x": "model-2.safetensors"}}' },
  },
  "models/org/quants": {
    files: { "a.Q8_0.gguf": read("llama-untied.f16.gguf"), "a.Q4_K.gguf": new Uint8Array(2000), "README.md": "" },
  },
  "models/org/thin-GGUF": {
    files: {
      "config.json": '{"model_type": "llama"}',
      "thin.Q8_0.gguf": read("llama-untied.f16.gguf"),
      "thin.Q4_K.gguf": "",
    },
  },
  "models/org/private": { files: { ...config, "model.safetensors": weights }, token: "right" },
  "models/org/gated": { files: { ...config, "model.safetensors": weights }, token: "right", gated: true },
  "models/org/adapter": {
    files: { "adapter_config.json": withBase({ base_model_name_or_path: "org/sharded" }), ...adapterWeights },
  },
  "models/org/dora": { files: { "adapter_config.json": withBase({ use_dora: true }), ...adapterWeights } },
});
const cache = join(folder, "hub");
Object.assign(process.env, { HF_HUB_CACHE: cache, HF_HOME: join(folder, "home") });
after(async () => {
  await hub.close();
  rmSync(folder, { recursive: true });
});

function pull(request: ModelPullRequest | string, change: Partial<HubSettings> = {}): Promise<PulledModel> {
  const settings = { endpoint: hub.endpoint, token: null, cache, offline: false, retryDelayMs: 1, timeoutMs: 5000 };
  return pullModel(typeof request === "string" ? { name: request } : request, { ...settings, ...change });
}

/** Files whose content was asked for since the last call. */
function asked(): string[] {
  const paths = hub.seen.splice(0).map(({ path }) => decodeURIComponent(path));
  return [...new Set(paths.flatMap((path) => path.match(/resolve\/[0-9a-f]{40}\/(.+)$/)?.[1] ?? []))].sort();
}

const blobs = (name: string): string[] => readdirSync(join(cache, `models--org--${name}`, "blobs"));

test("pullModel: brings what a model needs, shards by their index, and recipes find it by its name", async () => {
  assert.throws(
    () => findModel("org/sharded"),
    /models--org--sharded \(main\)\. .*: npx rlvr models pull org\/sharded$/,
  );
  const { name, model, problem, files } = await pull("org/sharded");
  assert.deepEqual([name, problem, model!.family, model!.parameters], ["org/sharded", null, "llama", PARAMETERS]);
  assert.deepEqual(asked(), [
    ...["config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
    ...["model.safetensors.index.json", "tokenizer.json", "tokenizer_config.json"],
  ]);
  assert.ok(files.every(({ bytes, fetched }) => fetched === bytes));
  const opened = openModel("org/sharded");
  const original = openSafetensors(join(reference("llama-untied"), "model.safetensors"));
  assert.equal(opened.name, "org/sharded");
  for (const tensor of opened.names()) assert.deepEqual(opened.read(tensor), original.read(tensor));
  assert.equal(openModel(`org/sharded@${hub.commit}`, { tokenizer: "optional" }).path, opened.path);
  assert.throws(() => openModel("org/sharded@v2"), /npx rlvr models pull org\/sharded --revision v2$/);
  for (const revision of [".", "..", "main/.."])
    assert.throws(() => findModel(`org/sharded@${revision}`), /^DataError: model "org\/sharded@.*was not found/);
  original.close();
  opened.close();
  assert.deepEqual(
    (await pull("org/sharded")).files.map(({ fetched }) => fetched),
    [0, 0, 0, 0, 0, 0],
  );
  const learner = await openLearner({ model: "org/sharded", adapter: { kind: "none" }, seed: 0, threads: 1 });
  assert.equal(learner.config.vocab, 64);
  await learner.close();
  const listed = listModels().find((entry) => entry.name === "org/sharded")!;
  assert.deepEqual([listed.family, listed.parameters, listed.problem], ["llama", PARAMETERS, null]);
});

test("pullModel: a download that is cut goes on later where it stopped; a wrong checksum is refused", async () => {
  hub.faults.cutAfter = [30_000, ...Array<number>(12).fill(0)];
  await assert.rejects(
    pull("org/bare"),
    /^HubError: org\/bare\/model\.safetensors: the connection was cut at \d+ of \d+ bytes .*; the same command goes on from there$/,
  );
  hub.faults.cutAfter = [];
  assert.throws(() => findModel("org/bare"), /was not found/, "what is not whole has no name");
  hub.seen.length = 0;
  assert.equal((await pull("org/bare")).model!.parameters, PARAMETERS);
  const starts = hub.seen.flatMap(({ path, range }) => (path.includes("safetensors") && range ? [range] : []));
  assert.match(starts[0]!, /^bytes=[1-9]\d*-$/);

  const large = blobs("bare").find(
    (name) => name.length === 64 && existsSync(join(cache, "models--org--bare/blobs", name)),
  )!;
  const kept = readFileSync(join(cache, "models--org--bare/blobs", large));
  rmSync(join(cache, "models--org--bare/blobs", large));
  hub.faults.forge = true;
  await assert.rejects(
    pull("org/bare"),
    /^HubError: .*: wrong checksum: the hub names sha256 [0-9a-f]{64}, what came has/,
  );
  hub.faults.forge = false;
  assert.ok(!blobs("bare").includes(large));
  await pull("org/bare");
  assert.deepEqual(readFileSync(join(cache, "models--org--bare/blobs", large)), kept);
});

test("pullModel: what cannot be run is refused before its weights are fetched", async () => {
  const refuses = async (name: string, Kind: typeof ConfigError | typeof DataError, message: RegExp): Promise<void> => {
    hub.seen.length = 0;
    await assert.rejects(pull(name), (error: Error) => {
      assert.ok(error instanceof Kind, String(error));
      assert.match(error.message, message);
      return true;
    });
    assert.ok(
      asked().every((path) => path.endsWith(".json")),
      "no weights",
    );
  };
  await refuses(
    "org/mamba",
    DataError,
    /^org\/mamba\/config\.json: architecture MambaForCausalLM is not supported; supported: LlamaForCausalLM, /,
  );
  await refuses(
    "org/scaled",
    DataError,
    /^org\/scaled\/config\.json: not supported for Llama.*rope_scaling of type "yarn"/,
  );
  await refuses(
    "org/pickled",
    ConfigError,
    /^org\/pickled: has no weights that can be read: .*\(pytorch_model\.bin is not read: look for the model as safetensors\)$/,
  );
  await refuses(
    "org/torn",
    DataError,
    /^org\/torn: its model\.safetensors\.index\.json names shards that it lacks: model-2/,
  );
  await refuses("org/dora", DataError, /^org\/dora\/adapter_config\.json: not supported: use_dora true/);
  await refuses("org/quants", ConfigError, /choose one of its GGUF files with --file: a\.Q8_0\.gguf, a\.Q4_K\.gguf$/);
  await refuses(
    "org/none",
    ConfigError,
    /^org\/none: the hub knows no such model \(401\); .* needs a token in HF_TOKEN$/,
  );
  await refuses("org/private", ConfigError, /^org\/private: the hub knows no such model \(401\); .*HF_TOKEN$/);
  await refuses("org/gated", ConfigError, /refuses access \(401\); accept its terms on its page, then set HF_TOKEN/);
  await assert.rejects(
    pull("org/none", { token: "any" }),
    /^ConfigError: org\/none: the hub knows no such model \(404\)/,
  );
  await assert.rejects(pull({ name: "org/bare", revision: "v9" }), /^ConfigError: org\/bare: has no revision v9$/);
  assert.equal((await pull("org/gated", { token: "right" })).model!.family, "llama");
});

/** When each entry of the cache was last changed. */
function changes(): string[] {
  return readdirSync(cache, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => `${name} ${lstatSync(join(cache, name)).mtimeMs} ${lstatSync(join(cache, name)).ctimeMs}`);
}

test("pullModel: a cache that cannot be written is said; nothing is written when the model is in it", async () => {
  // where no user may make a folder, not even root
  await assert.rejects(
    pull("org/bare", { cache: "/sys/rlvr-hub" }),
    /^ConfigError: \/sys\/rlvr-hub: the cache cannot be written \(E\w+.*\); set HF_HOME to a folder that can be$/,
  );
  await pull("org/sharded");
  const before = changes();
  await pull("org/sharded");
  assert.deepEqual(changes(), before);
});

test("pullModel: single files by pattern, such as one of several GGUF files", async () => {
  const pulled = await pull({ name: "org/quants", files: ["*Q8_0.gguf"] });
  assert.deepEqual([pulled.files.length, pulled.model!.format], [1, "gguf"]);
  assert.match(findModel("org/quants"), /a\.Q8_0\.gguf$/);
  await assert.rejects(
    pull({ name: "org/quants", files: ["*.Q2.gguf"] }),
    /^ConfigError: org\/quants: has no file \*\.Q2\.gguf; it holds a\.Q8_0\.gguf, a\.Q4_K\.gguf, README\.md$/,
  );
});

test("pullModel: a GGUF file needs no config.json, and one that says too little is no hindrance", async () => {
  hub.seen.length = 0;
  const { name, files, model, problem } = await pull({ name: "org/thin-GGUF", files: ["*Q8_0.gguf"] });
  assert.deepEqual([asked(), files.length, model?.format, problem], [["thin.Q8_0.gguf"], 1, "gguf", null]);
  assert.match(findModel(name), /thin\.Q8_0\.gguf$/);
  await assert.rejects(
    pull("org/thin-GGUF"),
    /^ConfigError: .*choose one of its GGUF files with --file: thin\.Q8_0\.gguf, thin\.Q4_K\.gguf$/,
  );
  await assert.rejects(pull({ name: "org/mamba", files: ["*.safetensors"] }), /^DataError: .*MambaForCausalLM is not/);
});

test("pullModel: an adapter, which is opened on its base when that is here", async () => {
  await pull("org/sharded");
  const { model, files } = await pull("org/adapter");
  assert.deepEqual([model!.format, files.length], ["peft", 2]);
  const [adapter, base] = [openModel("org/adapter"), openModel("org/sharded")];
  assert.deepEqual(adapter.adapter, { kind: "lora", rank: 2, alpha: 3, targets: ["q_proj", "v_proj", "down_proj"] });
  const name = "model.layers.1.mlp.down_proj.weight";
  assert.notDeepEqual(adapter.read(name), base.read(name));
  assert.deepEqual(adapter.read("lm_head.weight"), base.read("lm_head.weight"));
  for (const files of [adapter, base]) files.close();
});

test("rlvr models pull: what came and how to use it; exit code 2 for what cannot be used", async () => {
  const env = { HF_ENDPOINT: hub.endpoint, HF_TOKEN: "", HF_HUB_OFFLINE: "" };
  const run = (...args: string[]) => startCli(["models", ...args], { env }).ended;
  const [good, bad] = await Promise.all([run("pull", "org/sharded"), run("pull", "org/mamba")]);
  assert.deepEqual([good.code, bad.code, bad.stdout], [0, 2, ""], good.stderr);
  assert.match(good.stdout, /^org\/sharded at commit [0-9a-f]{40}\n[\s\S]*was here|fetched/);
  assert.match(good.stdout, /\nllama, 0\.024 M parameters; in a recipe: model: org\/sharded\n$/);
  assert.match(bad.stderr, /^rlvr: org\/mamba\/config\.json: architecture MambaForCausalLM is not supported/m);
});
