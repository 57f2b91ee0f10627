import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Engine, openPolicy } from "../../src/policy/index.ts";
import { lossSource, nllLoss } from "../../src/trainers/objective.ts";
import { DataError } from "../../src/utils/errors.ts";
import { createRng } from "../../src/utils/rng.ts";
import { nextLogprobs, randomIds, TINY_FAMILIES, tinyEngine, wholeSequence } from "../support/tiny-engine.ts";
import { tinyConfig, tinyLora } from "../support/tiny-model.ts";
import { temporaryFolder } from "./fixtures.ts";

const text = randomIds(createRng("text"), 20);
const weighted = (ids: readonly number[], weight = 1 / ids.length) => {
  const batch = wholeSequence(ids);
  return { ...batch, features: { weight: new Float32Array(batch.targets.length).fill(weight) } };
};

/** Updates on random texts, the same for equal `name`. */
async function train(engine: Engine, updates: number, name: string): Promise<void> {
  await engine.setLoss(nllLoss());
  for (let i = 0; i < updates; i++) {
    await engine.accumulate(weighted(randomIds(createRng(name).fork(i), 12)));
    engine.update(1e-2, 1);
  }
}

function files(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name)).toString("base64")]),
  );
}

for (const [family, changes] of Object.entries(TINY_FAMILIES))
  test(`a fresh LoRA adapter changes nothing, a trained one can be switched off: ${family}`, async (t) => {
    const plain = await tinyEngine(t, { changes });
    const adapted = await tinyEngine(t, { changes, adapter: tinyLora });
    const expected = await plain.score(wholeSequence(text));
    assert.deepEqual(await adapted.score(wholeSequence(text)), expected);
    await train(adapted, 3, "lora");
    const after = await adapted.score(wholeSequence(text));
    assert.ok(after.logp.some((value, i) => Math.abs(value - expected.logp[i]!) > 1e-2));
    assert.deepEqual(await adapted.measure(wholeSequence(text), { policy: "reference" }), expected);
  });

test("scores are log-probabilities: over the vocabulary they sum to 1, and the entropy is theirs", async (t) => {
  const engine = await tinyEngine(t);
  for (const temperature of [1, 0.5]) {
    const logprobs = await nextLogprobs(engine, text.slice(0, 7), temperature);
    const total = logprobs.reduce((sum, x) => sum + Math.exp(x), 0);
    const entropy = -logprobs.reduce((sum, x) => sum + Math.exp(x) * x, 0);
    const scored = await engine.score(wholeSequence(text.slice(0, 8), 7, temperature));
    assert.ok(Math.abs(total - 1) < 1e-6 && Math.abs(scored.entropy[0]! - entropy) < 1e-5, `${total} ${entropy}`);
    assert.ok(Math.abs(scored.logp[0]! - logprobs[text[7]!]!) < 1e-6);
  }
});

test("scores of a row do not depend on the rows beside it", async (t) => {
  const engine = await tinyEngine(t);
  const [short, long] = [text.slice(0, 6), text];
  const both = Int32Array.from([...short, ...long]);
  const ends = [short.length - 1, both.length - 1];
  const places = Array.from(both.keys()).filter((place) => !ends.includes(place));
  const together = await engine.score({
    ...{
      ids: both,
      prefixes: Int32Array.of(short.length, long.length),
      tails: new Int32Array(0),
      parents: new Int32Array(0),
    },
    ...{ features: {}, scalars: {}, temperature: 1 },
    positions: Int32Array.from(places),
    targets: Int32Array.from(places, (place) => both[place + 1]!),
  });
  const alone = [await engine.score(wholeSequence(short)), await engine.score(wholeSequence(long))];
  const expected = alone.flatMap(({ logp }) => Array.from(logp));
  assert.ok(expected.every((value, i) => Math.abs(value - together.logp[i]!) < 1e-5));
});

for (const adapter of [{ kind: "none" } as const, tinyLora])
  test(`saved state and weights come back with the same bytes and go on equally (adapter ${adapter.kind})`, async (t) => {
    const [first, second] = [temporaryFolder(t), temporaryFolder(t)];
    const engine = await tinyEngine(t, { adapter });
    const fresh = engine.stateHash();
    await train(engine, 3, "before");
    engine.saveState(first);
    engine.saveWeights(first);
    assert.deepEqual(readdirSync(first).length, 2);
    const other = await tinyEngine(t, { adapter });
    assert.equal(other.stateHash(), fresh);
    other.loadState(first);
    assert.notEqual(engine.stateHash(), fresh);
    assert.deepEqual([other.stateHash(), other.weightsHash()], [engine.stateHash(), engine.weightsHash()]);
    other.saveState(second);
    other.saveWeights(second);
    assert.deepEqual(files(second), files(first));
    for (const each of [engine, other]) await train(each, 2, "after");
    assert.equal(other.stateHash(), engine.stateHash());
    assert.deepEqual(await other.score(wholeSequence(text)), await engine.score(wholeSequence(text)));
  });

test("weights alone come back too, and those of another size are refused", async (t) => {
  const folder = temporaryFolder(t);
  const engine = await tinyEngine(t);
  engine.saveWeights(folder);
  const other = await tinyEngine(t, { noise: 0 });
  assert.notEqual(other.weightsHash(), engine.weightsHash());
  other.loadWeights(folder);
  assert.equal(other.weightsHash(), engine.weightsHash());
  const wider = await tinyEngine(t, { changes: { ffWidth: 32 } });
  assert.throws(
    () => wider.loadWeights(folder),
    (error) =>
      error instanceof DataError && /gate_proj.weight has 384 values, this policy needs 512/.test(error.message),
  );
});

test("an update with a gradient that is not finite changes no weight and names the tensor", async (t) => {
  const engine = await tinyEngine(t);
  const before = engine.stateHash();
  await engine.setLoss(nllLoss());
  await engine.accumulate(weighted(text, Number.NaN));
  assert.match(engine.firstBadTensor() ?? "", /^gradient of model\./);
  const { nonFinite } = engine.update(1e-2, 1);
  assert.match(nonFinite ?? "", /^model\./);
  assert.equal(engine.stateHash(), before);
  assert.equal(engine.firstBadTensor(), null);
  (engine.parameters.trainable.get("model.norm.weight") as Float32Array)[3] = Number.POSITIVE_INFINITY;
  assert.equal(engine.firstBadTensor(), "weight model.norm.weight");
});

test("gradients add up until an update or until they are cleared", async (t) => {
  const engine = await tinyEngine(t);
  await engine.setLoss(nllLoss());
  const name = "model.layers.1.mlp.up_proj.weight";
  await engine.accumulate(weighted(text));
  const once = engine.gradient(name);
  await engine.accumulate(weighted(text));
  const twice = engine.gradient(name);
  assert.ok(once.some((value) => Math.abs(value) > 1e-3));
  assert.ok(twice.every((value, i) => value === 2 * once[i]!));
  const norm = Math.hypot(...twice);
  assert.ok(Math.abs(engine.gradientNorms()[name]! - norm) <= 1e-6 * norm);
  engine.clearGradients();
  assert.ok(engine.gradient(name).every((value) => value === 0));
  assert.throws(() => engine.gradient("model.nothing"), /gradient\(\): model.nothing does not train/);
});

test("in a thread of its own the engine gives the same numbers, and its errors keep their class", async (t) => {
  const origin = { kind: "initial", config: tinyConfig(), seed: 5, scale: 1 } as const;
  const policy = await openPolicy({ origin, adapter: { kind: "none" }, seed: 9, threads: 1 });
  t.after(() => policy.close());
  const engine = await tinyEngine(t, { noise: 0 });
  assert.equal(
    policy.trainableCount,
    [...engine.parameters.trainable.values()].reduce((sum, { length }) => sum + length, 0),
  );
  assert.deepEqual(await policy.score(wholeSequence(text)), await engine.score(wholeSequence(text)));
  await policy.useLoss(lossSource("nllLoss"));
  await engine.setLoss(nllLoss());
  assert.deepEqual(await policy.accumulate(weighted(text)), await engine.accumulate(weighted(text)));
  assert.deepEqual(await policy.gradientNorms(), engine.gradientNorms());
  assert.deepEqual(await policy.update(1e-2, 1), engine.update(1e-2, 1));
  assert.equal(await policy.stateHash(), engine.stateHash());
  await assert.rejects(policy.loadWeights(temporaryFolder(t)), DataError);
  await assert.rejects(policy.gradient("model.nothing"), DataError);
});
