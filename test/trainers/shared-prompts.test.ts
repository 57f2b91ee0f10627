import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine, SequenceBatch, UpdatePlan } from "../../src/policy/index.ts";
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

/** Log-probs of all scored tokens, row after row, and the accumulated gradient. */
async function passOver(engine: Engine, rows: readonly TrainingRow[], parts: readonly MicroBatch[]) {
  engine.clearGradients();
  const logp = new Map<number, number[]>();
  for (const { rows: members, batch } of parts) {
    const result = await engine.accumulate(batch);
    let slot = 0;
    for (const row of members) {
      const length = rows[row]!.ids.length + (rows[row]!.afterEnd ? 1 : 0);
      logp.set(row, Array.from(result.logp.slice(slot, slot + length)));
      slot += length;
    }
    assert.equal(slot, result.logp.length);
  }
  const gradient = [...engine.parameters.trainable.keys()].flatMap((name) => Array.from(engine.gradient(name)));
  return { logp: rows.flatMap((_, row) => logp.get(row)!), gradient };
}

function assertClose(got: readonly number[], expected: readonly number[], what: string): void {
  const scale = Math.max(1e-3, ...expected.map(Math.abs));
  assert.equal(got.length, expected.length);
  got.forEach((x, i) => {
    assert.ok(Math.abs(x - expected[i]!) < 1e-11 * scale, `${what} ${i}: ${x} against ${expected[i]}`);
  });
}

for (const [family, changes] of Object.entries(TINY_FAMILIES))
  for (const adapter of [{ kind: "none" } as const, tinyLora])
    test(`a prompt that rows share, either plan, and queries in chunks, give the scores and the gradient of rows that each carry it: ${family}, adapter ${adapter.kind}`, async (t) => {
      const open = async (plan: UpdatePlan, scores?: number): Promise<Engine> => {
        const options = { changes, adapter, plan, floatType: "float64", ...(scores ? { scores } : {}) } as const;
        const engine = await tinyEngine(t, options);
        const rng = createRng("B");
        if (adapter.kind === "lora")
          for (const array of engine.parameters.trainable.values())
            for (let i = 0; i < array.length; i++) array[i] = 0.3 * rng.normal(); // B = 0 would hide half of the gradient
        await engine.setLoss(nllLoss());
        return engine;
      };
      const [lean, fast] = [await open("lean"), await open("fast")];
      const chunked = [await open("lean", 700), await open("fast", 60)]; // of a few rows, and of one
      for (const seed of [1, 2]) {
        const rows = rowsOf(seed);
        const single = rows.map((row, i) => ({ batch: packRows([row], OPTIONS)[0]!.batch, rows: [i] }));
        const alone = await passOver(lean, rows, single);
        for (const maxTokens of [10_000, 60, 1]) {
          const parts = packRows(rows, { ...OPTIONS, maxTokens });
          assert.equal(
            parts.some(({ batch }) => batch.tails.length > 0),
            maxTokens > 1,
          );
          for (const { rows, batch } of parts) assert.ok(rows.length === 1 || blockOf(batch) <= maxTokens);
          for (const engine of [lean, fast, ...chunked]) {
            const { logp, gradient } = await passOver(engine, rows, parts);
            assertClose(logp, alone.logp, "logp");
            assertClose(gradient, alone.gradient, "gradient");
          }
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
