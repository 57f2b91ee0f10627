import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { openLearner, type Policy } from "../../src/policy/index.ts";
import { resolveRecipe } from "../../src/run/index.ts";
import { createTrainer } from "../../src/trainers/create.ts";
import { objectiveOptions } from "../../src/trainers/grpo.ts";
import { phaseMemory } from "../../src/trainers/memory-budget.ts";
import { knownModel, stepWork } from "../../src/trainers/memory-work.ts";
import { metricDef } from "../../src/trainers/metrics.ts";
import { openObjective } from "../../src/trainers/objective.ts";
import { rehearse } from "../../src/trainers/rehearsal.ts";
import { prepareObjective } from "../../src/trainers/step-update.ts";
import type { Metrics } from "../../src/trainers/types.ts";
import { SessionError } from "../../src/utils/errors.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-rehearsal-"));
after(() => rmSync(root, { recursive: true, force: true }));

const GRPO = {
  model: { init: { width: 16, layers: 1, heads: 1, ffWidth: 32 }, seed: 3 },
  tasks: { train: { name: "countdown", format: "steps" } },
  rollout: { promptsPerStep: 3, groupSize: 4, maxTokens: 12, batchSize: 8 },
  rewards: [{ name: "format", style: "pattern", pattern: "[0-4]", ended: false }],
  optimizer: { name: "adamw", lr: 1e-3 },
  steps: 4,
};
const SFT = {
  ...{ trainer: "sft", model: GRPO.model, optimizer: GRPO.optimizer, steps: 4 },
  demonstrations: { name: "countdown-traces" },
  sft: { tokensPerStep: 200, bucket: 2 },
};
const recipeOf = (data: object) => resolveRecipe({ name: "rehearsal", data, locate: () => "" }, false);

/** A job's steps without what a clock measured, and its checkpoint's files. */
async function taken(
  data: object,
  name: string,
  from?: string,
): Promise<{ rows: Metrics[]; files: Buffer[]; folder: string }> {
  const { trainer } = await createTrainer({ recipe: recipeOf(data), threads: 1 });
  const rows: Metrics[] = [];
  const folder = join(root, name);
  try {
    if (from !== undefined) await trainer.load(from);
    for (let step = from === undefined ? 0 : 2; step < 4; step++) {
      const { metrics } = await trainer.step(step);
      rows.push(Object.fromEntries(Object.entries(metrics).filter(([key]) => metricDef(key)?.clock !== true)));
      if (step % 2 === 0) continue;
      mkdirSync(`${folder}-${step + 1}`);
      await trainer.save(`${folder}-${step + 1}`);
    }
  } finally {
    await trainer.close();
  }
  const files = ["trainer.json", "model.safetensors", "optimizer.safetensors"];
  return { rows, folder, files: files.map((file) => readFileSync(join(`${folder}-4`, file))) };
}

/** A learner of a recipe and what a rehearsal of it works with; calls of the policy are counted. */
async function prepared(t: TestContext, data: object) {
  const recipe = recipeOf(data);
  const learner = await openLearner({ model: recipe.model, adapter: { kind: "none" }, seed: 1, threads: 1 });
  t.after(() => learner.close());
  const objective = await openObjective(objectiveOptions(recipe));
  await prepareObjective(learner, objective, objectiveOptions(recipe));
  const { shape } = knownModel(recipe);
  const work = stepWork(recipe, shape, { prompt: 10 });
  const calls: Record<string, unknown[]> = {};
  const policy = new Proxy(learner.policy, {
    get: (target, name: keyof Policy) => {
      const member = target[name];
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        calls[name] = [...(calls[name] ?? []), ...args];
        return (member as (...args: unknown[]) => unknown)(...args);
      };
    },
  });
  return { recipe, learner, objective, work, shape, calls, policy, memory: phaseMemory(shape, work) };
}

for (const [name, data, update] of [
  ["grpo", GRPO, {}],
  ["grpo in the fast plan", GRPO, { plan: "fast" }],
  [
    "grpo with a control and a reference",
    { ...GRPO, control: { name: "kl-cov" }, objective: { kl: { estimator: "k3", coefficient: 0.01 } } },
    {},
  ],
  ["sft", SFT, {}],
] as const)
  test(`rehearse: a run under a budget that fits takes the same steps to the byte as without one, resumed too: ${name}`, async () => {
    const plain = await taken({ ...data, update }, `${name}-plain`);
    const tried = { ...data, update: { ...update, memory: "8GB" } };
    const rehearsed = await taken(tried, `${name}-tried`);
    assert.deepEqual(rehearsed.rows, plain.rows);
    assert.deepEqual(rehearsed.files, plain.files);
    const resumed = await taken(tried, `${name}-resumed`, `${rehearsed.folder}-2`);
    assert.deepEqual(resumed.rows, plain.rows.slice(2));
    assert.deepEqual(resumed.files, plain.files);
  });

test("rehearse: the cache is filled to the longest completions of a full batch, the largest micro-batch is computed, no gradient stays", async (t) => {
  const { recipe, learner, objective, work, calls, policy, memory } = await prepared(t, GRPO);
  const before = await learner.policy.stateHash();
  await rehearse({ learner: { ...learner, policy }, recipe, objective, work }, memory);
  const [start] = calls.decodeStart as [{ prompts: number[][]; repeats: number[]; maxTokens: number }];
  assert.deepEqual(
    [start.prompts.map(({ length }) => length), start.repeats],
    [
      [10, 10],
      [4, 4],
    ],
  );
  const read = (calls.decodeExtend as { rows: number[]; tokens: number[][] }[]).map(({ tokens }) => tokens[0]!.length);
  assert.deepEqual(read, [8, 3]); // and one is fed by the step: 12 in all
  const [batch] = calls.accumulate as [{ ids: Int32Array; prefixes: Int32Array; tails: Int32Array }];
  assert.deepEqual([batch.prefixes, batch.tails], [new Int32Array(3).fill(10), new Int32Array(12).fill(11)]);
  assert.equal(await learner.policy.stateHash(), before);
  assert.deepEqual(new Set(Object.values(await learner.policy.gradientNorms())), new Set([0]));
});

test("rehearse: memory that cannot be had is bad input with the forecast of each phase, any other failure stays what it is", async (t) => {
  const { recipe, learner, objective, work, memory } = await prepared(t, GRPO);
  const failing = (error: Error) => ({ ...learner.policy, accumulate: () => Promise.reject(error) });
  const run = (error: Error) =>
    rehearse({ learner: { ...learner, policy: failing(error) }, recipe, objective, work }, memory);
  await assert.rejects(run(new SessionError("std::bad_alloc")), {
    name: "ConfigError",
    message: /do not fit this machine's memory \(std::bad_alloc\)\. The forecast: .*program 0\.41 GB.*--memory/,
  });
  await assert.rejects(run(new TypeError("a bug")), { name: "TypeError", message: "a bug" });
});
