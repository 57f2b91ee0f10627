import assert from "node:assert/strict";
import { test } from "node:test";
import type { SequenceBatch } from "../../src/policy/index.ts";
import { type MicroBatch, packRows, type TrainingRow } from "../../src/trainers/micro-batch.ts";
import { nllLoss } from "../../src/trainers/objective.ts";
import { createRng } from "../../src/utils/rng.ts";
import { randomIds, TINY_FAMILIES, tinyEngine } from "../support/tiny-engine.ts";
import { tinyLora } from "../support/tiny-model.ts";

const OPTIONS = { maxTokens: 10_000, temperature: 0.9, padId: 0 };

/** Groups of rows: of one and of several, of very different lengths, with turns, with contexts that began anew, and with nothing but one token. */
function rowsOf(seed: number): TrainingRow[] {
  const rng = createRng("rows").fork(seed);
  const rows: TrainingRow[] = [];
  for (const size of [3, 1, 4, 2]) {
    const promptIds = randomIds(rng, rng.int(1, 7));
    for (let member = 0; member < size; member++) {
      const ids = randomIds(rng, rng.int(1, 9));
      const weight = Array.from(ids, () => rng.normal() / 10);
      const turn = (at: number, restart: boolean) => ({
        at,
        ...(restart ? { restart: true as const } : {}),
        segments: [{ provenance: "environment" as const, ids: randomIds(rng, rng.int(1, 5)) }],
      });
      const at = rng.int(1, 8);
      const inserts = at < ids.length && rng.uniform() < 0.6 ? { inserts: [turn(at, rng.uniform() < 0.4)] } : {};
      const afterEnd = rng.uniform() < 0.2;
      rows.push({ promptIds, ids, ...inserts, features: { weight: afterEnd ? [...weight, 0.1] : weight }, afterEnd });
    }
  }
  return rows;
}

const blockOf = ({ prefixes, tails, parents }: SequenceBatch): number => {
  const most = Math.max(0, ...Array.from(prefixes, (_, p) => parents.filter((parent) => parent === p).length));
  return prefixes.length * (Math.max(...prefixes) + most * Math.max(0, ...tails));
};

for (const [family, changes] of Object.entries(TINY_FAMILIES))
  for (const adapter of [{ kind: "none" } as const, tinyLora])
    test(`a prompt that rows share gives the scores and the gradient of rows that each carry it: ${family}, adapter ${adapter.kind}`, async (t) => {
      const engine = await tinyEngine(t, { changes, adapter, floatType: "float64" });
      if (adapter.kind === "lora") {
        const rng = createRng("B");
        for (const array of engine.parameters.trainable.values())
          for (let i = 0; i < array.length; i++) array[i] = 0.3 * rng.normal(); // B = 0 would hide half of the gradient
      }
      await engine.setLoss(nllLoss());
      const gradientOf = async (parts: readonly MicroBatch[]) => {
        engine.clearGradients();
        const logp = new Map<number, number[]>();
        for (const { rows, batch } of parts) {
          const result = await engine.accumulate(batch);
          let slot = 0;
          for (const row of rows) {
            const length = rowsNow[row]!.ids.length + (rowsNow[row]!.afterEnd ? 1 : 0);
            logp.set(row, Array.from(result.logp.slice(slot, slot + length)));
            slot += length;
          }
          assert.equal(slot, result.logp.length);
        }
        const gradients = [...engine.parameters.trainable.keys()].flatMap((name) => Array.from(engine.gradient(name)));
        return { logp: rowsNow.flatMap((_, row) => logp.get(row)!), gradients };
      };
      let rowsNow: TrainingRow[] = [];
      for (const seed of [1, 2]) {
        rowsNow = rowsOf(seed);
        const alone = await gradientOf(
          rowsNow.map((row, i) => ({ batch: packRows([row], OPTIONS)[0]!.batch, rows: [i] })),
        );
        for (const maxTokens of [10_000, 60, 1]) {
          const parts = packRows(rowsNow, { ...OPTIONS, maxTokens });
          assert.equal(
            parts.some(({ batch }) => batch.tails.length > 0),
            maxTokens > 1,
          );
          for (const { rows, batch } of parts) assert.ok(rows.length === 1 || blockOf(batch) <= maxTokens);
          const { logp, gradients } = await gradientOf(parts);
          const scale = Math.max(...alone.gradients.map(Math.abs));
          logp.forEach((x, i) => {
            assert.ok(Math.abs(x - alone.logp[i]!) < 1e-11, `logp ${i}`);
          });
          gradients.forEach((x, i) => {
            assert.ok(Math.abs(x - alone.gradients[i]!) < 1e-11 * scale, `gradient ${i}: ${x}, ${alone.gradients[i]}`);
          });
        }
      }
    });

test("packRows: a prompt of several rows is there once in a micro-batch, rows without a prompt share nothing", () => {
  const row = (promptIds: number[], ids: number[]): TrainingRow => ({ promptIds, ids, features: {} });
  const [part] = packRows([row([5, 6], [7, 8]), row([5, 6], [7, 9, 4]), row([3], [4]), row([5, 6], [8])], OPTIONS);
  const { ids, prefixes, tails, parents, positions } = part!.batch;
  assert.deepEqual(part!.rows, [2, 3, 0, 1]);
  assert.deepEqual([...prefixes], [2, 1]);
  assert.deepEqual([...tails], [1, 2]);
  assert.deepEqual([...parents], [0, 0]);
  assert.deepEqual([...ids], [5, 6, 3, 7, 7, 9]);
  assert.deepEqual([...positions], [2, 1, 1, 3, 1, 4, 5]);
  const [bare] = packRows([row([], [7, 8]), row([], [7, 9])], OPTIONS);
  assert.deepEqual([[...bare!.batch.prefixes], bare!.batch.tails.length], [[1, 1], 0]);
});
