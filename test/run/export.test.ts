import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openLearner, openModel, type Policy } from "../../src/policy/index.ts";
import { openSafetensors } from "../../src/policy/safetensors.ts";
import { type ExportOptions, exportRun } from "../../src/run/export.ts";
import { latestModel } from "../../src/run/folder.ts";
import { forecast } from "../../src/run/forecast.ts";
import { loadRecipe } from "../../src/run/recipe-load.ts";
import { packRows } from "../../src/trainers/micro-batch.ts";
import { ConfigError, DataError } from "../../src/utils/errors.ts";
import { cli, TINY_SFT } from "../cli/run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-export-"));
after(() => rmSync(root, { recursive: true, force: true }));
const [full, lora, initial] = ["full", "lora", "initial"].map((name) => join(root, name)) as [string, string, string];
const base = join(root, "base");
const LORA = "adapter: {kind: lora, rank: 4}";

const SHORT = TINY_SFT.replace("steps: 12", "steps: 2")
  .replace(/evaluate: .*\n/, "")
  .replace("every: 3", "every: 1");

/** Runs of two steps: all weights from random ones, an adapter on the model that came out, an adapter on random weights. */
before(async () => {
  const train = async (name: string, recipe: string): Promise<void> => {
    const file = join(root, `${name}.yaml`);
    writeFileSync(file, recipe);
    const { code, stderr } = await cli("train", file, "--out", join(root, name), "--threads", "1");
    assert.equal(code, 0, stderr);
  };
  await train("full", SHORT);
  await exportRun(full, { format: "safetensors", dtype: "F32", out: base });
  await Promise.all([
    train("lora", `${SHORT.replace(/model: .*\n/, `model: ${base}\n`)}${LORA}\n`),
    train("initial", `${SHORT}${LORA}\n`),
  ]);
});

let outs = 0;
const fresh = (): string => join(root, `out-${outs++}`);
const plain = { dtype: "F32" } as const;

/** Log-probs of a text under a model. */
async function logprobs(model: string): Promise<number[]> {
  const learner = await openLearner({ model, adapter: { kind: "none" }, seed: 0, threads: 1 });
  try {
    return await logprobsOf(learner.policy);
  } finally {
    await learner.close();
  }
}

async function logprobsOf(policy: Policy): Promise<number[]> {
  const ids = Array.from({ length: 40 }, (_, i) => 3 + ((i * 7) % 25));
  const row = { promptIds: ids.slice(0, 1), ids: ids.slice(1), features: {} };
  const [packed] = packRows([row], { maxTokens: 64, temperature: 1, padId: 0 });
  return Array.from((await policy.score(packed!.batch)).logp);
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  assert.equal(a.length, b.length);
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
}

test("exportRun: a LoRA run merged gives the log-probs of base and adapter, its adapter alone too", async () => {
  const apart = await logprobs(latestModel(lora));
  assert.ok(largestDifference(apart, await logprobs(base)) > 1e-3, "the adapter does something");
  const [merged, peft] = [fresh(), fresh()];
  const done = await exportRun(lora, { format: "safetensors", ...plain, out: merged });
  assert.deepEqual([done.base, done.checkpoint], [null, join(lora, "checkpoints", "step-000002")]);
  assert.deepEqual(readdirSync(merged).sort(), [
    ...["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"],
  ]);
  assert.ok(largestDifference(apart, await logprobs(merged)) < 1e-5);
  const adapter = await exportRun(lora, { format: "peft", ...plain, out: peft });
  assert.equal(adapter.base, base);
  assert.deepEqual(await logprobs(peft), apart);
});

test("exportRun: adapter_config.json has the keys that peft reads, and the tensors its names", async () => {
  const out = fresh();
  await exportRun(lora, { format: "peft", dtype: "BF16", out });
  assert.deepEqual(readdirSync(out).sort(), ["adapter_config.json", "adapter_model.safetensors"]);
  const config = JSON.parse(readFileSync(join(out, "adapter_config.json"), "utf8"));
  assert.deepEqual(config, {
    ...{ peft_type: "LORA", task_type: "CAUSAL_LM", base_model_name_or_path: base, r: 4, lora_alpha: 8 },
    target_modules: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    ...{ lora_dropout: 0, bias: "none", fan_in_fan_out: false, inference_mode: true },
  });
  const file = openSafetensors(join(out, "adapter_model.safetensors"));
  const { dtype, shape } = file.tensors.get("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight")!;
  assert.deepEqual([dtype, shape, file.tensors.size], ["BF16", [4, 16], 14]);
  file.close();
});

test("rlvr train: an exported adapter is trained further in its own form, and exported again", async () => {
  const [start, again] = [fresh(), fresh()];
  await exportRun(lora, { format: "peft", ...plain, out: start });
  const file = join(root, "further.yaml");
  writeFileSync(file, SHORT.replace(/model: .*\n/, `model: ${start}\n`));
  const recipe = await loadRecipe(file);
  // rank 4 times in + out: four maps of 16 + 16, three of 16 + 32
  assert.equal(forecast(recipe).trainable, 4 * (4 * 32 + 3 * 48));
  const further = join(root, "further");
  const { code, stderr } = await cli("train", file, "--out", further, "--threads", "1");
  assert.equal(code, 0, stderr);
  const { base: named } = await exportRun(further, { format: "peft", ...plain, out: again });
  assert.equal(named, base);
  const config = (folder: string): string => readFileSync(join(folder, "adapter_config.json"), "utf8");
  assert.equal(config(again), config(start));
  const difference = largestDifference(await logprobs(again), await logprobs(start));
  assert.ok(difference > 1e-6, "it learned something");
  const hashesOf = (run: string) => JSON.parse(readFileSync(join(run, "environment.json"), "utf8")).hashes;
  assert.equal(hashesOf(further).model, hashesOf(lora).model);
  assert.match(hashesOf(further).adapter, /^[0-9a-f]{64}$/);
  assert.ok(!("adapter" in hashesOf(lora)), "a fresh one comes from the recipe's seed");
});

test("exportRun: a fully trained run is its checkpoint in the format asked for, of any step", async () => {
  const [last, first] = [fresh(), fresh()];
  await exportRun(full, { format: "safetensors", dtype: "F16", out: last });
  await exportRun(full, { format: "safetensors", ...plain, out: first, checkpoint: 1 });
  const at = (step: number): string => join(full, "checkpoints", `step-00000${step}`);
  const name = "model.layers.0.mlp.up_proj.weight";
  const weights = [last, first, at(2), at(1)].map((path) => openModel(path).read(name));
  assert.deepEqual(weights[1], weights[3]);
  assert.notDeepEqual(weights[1], weights[2]);
  assert.ok(largestDifference([...weights[0]!], [...weights[2]!]) < 2 ** -11);
  assert.equal(JSON.parse(readFileSync(join(last, "config.json"), "utf8")).torch_dtype, "float16");
});

test("exportRun: an adapter on random weights becomes a whole model only", async () => {
  const out = fresh();
  await exportRun(initial, { format: "safetensors", ...plain, out });
  const learner = await openLearner({
    model: {
      init: {
        width: 16,
        layers: 1,
        heads: 1,
        kvHeads: null,
        ffWidth: 32,
        ropeTheta: 10000,
        maxPositions: 512,
        initScale: 0.5,
      },
      seed: 3,
    },
    adapter: {
      kind: "lora",
      rank: 4,
      alpha: 8,
      targets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    },
    ...{ seed: 0, threads: 1 },
  });
  try {
    await learner.policy.loadWeights(latestModel(initial));
    assert.ok(largestDifference(await logprobsOf(learner.policy), await logprobs(out)) < 1e-5);
  } finally {
    await learner.close();
  }
  await assert.rejects(
    exportRun(initial, { format: "peft", ...plain, out: fresh() }),
    /ConfigError: .*adds to random weights/,
  );
});

test("exportRun: a damaged environment.json is named, and without it the base is not checked", async () => {
  const damaged = join(root, "damaged");
  cpSync(lora, damaged, { recursive: true });
  const file = join(damaged, "environment.json");
  for (const text of ['{"hashes": {"mod', "null", '{"hashes": {"model": 5}}']) {
    writeFileSync(file, text);
    await assert.rejects(
      exportRun(damaged, { format: "peft", ...plain, out: fresh() }),
      /^DataError: .*damaged\/environment\.json: is damaged, so that the base model cannot be checked: [\s\S]+; restore the file, or remove it to export unchecked$/,
    );
  }
  rmSync(file);
  assert.equal((await exportRun(damaged, { format: "peft", ...plain, out: fresh() })).base, base);
});

test("exportRun: bad input is refused and leaves nothing behind", async () => {
  const refuses = async (
    run: string,
    options: Partial<ExportOptions>,
    Kind: typeof ConfigError | typeof DataError,
    message: RegExp,
  ): Promise<void> => {
    const out = fresh();
    await assert.rejects(exportRun(run, { format: "safetensors", ...plain, out, ...options }), (error: Error) => {
      assert.ok(error instanceof Kind, String(error));
      assert.match(error.message, message);
      return true;
    });
    assert.ok(!readdirSync(root).includes(out.split("/").at(-1)!), "nothing was written");
  };
  await refuses(base, {}, ConfigError, /base: not a run folder, recipe\.yaml is missing$/);
  await refuses(full, { format: "peft" }, ConfigError, /full: trained all weights, .*use --format safetensors$/);
  await refuses(full, { checkpoint: 7 }, ConfigError, /full: has no checkpoint of step 7; it has those of steps 1, 2$/);
  await refuses(full, { out: base }, ConfigError, /base: is not empty; choose another folder with --out$/);
  await refuses(
    full,
    { out: join(base, "config.json") },
    ConfigError,
    /config\.json: is a file; choose another folder/,
  );
  const empty = join(root, "no-checkpoint");
  mkdirSync(empty);
  cpSync(join(full, "recipe.yaml"), join(empty, "recipe.yaml"));
  await refuses(empty, {}, ConfigError, /no-checkpoint: this run has no whole checkpoint$/);

  const moved = join(root, "moved");
  cpSync(base, moved, { recursive: true });
  rmSync(base, { recursive: true });
  for (const format of ["safetensors", "peft"] as const)
    await refuses(
      lora,
      { format },
      DataError,
      /its base model is not here: model ".*base" was not found: .*base_model_name_or_path$/,
    );
  cpSync(latestModel(full).replace("step-000002", "step-000001"), base, { recursive: true });
  for (const format of ["safetensors", "peft"] as const)
    await refuses(
      lora,
      { format },
      DataError,
      /base: is not the model that .*lora was trained on: sha256 [0-9a-f]{12}…, the run recorded [0-9a-f]{12}…; bring back that one$/,
    );
});

test("rlvr export: formats that are not there yet are said to be so", async () => {
  const { code, stdout, stderr } = await cli("export", full, "--format", "gguf", "-o", fresh());
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(
    stderr,
    /^rlvr: option '--format <name>' argument 'gguf' is invalid\. gguf is not there yet: this version writes safetensors and peft\.$/m,
  );
});
