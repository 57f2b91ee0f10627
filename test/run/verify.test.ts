import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openModel } from "../../src/policy/index.ts";
import { saveModelFolder } from "../../src/policy/model-save.ts";
import { convertModel } from "../../src/run/models.ts";
import { KINDS, type Kind } from "../../src/run/verify/tally.ts";
import { type VerifyReport, verifyModel } from "../../src/run/verify/verify.ts";
import { DataError } from "../../src/utils/errors.ts";
import { ownData, reference, smollm2, temporaryFolder } from "../policy/fixtures.ts";

const MODELS = ["llama-untied", "qwen2-tied", "qwen3-tied", "qwen3-untied"];
const NUMERIC: readonly Kind[] = [
  ...([
    "weightHashes",
    "weightValues",
    "weightSums",
    "greedyTokens",
    "greedyMargin",
    "decodedLogprobs",
    "logprobs",
  ] as const),
  ...(["promptLogprobs", "entropies", "logitGaps", "loss", "gradientNorms", "gradientSums", "gradientValues"] as const),
];

// biome-ignore lint/suspicious/noExplicitAny: reference files are changed in every way
type Json = any;
const readJson = (path: string): Json => JSON.parse(readFileSync(path, "utf8"));

/** A changed copy of a reference file. */
function changed(t: TestContext, change: (json: Json) => unknown, name = "qwen3-untied"): string {
  const path = join(temporaryFolder(t), "reference.json");
  const json = readJson(reference(`${name}.json`));
  change(json);
  writeFileSync(path, JSON.stringify(json));
  return path;
}

const verify = (model: string, ...files: string[]): Promise<VerifyReport> => verifyModel({ model, files, threads: 1 });
const failing = ({ checks }: VerifyReport): Kind[] => checks.filter(({ passed }) => !passed).map(({ kind }) => kind);
const largest = ({ checks }: VerifyReport, kind: Kind): number => checks.find((check) => check.kind === kind)!.largest!;

for (const name of MODELS) {
  test(`verify: ${name} equals the numbers of Python's transformers`, async () => {
    const report = await verify(reference(name), reference(`${name}.json`));
    assert.deepEqual(failing(report), []);
    assert.deepEqual([report.passed, report.rounding], [true, "float32"]);
    const json = readJson(reference(`${name}.json`));
    const tensors = Object.keys(json.weights).length;
    const tokens = json.prompts.reduce((sum: number, { greedyIds }: Json) => sum + greedyIds.length, 0);
    const cases = Object.fromEntries(report.checks.map((check) => [check.kind, check.cases]));
    assert.deepEqual(Object.keys(cases), NUMERIC);
    assert.deepEqual(
      [
        cases.weightHashes,
        cases.greedyTokens,
        cases.logprobs,
        cases.decodedLogprobs,
        cases.entropies,
        cases.gradientNorms,
      ],
      [tensors, 3, tokens, tokens, 2 * tokens, tensors + 1],
    );
    // far within the bounds on a model this small: a wrong detail cannot hide below them
    for (const kind of ["decodedLogprobs", "logprobs", "promptLogprobs", "entropies", "loss"] as const)
      assert.ok(largest(report, kind) < 1e-5, kind);
    for (const kind of ["gradientNorms", "gradientSums", "gradientValues"] as const)
      assert.ok(largest(report, kind) < 2e-5, kind);
  });

  test(`verify: ${name} as a GGUF with matrices in float16, and as a bfloat16 folder, within bounds of rounding`, async (t) => {
    const bf16 = join(temporaryFolder(t), name);
    convertModel(reference(name), bf16, "BF16");
    for (const [model, rounding, bound] of [
      [reference(`${name}.f16.gguf`), "float16", 0.02],
      [bf16, "bfloat16", 0.2],
    ] as const) {
      const report = await verify(model, reference(`${name}.json`));
      assert.deepEqual(failing(report), []);
      assert.equal(report.rounding, rounding);
      assert.ok(largest(report, "logprobs") > 1e-5 && largest(report, "logprobs") < bound, "rounding must be seen");
      assert.ok(largest(report, "weightValues") > 0);
      const allowed = report.checks.find(({ kind }) => kind === "logprobs")!.allowed!;
      assert.equal(allowed, KINDS.logprobs.rounded(rounding === "float16" ? 2 ** -11 : 2 ** -8));
    }
  });
}

/** One change of the reference, and the kinds that must notice. */
const CHANGES: readonly [string, (json: Json) => unknown, readonly Kind[]][] = [
  ["a hash", (json) => (json.weights["model.norm.weight"].sha256 = "0".repeat(64)), ["weightHashes"]],
  ["a shape", (json) => (json.weights["model.norm.weight"].shape = [31]), ["weightHashes"]],
  [
    "a tensor's name",
    (json) => (json.weights["model.layers.7.x"] = json.weights["model.norm.weight"]),
    ["weightHashes"],
  ],
  ["a weight", (json) => (json.weights["model.norm.weight"].first4[3] *= 1 + 1e-6), ["weightValues"]],
  ["a sum of weights", (json) => (json.weights["lm_head.weight"].sum64 += 1e-4), ["weightSums"]],
  ["a log-prob", (json) => (json.prompts[1].float64.logprobs[5] += 2e-4), ["decodedLogprobs", "logprobs"]],
  ["a log-prob of a prompt", (json) => (json.prompts[2].float64.promptLogprobs[17] -= 2e-4), ["promptLogprobs"]],
  ["an entropy", (json) => (json.prompts[0].float64.entropies[2] += 2e-4), ["entropies"]],
  ["a logit", (json) => (json.prompts[0].float64.top5[4].logit += 3e-4), ["logitGaps"]],
  ["a margin", (json) => (json.prompts[0].float64.minTop2Margin += 3e-4), ["logitGaps"]],
  ["the loss", (json) => (json.float64.lossValue += 2e-4), ["loss"]],
  ["the global norm", (json) => (json.float64.globalNorm *= 1.002), ["gradientNorms"]],
  [
    "a gradient norm",
    (json) => (json.float64.norms["model.layers.1.self_attn.q_norm.weight"] *= 1.002),
    ["gradientNorms"],
  ],
  ["a gradient's tensor", (json) => (json.float64.norms.x = 1), ["gradientNorms"]],
  ["a gradient sum", (json) => (json.float64.sum["model.layers.0.mlp.up_proj.weight"] += 0.1), ["gradientSums"]],
  ["a gradient value", (json) => (json.float64.first4["model.norm.weight"][0] *= -1), ["gradientValues"]],
];

test("verify: every kind notices a change of the reference, and only it", async (t) => {
  for (let rest = [...CHANGES]; rest.length > 0; ) {
    const together = rest.filter(([, , kinds], i) => rest.findIndex(([, , others]) => others[0] === kinds[0]) === i);
    rest = rest.filter((change) => !together.includes(change));
    const file = changed(t, (json) => {
      for (const [, change] of together) change(json);
    });
    const report = await verify(reference("qwen3-untied"), file);
    assert.equal(report.passed, false);
    const expected = together.flatMap(([, , kinds]) => kinds);
    assert.deepEqual(failing(report).sort(), expected.sort(), together.map(([what]) => what).join(", "));
  }
});

test("verify: another greedy token is named with its place, and what follows it is not compared", async (t) => {
  const file = changed(t, (json) => {
    json.prompts[2].greedyIds[4] = (json.prompts[2].greedyIds[4] + 1) % 64;
    delete json.float64;
    delete json.float32;
  });
  const report = await verify(reference("qwen3-untied"), file);
  const tokens = report.checks.find(({ kind }) => kind === "greedyTokens")!;
  assert.deepEqual([tokens.passed, tokens.largest, tokens.where], [false, 1, "prompt-2"]);
  assert.match(tokens.problems.join(), /^prompt-2: token 4 is \d+, expected \d+$/);
  assert.ok(failing(report).includes("greedyMargin") && failing(report).includes("logprobs"));
  assert.ok(!failing(report).includes("decodedLogprobs"));
});

test("verify: embedding rows of the gradient, and a reference of few keys", async (t) => {
  const ids = [5, 9, 9, 40];
  const file = join(temporaryFolder(t), "reference.json");
  const write = (json: object): void => writeFileSync(file, JSON.stringify(json));
  write({ ids, float32: { embedRowNorms: { 7: 0 } } });
  const rows = await verify(reference("qwen3-untied"), file); // no token 7, and the head is separate
  assert.deepEqual(
    rows.checks.map(({ kind, cases, passed }) => [kind, cases, passed]),
    [["gradientRows", 1, true]],
  );
  write({ ids, float64: { embedRowNorms: { 9: 0 } } });
  assert.deepEqual(failing(await verify(reference("qwen3-untied"), file)), ["gradientRows"]);
  write({ prompts: [{ promptIds: [3, 4], greedyIds: [], float32: { promptLogprobs: [-1000] } }] });
  assert.deepEqual(failing(await verify(reference("qwen3-untied"), file)), ["promptLogprobs"]);
});

test("verify: a gradient that is zero because a token sees only itself may be rounding, and no more", async (t) => {
  const file = join(temporaryFolder(t), "reference.json");
  const norms = (values: Record<string, number>): void =>
    writeFileSync(file, JSON.stringify({ ids: [5, 9], float64: { norms: values } }));
  const query = "model.layers.0.self_attn.q_proj.weight";
  norms({ [query]: 0, "model.layers.1.self_attn.k_proj.weight": 1e-17 });
  assert.deepEqual(failing(await verify(reference("llama-untied"), file)), []);
  norms({ [query]: 1e-3 });
  assert.deepEqual(failing(await verify(reference("llama-untied"), file)), ["gradientNorms"]);
});

test("verify: rounding excuses only what rounding does", async (t) => {
  const folder = join(temporaryFolder(t), "spoilt");
  const model = openModel(reference("qwen2-tied"), { tokenizer: "optional" });
  const spoilt = "model.layers.1.self_attn.v_proj.weight";
  const read = (name: string) =>
    model.read(name).map((value, i) => (name === spoilt && i === 1 ? value * 1.02 : value));
  const tensors = model.names().map((name) => ({ name, data: () => read(name) }));
  saveModelFolder(folder, { config: model.config, tensors, dtype: "BF16", tokenizerFiles: null });
  model.close();
  const report = await verify(folder, reference("qwen2-tied.json"));
  assert.deepEqual([report.rounding, failing(report)], ["bfloat16", ["weightValues"]]);
  assert.equal(report.checks.find(({ kind }) => kind === "weightValues")!.where, `${spoilt}[1]`);
});

test("verify: a malformed file, and one of another model, are refused with their place", async (t) => {
  const folder = temporaryFolder(t);
  const refuses = async (content: string, message: RegExp): Promise<void> => {
    const file = join(folder, "reference.json");
    writeFileSync(file, content);
    await assert.rejects(
      verify(reference("qwen3-untied"), file),
      (error) => error instanceof DataError && message.test(error.message) && error.message.startsWith(file),
      String(message),
    );
  };
  const json = (value: unknown): string => JSON.stringify(value);
  await assert.rejects(verify(reference("qwen3-untied"), join(folder, "none.json")), /none.json: cannot be read/);
  await refuses("{", /cannot be read as a JSON reference file/);
  await refuses("[]", /malformed reference file\n.*expected object/);
  await refuses("{}", /holds nothing to verify; known keys: weights, prompts/);
  await refuses(json({ prompts: [] }), /holds nothing to verify/);
  await refuses(json({ weights: { x: { sha256: "abc" } } }), /64 hexadecimal digits\n.*at weights\.x\.sha256/);
  await refuses(json({ prompts: [{ greedyIds: [1] }] }), /prompt 0: needs "promptIds", "text" or "messages"/);
  await refuses(json({ prompts: [{ promptIds: [1.5] }] }), /prompts\[0\]\.promptIds\[0\]/);
  await refuses(
    json({ prompts: [{ promptIds: [1], greedyIds: [3], float64: { logprobs: [] } }] }),
    /logprobs has 0 numbers, greedyIds has 1/,
  );
  await refuses(
    json({ prompts: [{ promptIds: [1, 2], float64: { promptLogprobs: [1, 2] } }] }),
    /promptLogprobs has 2 numbers/,
  );
  await refuses(json({ float64: {} }), /a gradient needs "ids" or "text"/);
  await refuses(
    json({ prompts: [{ promptIds: [1, 64], greedyIds: [3] }] }),
    /token id 64 is outside the model's vocabulary of 64 ids/,
  );
  await refuses(json({ prompts: [{ promptIds: [1], greedyIds: [] }] }), /hold no numbers to compare/);
  await refuses(
    json({ ids: new Array(129).fill(3), float64: { lossValue: 1 } }),
    /129 tokens exceed the model's context of 128/,
  );
});

test("verify: the real SmolLM2 GGUF, within the bounds of the float64 numbers", async (t) => {
  const path = smollm2(t);
  if (path === null) return;
  const files = ["reference", "gradients", "tokenizer-conformance"].map((name) => ownData(`smollm2/${name}.json`));
  const report = await verifyModel({ model: path, files });
  assert.deepEqual([failing(report), report.rounding], [[], "float32"]);
  assert.deepEqual(new Set(report.checks.map(({ kind }) => kind)), new Set(Object.keys(KINDS)));
  const bounds: [Kind, number][] = [
    ["weightHashes", 0],
    ["greedyTokens", 0],
    ["logprobs", 1e-4],
    ["decodedLogprobs", 1e-4],
    ["promptLogprobs", 1e-4],
    ["entropies", 1e-4],
    ["gradientNorms", 1e-3],
  ];
  for (const [kind, bound] of bounds) assert.ok(largest(report, kind) <= bound, kind);
});
