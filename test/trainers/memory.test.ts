import assert from "node:assert/strict";
import { test } from "node:test";
import { largestMicroBatch, type MemoryShape, totalOf, updateMemory } from "../../src/trainers/memory.ts";
import { bytesOf } from "../../src/trainers/memory-amount.ts";
import { fitStep, peakOf, phaseMemory, type StepWork } from "../../src/trainers/memory-budget.ts";
import { packRows, type TrainingRow } from "../../src/trainers/micro-batch.ts";
import { nllLoss } from "../../src/trainers/objective.ts";
import { createRng } from "../../src/utils/rng.ts";
import { randomIds, tinyEngine } from "../support/tiny-engine.ts";

/** SmolLM2-135M's sizes with an adapter of rank 16. */
const SHAPE: MemoryShape = {
  sizes: { layers: 30, width: 576, heads: 9, kvHeads: 3, headDim: 64, ffWidth: 1536, vocab: 49152, maxPositions: 8192 },
  ...{ parameters: 134_515_008, trainable: 4_884_480, isLora: true, plan: "lean", hasReference: false },
};
const WORK: StepWork = {
  rollout: { completions: 64, groupSize: 8, prompt: 256, tokens: 256, isPlayed: false },
  evaluation: null,
  ...{ batchSize: 64, groups: 8, groupSize: 8, prompt: 256, completion: 256, microBatchTokens: 8192, measures: false },
};

test("bytesOf: GB are powers of ten and GiB of two, anything else is no amount", () => {
  assert.equal(bytesOf("4GB"), 4e9);
  assert.equal(bytesOf(" 1.5 gb"), 1.5e9);
  assert.equal(bytesOf("512MiB"), 512 * 1024 * 1024);
  for (const text of ["", "4", "GB", "0GB", "0.0MB", "-1GB", "4TB", "4GB!", "1e3MB", "four GB"])
    assert.equal(bytesOf(text), null, text);
});

test("updateMemory: parts of a small model as worked out by hand", () => {
  const sizes = { layers: 2, width: 10, heads: 2, kvHeads: 1, headDim: 5, ffWidth: 20, vocab: 100, maxPositions: 64 };
  const shape: MemoryShape = {
    sizes,
    parameters: 3000,
    trainable: 3000,
    isLora: false,
    plan: "lean",
    hasReference: false,
  };
  const parts = updateMemory(shape, { tokens: 8, scores: 128, scored: 4 }, 7);
  assert.equal(parts.weights, 12_000);
  assert.equal(parts.gradients, 24_000);
  assert.equal(parts.moments, 24_000);
  assert.equal(parts.workspace, 7);
  // a token of a layer: 5.2·10 + 4.1·20 + 3·10 + 2.3·5 = 175.5; three inputs of 8 × 10, and 2.8 times (8 · 175.5 + 128)
  assert.ok(Math.abs(parts.activations! - 4 * (240 + 2.8 * (1404 + 128))) < 1e-6);
  // five copies of 16 rows of logits, two more of the head's gradient [100, 10]
  assert.equal(parts.logits, 4 * (5 * 1600 + 2000));
  // fast: two layers of 1404 + 128, and twice the scores; nothing is merged without an adapter
  const fast = updateMemory({ ...shape, plan: "fast" }, { tokens: 8, scores: 128, scored: 4 });
  assert.ok(Math.abs(fast.activations! - 4 * (2 * (1404 + 128) + 256)) < 1e-6);
});

test("largestMicroBatch: never less than what packRows makes of equal groups, and close to it", () => {
  for (const [groups, size, prompt, completion] of [
    [4, 4, 10, 6],
    [3, 8, 5, 20],
    [6, 2, 40, 3],
    [5, 1, 7, 9],
  ] as const)
    for (const maxTokens of [10_000, 200, 90, 40, 16]) {
      const rows: TrainingRow[] = Array.from({ length: groups * size }, (_, i) => ({
        promptIds: Array.from({ length: prompt }, (_, at) => (at === 0 ? Math.floor(i / size) : 1)),
        ids: new Array<number>(completion).fill(2),
        features: {},
      }));
      const made = packRows(rows, { maxTokens, temperature: 1, padId: 0 });
      const most = Math.max(...made.map(({ batch }) => batch.ids.length));
      const { tokens } = largestMicroBatch({ groups, size, prompt, completion }, maxTokens, 1);
      const what = `${groups} × ${size} of ${prompt} + ${completion} in ${maxTokens}: ${tokens} for ${most}`;
      assert.ok(tokens >= most && tokens <= 1.6 * most, what);
    }
});

test("fitStep: more budget never gives smaller batches, what is chosen fits and is chosen again", () => {
  let before = { microBatchTokens: 0, batchSize: 0 };
  for (const gb of [1.6, 1.8, 2, 3, 5, 8]) {
    const fitted = fitStep(SHAPE, WORK, `${gb}GB`);
    assert.ok(fitted.microBatchTokens >= before.microBatchTokens && fitted.batchSize >= before.batchSize, `${gb} GB`);
    assert.ok(peakOf(fitted.memory) <= gb * 1e9);
    const { microBatchTokens, batchSize } = fitted;
    const again = fitStep(SHAPE, { ...WORK, microBatchTokens, batchSize }, `${gb}GB`);
    assert.deepEqual(again, fitted);
    before = fitted;
  }
  assert.deepEqual([before.microBatchTokens, before.batchSize], [8192, 64], "enough memory: as the recipe says");
  assert.ok(fitStep(SHAPE, WORK, "1.6GB").microBatchTokens < 2048);
});

test("fitStep: a budget below the smallest step is refused with the parts and what would do", () => {
  const message =
    /^update\.memory 700MB: too small for the rollout of one completion of 512 tokens\. It needs weights 0\.56 GB, program 0\.41 GB, .*moments 0\.04 GB.*Give at least 1\.[3-5]GB, lower rollout\.maxTokens, or take a model smaller than 30 layers of 576$/;
  assert.throws(() => fitStep(SHAPE, WORK, "700MB"), { name: "ConfigError", message });
  const full = { ...SHAPE, isLora: false, trainable: SHAPE.parameters };
  assert.throws(() => fitStep(full, { ...WORK, rollout: null }, "2GB"), {
    message: /the update on one row of 512 tokens\. It needs gradients 1\.08 GB, moments 1\.08 GB, .*train an adapter/,
  });
});

test("phaseMemory: the plan fast needs more for the update alone, a control that measures keeps inputs", () => {
  const lean = phaseMemory(SHAPE, WORK);
  const fast = phaseMemory({ ...SHAPE, plan: "fast" }, WORK);
  assert.deepEqual(fast.rollout, lean.rollout);
  assert.ok(totalOf(fast.update) > 2 * totalOf(lean.update));
  const kept = phaseMemory(SHAPE, { ...WORK, measures: true });
  assert.equal(totalOf(kept.update) - totalOf(lean.update), 256 * 2 ** 20); // 18,432 tokens × 31 × 576 × 4 bytes are more
});

test("fitStep: the split that a budget asks for gives the loss and the gradient of the whole batch", async (t) => {
  const engine = await tinyEngine(t, { floatType: "float64" });
  await engine.setLoss(nllLoss());
  const rng = createRng("split");
  const rows = Array.from({ length: 12 }, (): TrainingRow => {
    const ids = randomIds(rng, rng.int(3, 9));
    return { promptIds: [3 + rng.int(0, 1), 5], ids, features: { weight: ids.map(() => rng.normal()) } };
  });
  const work = { ...WORK, rollout: null, groups: 2, groupSize: 6, prompt: 2, completion: 9, microBatchTokens: 8192 };
  const shape = { ...SHAPE, sizes: { ...SHAPE.sizes, width: 100_000 } }; // so wide that a few tokens are much
  const wanted = peakOf(phaseMemory(shape, { ...work, microBatchTokens: 40 }));
  const { microBatchTokens } = fitStep(shape, work, `${(wanted / 0.9 / 1e6).toFixed(3)}MB`);
  const pass = async (maxTokens: number) => {
    engine.clearGradients();
    const parts = packRows(rows, { maxTokens, temperature: 1, padId: 0 });
    let loss = 0;
    for (const { batch } of parts) loss += (await engine.accumulate(batch)).terms.policy!;
    const gradient = [...engine.parameters.trainable.keys()].flatMap((name) => Array.from(engine.gradient(name)));
    return { loss, gradient, count: parts.length };
  };
  const [whole, split] = [await pass(8192), await pass(microBatchTokens)];
  assert.deepEqual([whole.count, split.count > 1], [1, true]);
  assert.ok(Math.abs(split.loss - whole.loss) < 1e-9 * Math.abs(whole.loss));
  const scale = Math.max(...whole.gradient.map(Math.abs));
  split.gradient.forEach((value, i) => {
    assert.ok(Math.abs(value - whole.gradient[i]!) < 1e-9 * scale, `gradient ${i}`);
  });
});
