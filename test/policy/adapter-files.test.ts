import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { parseAdapterSettings } from "../../src/policy/adapter-files.ts";
import { type Learner, openLearner, openModel, openPolicy, type Policy } from "../../src/policy/index.ts";
import { openSafetensors } from "../../src/policy/safetensors.ts";
import { type TensorToWrite, writeSafetensors } from "../../src/policy/safetensors-write.ts";
import { seedlingTokenizerFiles } from "../../src/policy/seedling-tokenizer.ts";
import { packRows } from "../../src/trainers/micro-batch.ts";
import { lossSource } from "../../src/trainers/objective.ts";
import { DataError } from "../../src/utils/errors.ts";
import { reference, temporaryFolder } from "./fixtures.ts";

const numbers: { ids: number[]; logits: number[][]; rsloraLogits: number[][] } = JSON.parse(
  readFileSync(reference("peft-adapter.json"), "utf8"),
);

/** A copy of the adapter that Python's peft made, its base beside it with a tokenizer. */
function copies(t: TestContext, change: Record<string, unknown> = {}): { adapter: string; base: string } {
  const folder = temporaryFolder(t);
  const [adapter, base] = [join(folder, "adapter"), join(folder, "base")];
  cpSync(reference("peft-adapter"), adapter, { recursive: true });
  cpSync(reference("llama-untied"), base, { recursive: true });
  writeFileSync(join(base, "tokenizer.json"), seedlingTokenizerFiles().tokenizerJson);
  writeFileSync(join(base, "tokenizer_config.json"), seedlingTokenizerFiles().tokenizerConfigJson);
  editConfig(adapter, { base_model_name_or_path: base, ...change });
  return { adapter, base };
}

function editConfig(adapter: string, change: Record<string, unknown>): void {
  const file = join(adapter, "adapter_config.json");
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), ...change }));
}

/** Writes the adapter's tensors anew. */
function editTensors(adapter: string, change: (tensors: TensorToWrite[]) => TensorToWrite[]): void {
  const path = join(adapter, "adapter_model.safetensors");
  const file = openSafetensors(path);
  const tensors = [...file.tensors.values()].map(({ name, shape }): TensorToWrite => {
    return { name, shape, dtype: "F32", data: file.read(name) };
  });
  file.close();
  writeSafetensors(path, change(tensors));
}

function zeroed(tensor: TensorToWrite): TensorToWrite {
  return { ...tensor, data: new Float32Array(tensor.shape.reduce((size, n) => size * n, 1)) };
}

/** Log-softmax, in float64. */
function logSoftmax(logits: readonly number[]): number[] {
  const top = Math.max(...logits);
  const sum = logits.reduce((total, x) => total + Math.exp(x - top), 0);
  return logits.map((x) => x - top - Math.log(sum));
}

/** Log-probs of every token after each prefix of the ids but the whole. */
async function allLogprobs(policy: Policy): Promise<number[][]> {
  const { ids } = numbers;
  const vocabulary = Array.from({ length: 64 }, (_, id) => id);
  return Promise.all(
    ids.slice(1).map(async (_, i) => {
      const rows = vocabulary.map((id) => ({ promptIds: ids.slice(0, i + 1), ids: [id], features: {} }));
      const [packed] = packRows(rows, { maxTokens: 10_000, temperature: 1, padId: 0 });
      return Array.from((await policy.score(packed!.batch)).logp);
    }),
  );
}

function largestDifference(actual: readonly number[][], logits: readonly number[][]): number {
  return Math.max(
    ...actual.flatMap((row, i) => logSoftmax(logits[i]!).map((expected, id) => Math.abs(row[id]! - expected))),
  );
}

const NONE = { kind: "none" } as const;

test("openLearner: an adapter that Python's peft made gives the log-probs that it gives there, also as rslora", async (t) => {
  const { adapter } = copies(t);
  for (const [change, logits] of [
    [{ use_rslora: false }, numbers.logits],
    [{ use_rslora: true }, numbers.rsloraLogits],
  ] as const) {
    editConfig(adapter, change);
    const learner = await openLearner({ model: adapter, adapter: NONE, seed: 0, threads: 1 });
    t.after(() => learner.close());
    const alpha = change.use_rslora ? 3 * Math.SQRT2 : 3;
    assert.deepEqual(learner.adapter, { kind: "lora", rank: 2, alpha, targets: ["q_proj", "v_proj", "down_proj"] });
    const [plain, other] = [numbers.logits, numbers.rsloraLogits].map((row) => logSoftmax(row[0]!));
    assert.ok(Math.abs(plain![0]! - other![0]!) > 1e-3, "the two scales are far apart");
    assert.ok(largestDifference(await allLogprobs(learner.policy), logits) < 1e-5);
  }
});

test("openModel: an adapter opens as its base with the adapter added, and says the same as both apart", async (t) => {
  const { adapter, base } = copies(t);
  const files = openModel(adapter);
  t.after(() => files.close());
  assert.deepEqual([files.format, files.path], ["peft", adapter]);
  assert.notEqual(files.hash(), openModel(base).hash());
  const policy = await openPolicy({ origin: { kind: "files", path: adapter }, adapter: NONE, seed: 0, threads: 1 });
  t.after(() => policy.close());
  assert.ok(largestDifference(await allLogprobs(policy), numbers.logits) < 1e-5);
});

test("openLearner: an adapter is trained further in its own form, saved and opened again", async (t) => {
  const { adapter } = copies(t);
  const same = { kind: "lora", rank: 2, alpha: 3, targets: ["v_proj", "q_proj", "down_proj"] } as const;
  const learner = await openLearner({ model: adapter, adapter: same, seed: 0, threads: 1 });
  t.after(() => learner.close());
  const out = join(temporaryFolder(t), "saved");
  await learner.saveModel(out);
  const again = await openLearner({ model: out, adapter: NONE, seed: 9, threads: 1 });
  t.after(() => again.close());
  assert.equal(await again.policy.weightsHash(), await learner.policy.weightsHash());
  await assert.rejects(
    openLearner({ model: adapter, adapter: { ...same, rank: 16 }, seed: 0 }),
    /^ConfigError: .*adapter: is an adapter \(rank 2, alpha 3, down_proj q_proj v_proj\) and is trained further as it is, but the recipe asks for another one \(rank 16, /,
  );
});

test("measure: the reference of a run that starts from an adapter is that adapter, also after updates and when resumed", async (t) => {
  const { adapter } = copies(t);
  const open = async () => {
    const learner = await openLearner({ model: adapter, adapter: NONE, seed: 0, threads: 1 });
    t.after(() => learner.close());
    return learner;
  };
  const { ids } = numbers;
  const row = { promptIds: ids.slice(0, 1), ids: ids.slice(1), features: { weight: Array(ids.length - 1).fill(1) } };
  const { batch } = packRows([row], { maxTokens: 10_000, temperature: 1, padId: 0 })[0]!;
  const logprobs = async ({ policy }: Learner) => {
    const [current, reference] = [await policy.score(batch), await policy.measure(batch, { policy: "reference" })];
    return [Array.from(current.logp), Array.from(reference.logp)] as const;
  };
  const first = await open();
  const [start, reference] = await logprobs(first);
  const independent = ids.slice(1).map((id, i) => logSoftmax(numbers.logits[i]!)[id]!);
  assert.ok(reference.every((value, i) => Math.abs(value - independent[i]!) < 1e-5));
  assert.deepEqual(reference, start);

  await first.policy.useLoss(lossSource("nllLoss"));
  await first.policy.accumulate(batch);
  await first.policy.update(1e-2, 1);
  const [trained, afterUpdate] = await logprobs(first);
  assert.ok(trained.some((value, i) => Math.abs(value - start[i]!) > 1e-3));
  assert.deepEqual(afterUpdate, start);

  const checkpoint = temporaryFolder(t);
  await first.saveModel(checkpoint);
  await first.policy.saveState(checkpoint);
  const resumed = await open();
  await resumed.policy.loadState(checkpoint);
  assert.deepEqual(await logprobs(resumed), [trained, start]);
});

test("openLearner: starting adapters of other weights or another scale have other hashes, on one base model", async (t) => {
  const { adapter, base } = copies(t);
  const hashes = async (model: string) => {
    const learner = await openLearner({ model, adapter: NONE, seed: 0, threads: 1 });
    await learner.close();
    return [learner.modelHash, learner.adapterHash] as const;
  };
  const first = await hashes(adapter);
  assert.deepEqual(await hashes(base), [first[0], null]);
  assert.deepEqual(await hashes(adapter), first);
  editConfig(adapter, { lora_alpha: 5 });
  const scaled = await hashes(adapter);
  editTensors(adapter, (tensors) => [...tensors].reverse().map((tensor, i) => (i > 0 ? tensor : zeroed(tensor))));
  const changed = await hashes(adapter);
  assert.deepEqual([scaled[0], changed[0]], [first[0], first[0]]);
  assert.equal(new Set([first[1], scaled[1], changed[1]]).size, 3);
});

test("openModel: what an adapter asks for beyond plain LoRA is refused by name, all at once", (t) => {
  const { adapter } = copies(t);
  const refuses = (change: Record<string, unknown>, message: RegExp): void => {
    const before = readFileSync(join(adapter, "adapter_config.json"), "utf8");
    editConfig(adapter, change);
    assert.throws(
      () => openModel(adapter),
      (error) => {
        assert.ok(error instanceof DataError, String(error));
        assert.match(error.message, message);
        return true;
      },
    );
    writeFileSync(join(adapter, "adapter_config.json"), before);
  };
  refuses(
    { use_dora: true, bias: "lora_only", modules_to_save: ["lm_head"], rank_pattern: { q_proj: 4 } },
    /adapter_config\.json: not supported: use_dora true; modules_to_save \["lm_head"\]; rank_pattern \{"q_proj":4\}; bias "lora_only"\. Merge it with Python's peft$/,
  );
  refuses({ layers_to_transform: [0] }, /not supported: layers_to_transform \[0\]/);
  for (const start of ["pissa_niter_16", "olora", "corda", "loftq", "lora_ga", "of-tomorrow"])
    refuses(
      { init_lora_weights: start },
      new RegExp(`init_lora_weights "${start}" \\(it may change the base model; true, `),
    );
  refuses({ peft_type: "IA3" }, /not a usable LoRA adapter[\s\S]*peft_type/);
  refuses({ base_model_name_or_path: null }, /not a usable LoRA adapter[\s\S]*base_model_name_or_path/);
  refuses(
    { base_model_name_or_path: "org/elsewhere" },
    /adapter: its base model is not here: model "org\/elsewhere" was not found: .*npx rlvr models pull org\/elsewhere; or write the place of the base model into adapter_config\.json as base_model_name_or_path$/,
  );
  refuses({ base_model_name_or_path: adapter }, /its base model .*adapter is an adapter itself: merge that one$/);
  refuses(
    { base_model_name_or_path: "initial" },
    /adds to random weights, .*npx rlvr export RUN --format safetensors$/,
  );
});

test("parseAdapterSettings: ways to begin that leave the base model alone are taken", () => {
  const { init_lora_weights: _, ...json } = JSON.parse(
    readFileSync(join(reference("peft-adapter"), "adapter_config.json"), "utf8"),
  );
  for (const start of [true, false, null, undefined, "gaussian", "eva", "orthogonal"])
    assert.equal(parseAdapterSettings({ ...json, init_lora_weights: start }, "file").rank, 2);
});

test("parseAdapterSettings: a revision belongs to a name of the hub, not to a folder that is here", () => {
  const json = JSON.parse(readFileSync(join(reference("peft-adapter"), "adapter_config.json"), "utf8"));
  const baseOf = (name: string): string =>
    parseAdapterSettings({ ...json, base_model_name_or_path: name, revision: "main" }, "file").base;
  assert.equal(baseOf("models/seedling"), "models/seedling");
  assert.equal(baseOf("org/elsewhere"), "org/elsewhere@main");
});

test("openModel: an adapter for another base model is refused", (t) => {
  const { adapter } = copies(t, { base_model_name_or_path: resolve("models/seedling") });
  assert.throws(
    () => openModel(adapter),
    /adapter_model\.safetensors: does not fit .*seedling: wrong shape: base_model\.model\.model\.layers\.0\.self_attn\.q_proj\.lora_A\.weight is \[2,32\], the base model needs \[2,\d+\], .* and \d+ more; .*Is the adapter for another base model\?$/,
  );
});

test("openModel: tensors that are missing, surplus or of no layer's map are refused", (t) => {
  const refuses = (change: (tensors: TensorToWrite[]) => TensorToWrite[], message: RegExp): void => {
    const { adapter } = copies(t);
    editTensors(adapter, change);
    assert.throws(() => openModel(adapter), message);
  };
  const renamed = (from: string, to: string) => (tensors: TensorToWrite[]) =>
    tensors.map((tensor) => ({ ...tensor, name: tensor.name.replace(from, to) }));
  refuses(
    (tensors) => tensors.filter(({ name }) => !name.includes("layers.1.self_attn.v_proj.lora_B")),
    /does not fit .*base: not in every layer: missing base_model\.model\.model\.layers\.1\.self_attn\.v_proj\.lora_B\.weight\./,
  );
  refuses(renamed("layers.1.", "layers.7."), /layers that the base model lacks: .*layers\.7\..*not in every layer/);
  refuses(
    renamed("model.layers.0.mlp.down_proj", "lm_head"),
    /base_model\.model\.lm_head\.lora_A\.weight, .*: not supported; an adapter may add to q_proj, k_proj, .*of the layers$/,
  );
  refuses(() => [], /adapter_model\.safetensors: holds no adapter matrices$/);
  const { adapter } = copies(t);
  rmSync(join(adapter, "adapter_model.safetensors"));
  writeFileSync(join(adapter, "adapter_model.bin"), "");
  assert.throws(
    () => openModel(adapter),
    /adapter_model\.safetensors is missing \(adapter_model\.bin is not read: save the adapter as safetensors\)$/,
  );
});
