// Whether Python and this engine say the same about the same folders, both ways: a base model, an adapter made by Python's peft (in), and what `rlvr export`
// makes of a run that went on from it, as a whole model and as an adapter (out). Prints the largest difference of a logit of each.
// Usage: npx tsx bench/python-models.ts --python venv/bin/python [--models NAME…]      needs: torch, transformers, peft in that environment
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openLearner, openModel } from "../src/policy/index.ts";
import { seedlingTokenizerFiles } from "../src/policy/seedling-tokenizer.ts";
import { beginCheckpoint, commitCheckpoint } from "../src/run/checkpoints.ts";
import { exportRun } from "../src/run/export.ts";
import { convertModel } from "../src/run/models.ts";
import { recipeToYaml, resolveRecipe } from "../src/run/recipe-load.ts";
import { packRows } from "../src/trainers/micro-batch.ts";

const { values } = parseArgs({ options: { python: { type: "string" }, models: { type: "string", multiple: true } } });
if (values.python === undefined) throw new Error("--python is missing: the interpreter of an environment with peft");
const root = fileURLToPath(new URL("..", import.meta.url));
const script = join(root, "bench/python-models.py");
const gguf = join(root, "models/smollm2-135m-instruct-gguf/SmolLM2-135M-Instruct.Q4_1.gguf");
const fixtures = ["llama-untied", "qwen2-tied", "qwen3-tied", "qwen3-untied"];
const known = [...fixtures, "seedling", ...(existsSync(gguf) ? ["smollm2"] : [])];
const work = mkdtempSync(join(tmpdir(), "rlvr-python-models-"));

function python(...args: readonly string[]): void {
  const env = { ...process.env, CUDA_VISIBLE_DEVICES: "", PYTHONWARNINGS: "ignore", HF_HUB_OFFLINE: "1" };
  execFileSync(values.python!, [script, ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
}

/** A model's folder with a tokenizer, which Python reads too. */
function folderOf(name: string): string {
  const folder = join(work, name, "base");
  if (name === "smollm2") convertModel(gguf, folder, "F32");
  else cpSync(join(root, name === "seedling" ? "models" : "test/policy/reference", name), folder, { recursive: true });
  if (!fixtures.includes(name)) return folder;
  const { tokenizerJson, tokenizerConfigJson } = seedlingTokenizerFiles();
  writeFileSync(join(folder, "tokenizer.json"), tokenizerJson);
  writeFileSync(join(folder, "tokenizer_config.json"), tokenizerConfigJson);
  return folder;
}

/** A run that took an adapter over and wrote a checkpoint, without a step. */
async function runFrom(adapter: string, folder: string): Promise<void> {
  const data = {
    ...{ model: adapter, steps: 1, optimizer: { name: "adamw", lr: 1 }, rewards: [{ name: "countdown" }] },
    tasks: { train: { name: "countdown" } },
  };
  const recipe = resolveRecipe({ name: "run", data, locate: () => "" }, false);
  const learner = await openLearner({ model: adapter, adapter: { kind: "none" }, seed: 0, threads: 2 });
  const checkpoint = beginCheckpoint(join(folder, "checkpoints"), 1);
  await learner.saveModel(checkpoint);
  await learner.close();
  commitCheckpoint(checkpoint, { step: 1, metricsBytes: 0, samplesBytes: 0 });
  writeFileSync(join(folder, "recipe.yaml"), recipeToYaml(recipe));
  writeFileSync(join(folder, "environment.json"), JSON.stringify({ hashes: { model: learner.modelHash } }));
}

/** Logits after each token but the last: the engine's hidden states by the head. */
async function ours(model: string, ids: readonly number[]): Promise<Float64Array> {
  const learner = await openLearner({ model, adapter: { kind: "none" }, seed: 0, threads: 2 });
  const row = { promptIds: ids.slice(0, 1), ids: ids.slice(1), features: {} };
  const [packed] = packRows([row], { maxTokens: ids.length, temperature: 1, padId: 0 });
  const { hidden } = await learner.policy.measure(packed!.batch, { hidden: true });
  await learner.close();
  const files = openModel(model);
  const { width, vocab, tied } = files.config;
  const head = files.read(tied ? "model.embed_tokens.weight" : "lm_head.weight");
  files.close();
  return Float64Array.from({ length: (ids.length - 1) * vocab }, (_, at) => {
    const [token, id] = [Math.floor(at / vocab), at % vocab];
    let sum = 0;
    for (let i = 0; i < width; i++) sum += hidden![token * width + i]! * head[id * width + i]!;
    return sum;
  });
}

function theirs(folder: string, ids: readonly number[], ...options: string[]): Float32Array {
  const out = join(work, "logits.f32");
  python("logits", folder, out, ids.join(), ...options);
  const bytes = readFileSync(out);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

function difference(a: Float64Array, b: Float32Array): string {
  let largest = 0;
  a.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value - b[i]!));
  });
  return largest.toExponential(1);
}

/** A sentence where the model has a tokenizer of its own, any ids otherwise. */
function tokensOf(name: string, base: string): number[] {
  const { tokenizer, config } = openModel(base);
  if (name === "smollm2") return tokenizer.encode(TEXT).slice(0, 24);
  return Array.from({ length: 24 }, (_, i) => 3 + ((i * 7919 + 13) % (config.vocab - 3)));
}

const TEXT =
  "A farmer has seventeen sheep and buys five more at the market. How many sheep does she have in the evening, if two of them run away?";
const head = [
  "model",
  "largest logit",
  "base",
  "adapter of peft, here",
  "merged here",
  "exported, merged",
  "exported adapter",
];
console.log(`largest difference of a logit\n${[...head, "float32 and float64 of Python"].join(" | ")}`);
for (const name of values.models ?? known) {
  const base = folderOf(name);
  const ids = tokensOf(name, base);
  const at = (part: string): string => join(work, name, part);
  python("adapter", base, at("adapter"), "--rank", "16", "--alpha", "32", "--scale", "0.2");
  await runFrom(at("adapter"), at("run"));
  await exportRun(at("run"), { format: "safetensors", dtype: "F32", out: at("merged") });
  await exportRun(at("run"), { format: "peft", dtype: "F32", out: at("peft") });
  convertModel(at("adapter"), at("converted"), "F32");
  const [plain, adapted, merged] = [
    await ours(base, ids),
    await ours(at("adapter"), ids),
    await ours(at("converted"), ids),
  ];
  const [python32, python64] = [theirs(at("adapter"), ids), theirs(at("adapter"), ids, "--wide")];
  const columns = [
    plain.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0).toFixed(1),
    difference(plain, theirs(base, ids)),
    difference(adapted, python32),
    difference(merged, python32),
    difference(adapted, theirs(at("merged"), ids)),
    difference(adapted, theirs(at("peft"), ids)),
    difference(Float64Array.from(python64).subarray(0, adapted.length), python32),
  ];
  console.log([name, ...columns].join(" | "));
  rmSync(join(work, name), { recursive: true });
}
rmSync(work, { recursive: true });
