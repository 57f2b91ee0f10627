import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../../src/policy/index.ts";
import { createRng, type Rng } from "../../src/utils/rng.ts";
import { addNoise, randomIds, TINY_FAMILIES, tinyEngine, wholeSequence } from "../support/tiny-engine.ts";
import { tinyLora } from "../support/tiny-model.ts";

const PLAIN = { temperature: 1, topK: 0, topP: 1, minP: 0 };

/** A row's text so far with where its drawn tokens stand, and what was said of them. */
interface Row {
  ids: number[];
  drawn: { at: number; logp: number; entropy: number }[];
  /** Tokens that the cache has not seen. */
  pending: number[];
}

const note = (row: Row, id: number, logp: number, entropy: number): void => {
  row.drawn.push({ at: row.ids.length, logp, entropy });
  row.ids.push(id);
  row.pending = [id];
};

/** Rows grow by drawn tokens and by given ones, in a random order: some rest, some read, some are dropped, some begin anew. */
async function wander(engine: Engine, rng: Rng, sharePrompts: boolean): Promise<Row[]> {
  const prompts = [randomIds(rng, 4), randomIds(rng, 11)];
  const all: Row[] = prompts.flatMap((prompt) =>
    Array.from({ length: 3 }, () => ({ ids: [...prompt], drawn: [], pending: [] })),
  );
  let rows = all;
  const uniforms = (count: number) => Float32Array.from({ length: count }, () => rng.uniform());
  const first = await engine.decodeStart({
    ...{ ...PLAIN, prompts, repeats: [3, 3], maxTokens: 200, sharePrompts },
    uniforms: uniforms(6),
  });
  rows.forEach((row, i) => {
    note(row, first.ids[i]!, first.logp[i]!, first.entropy[i]!);
  });
  for (let round = 0; round < 14; round++) {
    const some = rows.flatMap((_, i) => (rng.uniform() < 0.5 ? [i] : []));
    if (some.length > 0 && round % 2 === 0) {
      const restart = round === 6;
      const tokens = some.map((i) => {
        const more = randomIds(rng, 1 + Math.floor(rng.uniform() * 9));
        const row = rows[i]!;
        if (restart) Object.assign(row, { ids: [...more], drawn: [] });
        else row.ids.push(...more);
        return restart ? more : [...row.pending, ...more];
      });
      const drawn = await engine.decodeExtend({ rows: some, tokens, uniforms: uniforms(some.length), restart });
      some.forEach((i, at) => {
        note(rows[i]!, drawn.ids[at]!, drawn.logp[at]!, drawn.entropy[at]!);
      });
    } else {
      const keep = round === 9 ? [0, 2, 3, 5] : undefined;
      if (keep) {
        engine.decodeKeep(keep);
        rows = keep.map((i) => rows[i]!);
      }
      const active = Uint8Array.from(rows, () => (rng.uniform() < 0.7 ? 1 : 0));
      const drawn = await engine.decodeStep(uniforms(rows.length), active);
      rows.forEach((row, i) => {
        if (active[i]) note(row, drawn.ids[i]!, drawn.logp[i]!, drawn.entropy[i]!);
      });
    }
  }
  engine.decodeEnd();
  return all;
}

for (const [family, changes] of Object.entries(TINY_FAMILIES)) {
  test(`decodeExtend: rows that read and draw in any order get the numbers of a pass from scratch: ${family}`, async (t) => {
    const engine = await tinyEngine(t, { changes, adapter: tinyLora });
    for (const [name, array] of engine.parameters.trainable) addNoise(array, 0.3, createRng("lora").fork(name));
    for (let seed = 0; seed < 4; seed++) {
      let compared = 0;
      for (const { ids, drawn } of await wander(engine, createRng(`extend ${seed}`), seed % 2 === 1)) {
        const { logp, entropy } = await engine.score(wholeSequence(ids, 1, 1));
        for (const one of drawn) {
          assert.ok(Math.abs(logp[one.at - 1]! - one.logp) <= 1e-5, `${seed}: ${logp[one.at - 1]} ${one.logp}`);
          assert.ok(Math.abs(entropy[one.at - 1]! - one.entropy) <= 1e-5);
          compared++;
        }
      }
      assert.ok(compared > 30, `${compared}`);
    }
  });
}
