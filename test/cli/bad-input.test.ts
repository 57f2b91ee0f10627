import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openLearner } from "../../src/policy/index.ts";
import { reference } from "../policy/fixtures.ts";
import { cli, TINY_GRPO } from "./run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-bad-"));
const recipe = join(root, "tiny.yaml");
const good = join(root, "good");
const never = join(root, "never");

before(async () => {
  writeFileSync(recipe, TINY_GRPO);
  const sizes = { width: 16, layers: 1, heads: 1, kvHeads: null, ffWidth: 32, ropeTheta: 10000, maxPositions: 128 };
  const init = { ...sizes, initScale: 0.5 };
  const learner = await openLearner({ model: { init, seed: 1 }, adapter: { kind: "none" }, seed: 1 });
  mkdirSync(good);
  await learner.saveModel(good);
  await learner.close();
});
after(() => rmSync(root, { recursive: true, force: true }));

/** Trains with changes of the recipe: must end with 2, this message alone, and nothing written. */
async function refused(changes: Record<string, string>, message: RegExp, file = recipe): Promise<void> {
  const set = Object.entries(changes).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const { code, stdout, stderr } = await cli("train", file, "--out", never, ...set);
  assert.match(stderr, message);
  assert.equal(code, 2, stderr);
  assert.equal(stdout, "");
  assert.doesNotMatch(stderr, /\n\s+at |this is a bug|evaluation after/, "neither a stack trace nor work");
  assert.equal(existsSync(never), false, "no run folder came into being");
}

/** A copy of the good model, damaged. */
function damaged(name: string, damage: (folder: string) => void): string {
  const folder = join(root, name);
  cpSync(good, folder, { recursive: true });
  damage(folder);
  return folder;
}

/** Changes text in a file of a model. */
const edit = (file: string, from: string, to: string) => (folder: string) => {
  const text = readFileSync(join(folder, file), "utf8");
  assert.ok(text.includes(from));
  writeFileSync(join(folder, file), text.replace(from, to));
};

test("bad input: the undamaged model trains, so that what is refused below is refused for its damage", async () => {
  const out = join(root, "fine");
  const { code, stderr } = await cli("train", recipe, "--out", out, "--set", `model=${good}`, "--steps", "1");
  assert.equal(code, 0, stderr);
});

test("bad input: unknown keys with the nearest name, wrong types, bounds and choices, all at once with their lines", async () => {
  const file = join(root, "wrong.yaml");
  const text = TINY_GRPO.replace("promptsPerStep: 2", "promptsPerStep: two")
    .replace("groupSize: 4", "groupSize: 1")
    .replace("maxTokens", "maxTokns")
    .replace("lr: 1.0e-3", "lr: -1")
    .replace("split: test", "split: tets");
  writeFileSync(file, text);
  const { code, stderr } = await cli("train", file, "--out", never);
  assert.equal(code, 2);
  assert.deepEqual(stderr.replaceAll(file, "wrong.yaml").trimEnd().split("\n"), [
    "rlvr: 5 problems, nothing was started",
    'wrong.yaml:4 tasks.eval.split: must be one of train, test, got "tets"; did you mean "test"?',
    'wrong.yaml:5 rollout.promptsPerStep: must be a number, got "two"',
    "wrong.yaml:5 rollout.groupSize: must be at least 2: a group of one has no baseline to compare with (got 1)",
    'wrong.yaml:5 rollout.maxTokns: unknown key, did you mean "maxTokens"? (known: temperature, topK, topP, minP, maxTokens, stop, promptsPerStep, groupSize, batchSize, episode, dialogue, tools, toolFormat, toolLimits)',
    "wrong.yaml:7 optimizer.lr: must be above 0, got -1",
  ]);
  assert.equal(existsSync(never), false);
});

test("bad input: a missing model and an empty model folder say where was looked and what to give", async () => {
  const empty = join(root, "empty");
  mkdirSync(empty);
  await refused(
    { model: join(root, "nowhere") },
    /^rlvr: model ".*nowhere" was not found: looked for .*nowhere\. Give a folder with config\.json, a \.gguf file/,
  );
  await refused({ model: empty }, /^rlvr: model folder .*empty has neither config\.json nor a \.gguf file\n$/);
});

test("bad input: an unsupported architecture is named, with those that are supported", async () => {
  const model = damaged("mamba", edit("config.json", "LlamaForCausalLM", "MambaForCausalLM"));
  await refused(
    { model },
    /config\.json: architecture MambaForCausalLM is not supported; supported: LlamaForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM\n$/,
  );
});

test("bad input: a cut safetensors file names the tensor and its offsets; a forged header length is not allocated", async () => {
  const cut = damaged("cut", (folder) => truncateSync(join(folder, "model.safetensors"), 5000));
  await refused(
    { model: cut },
    /model\.safetensors: tensor model\.\S+ claims bytes \d+ to \d+, but data lie from offset \d+ to 5000: the file is cut off or corrupt\n$/,
  );
  const forged = damaged("forged", (folder) => {
    const bytes = readFileSync(join(folder, "model.safetensors"));
    bytes.writeBigUInt64LE(2n ** 47n);
    writeFileSync(join(folder, "model.safetensors"), bytes);
  });
  await refused(
    { model: forged },
    /at offset 0: a header of 140737488355328 bytes is claimed, the file has \d+: cut off/,
  );
  const shape = damaged("shape", (folder) => {
    const path = join(folder, "model.safetensors");
    writeFileSync(path, readFileSync(path, "latin1").replace('"shape":[28,16]', '"shape":[99,16]'), "latin1");
  });
  await refused(
    { model: shape },
    /tensor model\.embed_tokens\.weight at offset \d+: F32 of shape \[99,16\] needs 6336 bytes, the header gives 1792\n$/,
  );
});

test("bad input: a weight that is not finite is named before anything starts", async () => {
  const model = damaged("poisoned", (folder) => {
    const path = join(folder, "model.safetensors");
    const bytes = readFileSync(path);
    const begin = 8 + Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.subarray(8, begin).toString());
    bytes.writeFloatLE(Number.NaN, begin + header["model.layers.0.mlp.up_proj.weight"].data_offsets[0]);
    writeFileSync(path, bytes);
  });
  await refused({ model }, /poisoned: weight model\.layers\.0\.mlp\.up_proj\.weight holds NaN or infinity/);
});

test("bad input: a cut or forged GGUF file names offset and tensor", async () => {
  const whole = readFileSync(reference("llama-untied.f16.gguf"));
  const path = join(root, "x.gguf");
  const write = (bytes: Buffer): string => {
    writeFileSync(path, bytes);
    return path;
  };
  await refused(
    { model: write(whole.subarray(0, 9000)) },
    /x\.gguf: tensor blk\.0\.\S+ claims bytes \d+ to \d+, but data lie from offset \d+ to 9000: the file is cut off or corrupt\n$/,
  );
  await refused(
    { model: write(whole.subarray(0, 300)) },
    /x\.gguf: at offset 16: the number of tensors is 21, but 284 bytes are left in the file: it is cut off or corrupt\n$/,
  );
  const forged = Buffer.from(whole);
  forged.writeBigUInt64LE(2n ** 40n, 8);
  await refused({ model: write(forged) }, /x\.gguf: at offset 16: the number of tensors is 1099511627776, but/);
  await refused({ model: write(Buffer.from("no model")) }, /at offset 0: not a GGUF file/);
});

test("bad input: a tokenizer that does not match the weights, or cannot express the task", async () => {
  const larger = damaged("larger", edit("tokenizer.json", '"answer ": 27', '"answer ": 90'));
  await refused(
    { model: larger },
    /larger: the tokenizer does not match the weights: it has ids up to 90, the embedding has 28 rows\n$/,
  );
  const none = damaged("none", (folder) => rmSync(join(folder, "tokenizer.json")));
  await refused({ model: none }, /none: has no tokenizer: tokenizer\.json is missing/);
  const fewer = damaged("fewer", edit("tokenizer.json", '">": ', '"#": '));
  await refused({ model: fewer }, /the vocabulary cannot express ">" at character \d+/);
  await refused({ "tasks.eval": "{name: arithmetic}" }, /the model has no chat template/);
  await refused(
    { "rollout.maxTokens": "600" },
    /its prompt of \d+ tokens and maxTokens 600 exceed the model's context of 512/,
  );
});

test("bad input: a malformed data row names file, line and field", async () => {
  const rows = join(root, "rows.jsonl");
  const tasks = { "tasks.train": `{name: file, path: ${JSON.stringify(rows)}}` };
  writeFileSync(rows, '{"question": "1+1", "answer": "2"}\n{"question": "1+2", "answer": null}\n');
  await refused(tasks, /^rlvr: \S*rows\.jsonl, line 2, field "answer": must be text or a number, got null\n$/);
  writeFileSync(rows, '{"question": "1+1", "answer": "2"}\n{"question": "1+2", "ans');
  await refused(tasks, /rows\.jsonl, line 2: is not valid JSON/);
  writeFileSync(rows, '{"question": "1+1", "answer": "2"}\n');
  await refused(
    { "tasks.train": `{name: gsm8k, path: ${JSON.stringify(rows)}}` },
    /rows\.jsonl, line 1, field "answer": must end with "#### number", got "2"\n$/,
  );
  await refused({ "tasks.train": "{name: file, path: no.jsonl}" }, /^rlvr: no\.jsonl: there is no such file/);
});

test("bad input: an output folder that is a file, holds other files, or another run stays as it is", async () => {
  const thesis = join(root, "thesis");
  mkdirSync(thesis);
  writeFileSync(join(thesis, "chapter.txt"), "one");
  const foreign = await cli("train", recipe, "--out", thesis);
  assert.deepEqual(
    [foreign.code, foreign.stderr],
    [2, `rlvr: ${thesis}: is not empty and holds no run; choose another folder with --out\n`],
  );
  const isFile = await cli("train", recipe, "--out", join(recipe, "run"));
  assert.deepEqual(
    [isFile.code, isFile.stderr],
    [2, `rlvr: ${join(recipe, "run")}: ${recipe} is a file; choose another folder with --out\n`],
  );
  const held = join(root, "held");
  assert.equal((await cli("train", recipe, "--out", held, "--steps", "1")).code, 0);
  const before = readFileSync(join(held, "metrics.jsonl"));
  for (const extra of [[], ["--resume"], ["--dry-run"]]) {
    const { code, stderr } = await cli("train", recipe, "--seed", "9", "--steps", "1", "--out", held, ...extra);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /held: (cannot resume, it )?holds another run \(seed differ\); choose another folder with --out\n$/,
    );
  }
  assert.deepEqual(readFileSync(join(held, "metrics.jsonl")), before);
});

test("bad input: rewards that cannot be made", async () => {
  await refused(
    { rewards: "[{name: format}, {name: format}]" },
    /rewards\.1: a second reward named format; names must differ\n$/,
  );
  await refused(
    { rewards: "[{name: format, style: pattern}]" },
    /^rlvr: format: style pattern needs the option pattern\n$/,
  );
});

test("bad input: the other commands refuse with 2 as well", async () => {
  const cases: [string[], RegExp][] = [
    [["eval", good, "--tasks", "coundown"], /--tasks coundown: no task set, .*; did you mean "countdown"\?\n$/],
    [["eval", good], /say what to evaluate on: --tasks NAME/],
    [["eval", good, "--temperature", "warm"], /argument 'warm' is invalid\. It must be a number of at least 0\.\n$/],
    [["sample", join(root, "nowhere"), "1,2>3:"], /was not found/],
    [["sample", good, "hello"], /the vocabulary cannot express "h" at character 0/],
    [["report", good], /good: not a run folder, recipe\.yaml is missing\n$/],
    [["doctor", join(root, "nowhere")], /not a run folder/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await cli(...args);
    assert.match(stderr, message);
    assert.deepEqual([code, stdout], [2, ""], args.join(" "));
  }
});

test("bad input: a budget of memory that is none, or too small for one row, with what each part needs", async () => {
  await refused(
    { "update.memory": "4 potatoes" },
    /update\.memory: must be an amount of memory such as 4GB or 512MiB \(got "4 potatoes"\)\n$/,
  );
  await refused({ "update.memory": "4" }, /update\.memory: must be a text, got 4\n$/);
  await refused(
    { "update.memory": "100MB" },
    /^rlvr: update\.memory 100MB: too small for the rollout of one completion of \d+ tokens\. It needs program 0\.41 GB\. Give at least 0\.5GB, lower rollout\.maxTokens/,
  );
  const flag = await cli("train", recipe, "--out", never, "--memory", "4TB");
  assert.equal(flag.code, 2);
  assert.match(
    flag.stderr,
    /'--memory <amount>' argument '4TB' is invalid\. It must be an amount of memory such as 4GB/,
  );
  await refused(
    { "rollout.episode.contextTokens": "600", "rollout.episode.turnTokens": "8" },
    /^rlvr: rollout\.episode\.contextTokens 600: longer than the model's context of 512; lower it/,
  );
  assert.equal(existsSync(never), false);
});

test("rlvr train --memory: a budget that fits is in the recipe of the run, which is resumed from there", async () => {
  const out = join(root, "budget");
  const first = await cli("train", recipe, "--out", out, "--memory", "2GB", "--steps", "1");
  assert.equal(first.code, 0, first.stderr);
  assert.match(readFileSync(join(out, "recipe.yaml"), "utf8"), /^ {2}memory: 2GB$/m);
  const resumed = await cli("train", join(out, "recipe.yaml"), "--out", out, "--resume", "--steps", "2");
  assert.equal(resumed.code, 0, resumed.stderr);
  const other = await cli("train", recipe, "--out", out, "--memory", "3GB", "--steps", "2", "--resume");
  assert.match(other.stderr, /holds another run \(update differ\)/);
});
