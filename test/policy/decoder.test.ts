import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../../src/policy/index.ts";
import { createRng } from "../../src/utils/rng.ts";
import { addNoise, nextLogprobs, randomIds, TINY_FAMILIES, tinyEngine, wholeSequence } from "../support/tiny-engine.ts";
import { tinyLora } from "../support/tiny-model.ts";

const TEMPERATURE = 0.8;
const PLAIN = { temperature: TEMPERATURE, topK: 0, topP: 1, minP: 0 };
const rng = createRng("decoder");
const prompts = [randomIds(rng, 3), randomIds(rng, 9), randomIds(rng, 1), randomIds(rng, 5)];
const repeats = [2, 1, 3, 1];
const promptOfRow = prompts.flatMap((prompt, i) => new Array<readonly number[]>(repeats[i]!).fill(prompt));

/** A row that grows: its numbers do not depend on which other rows are decoded beside it. */
interface Row {
  readonly row: number;
  readonly prompt: readonly number[];
  readonly ids: number[];
  readonly policyLogp: number[];
  readonly entropy: number[];
}

/** Decodes with one stream of uniform numbers a row; after so many tokens only the listed rows go on. */
async function decode(
  engine: Engine,
  maxTokens: number,
  keepAfter: Readonly<Record<number, readonly number[]>> = {},
  sharePrompts = false,
) {
  const all: Row[] = promptOfRow.map((prompt, row) => ({ row, prompt, ids: [], policyLogp: [], entropy: [] }));
  const streams = all.map(({ row }) => createRng("draws").fork(row));
  const uniforms = (rows: readonly Row[]) => Float32Array.from(rows, ({ row }) => streams[row]!.uniform());
  let live = all;
  let drawn = await engine.decodeStart({
    ...{ ...PLAIN, prompts, repeats, maxTokens, sharePrompts },
    uniforms: uniforms(all),
  });
  for (let step = 1; ; step++) {
    live.forEach((row, i) => {
      row.ids.push(drawn.ids[i]!);
      row.policyLogp.push(drawn.policyLogp[i]!);
      row.entropy.push(drawn.entropy[i]!);
    });
    if (step === maxTokens) break;
    const keep = keepAfter[step];
    const places = keep?.map((row) => live.findIndex((other) => other.row === row));
    if (places) {
      engine.decodeKeep(places);
      live = places.map((place) => live[place]!);
    }
    drawn = await engine.decodeStep(uniforms(live));
  }
  engine.decodeEnd();
  return all;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
}

for (const [family, changes] of Object.entries(TINY_FAMILIES)) {
  for (const adapter of [{ kind: "none" } as const, tinyLora]) {
    test(`decoding with the cache equals scoring from scratch: ${family}, adapter ${adapter.kind}`, async (t) => {
      const engine = await tinyEngine(t, { changes, adapter });
      if (adapter.kind === "lora")
        for (const [name, array] of engine.parameters.trainable) addNoise(array, 0.3, createRng("lora").fork(name));
      const rows = await decode(engine, 12, { 4: [0, 1, 3, 4, 6], 7: [1, 4] });
      assert.deepEqual(
        rows.map(({ ids }) => ids.length),
        [7, 12, 4, 7, 12, 4, 7],
      );
      for (const { prompt, ids, policyLogp, entropy } of rows) {
        const scored = await engine.score(wholeSequence([...prompt, ...ids], prompt.length, TEMPERATURE));
        assert.ok(largestDifference(scored.logp, policyLogp) <= 1e-5, `${prompt.length}`);
        assert.ok(largestDifference(scored.entropy, entropy) <= 1e-5, `${prompt.length}`);
      }
      assert.ok(new Set(rows.flatMap(({ ids }) => ids)).size > 6, "the samples must vary");
    });
  }
}

test("decoding: dropping rows changes nothing for the others", async (t) => {
  const engine = await tinyEngine(t);
  const whole = await decode(engine, 10);
  const compacted = await decode(engine, 10, { 2: [1, 2, 5, 6], 3: [2, 6], 8: [6] });
  for (const { row, ids, policyLogp } of compacted) {
    assert.deepEqual(ids, whole[row]!.ids.slice(0, ids.length));
    assert.ok(largestDifference(policyLogp, whole[row]!.policyLogp.slice(0, ids.length)) <= 1e-6);
  }
  assert.deepEqual(
    compacted.map(({ ids }) => ids.length),
    [2, 3, 8, 2, 2, 3, 10],
  );
});

test("decoding: prompts that rows share give the same as copies of them", async (t) => {
  const engine = await tinyEngine(t, { changes: TINY_FAMILIES["qwen3, q/k norms, wide heads"]!, adapter: tinyLora });
  const keeps = { 3: [1, 2, 4, 6], 8: [1, 6] };
  const copied = await decode(engine, 12, keeps);
  const shared = await decode(engine, 12, keeps, true);
  copied.forEach(({ ids, policyLogp, entropy }, row) => {
    assert.deepEqual(shared[row]!.ids, ids);
    assert.ok(largestDifference(shared[row]!.policyLogp, policyLogp) <= 1e-5);
    assert.ok(largestDifference(shared[row]!.entropy, entropy) <= 1e-5);
  });
});

for (const sharePrompts of [false, true])
  test(`decoding: more prompts than fit one pass over them are computed in several, shared ${sharePrompts}`, async (t) => {
    const engine = await tinyEngine(t);
    const many = Array.from({ length: 150 }, (_, i) => randomIds(createRng("many").fork(i), 20 + (i % 21)));
    const { ids, logp } = await engine.decodeStart({
      ...{ ...PLAIN, temperature: 0, prompts: many, repeats: many.map(() => 2), maxTokens: 2, sharePrompts },
      uniforms: new Float32Array(300),
    });
    const second = await engine.decodeStep(new Float32Array(300));
    for (const i of [0, 1, 75, 101, 102, 103, 149]) {
      const prompt = many[i]!;
      const { logp: expected } = await engine.score(
        wholeSequence([...prompt, ids[2 * i]!, second.ids[2 * i]!], prompt.length),
      );
      for (const row of [2 * i, 2 * i + 1])
        assert.ok(largestDifference([logp[row]!, second.logp[row]!], expected) <= 1e-5, `prompt ${i}`);
    }
    engine.decodeEnd();
  });

test("decoding: temperature 0 takes the most probable token and tells its log-prob at temperature 1", async (t) => {
  const engine = await tinyEngine(t);
  const greedy = { temperature: 0, topK: 0, topP: 1, minP: 0 };
  let drawn = await engine.decodeStart({ ...greedy, prompts, repeats, maxTokens: 6, uniforms: new Float32Array(7) });
  const texts = promptOfRow.map((prompt) => [...prompt]);
  for (let step = 0; step < 6; step++) {
    for (const [row, ids] of texts.entries()) {
      const logprobs = await nextLogprobs(engine, ids);
      const best = logprobs.indexOf(Math.max(...logprobs));
      assert.equal(drawn.ids[row], best);
      assert.ok(Math.abs(drawn.logp[row]! - logprobs[best]!) <= 1e-5);
      assert.equal(drawn.logp[row], drawn.policyLogp[row]);
      ids.push(best);
    }
    if (step < 5) drawn = await engine.decodeStep(new Float32Array(7));
  }
  engine.decodeEnd();
  assert.throws(() => engine.decodeStep(new Float32Array(7)), /decodeStep\(\) before decodeStart\(\)/);
});

test("prompts whose queries go in chunks decode to the same tokens and numbers", async (t) => {
  const rows = await decode(await tinyEngine(t), 4);
  const inChunks = await decode(await tinyEngine(t, { scores: 100 }), 4);
  rows.forEach(({ ids, policyLogp }, i) => {
    assert.deepEqual(inChunks[i]!.ids, ids);
    assert.ok(largestDifference(inChunks[i]!.policyLogp, policyLogp) < 1e-5);
  });
});
