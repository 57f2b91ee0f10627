import assert from "node:assert/strict";
import { test } from "node:test";
import { PromptCache } from "../../src/policy/prompt-cache.ts";

const HEADS = 4;
const KV_HEADS = 2;

/** Prompts of these lengths with so many rows each; key and value of a token say which prompt and position it is of. */
function filled(lengths: readonly number[], rows: number): PromptCache {
  const promptOf = lengths.flatMap((_, prompt) => new Array<number>(rows).fill(prompt));
  const cache = new PromptCache({ layers: 1, heads: HEADS, kvHeads: KV_HEADS, headDim: 1, lengths, promptOf });
  lengths.forEach((length, prompt) => {
    const keys = Float32Array.from({ length: length * KV_HEADS }, (_, i) => 100 * prompt + Math.floor(i / KV_HEADS));
    cache.write(0, { keys, values: keys.map((key) => -key) }, [{ row: prompt, from: 0, count: length }]);
  });
  return cache;
}

const queries = (cache: PromptCache, rows: readonly number[]): number =>
  cache.view(rows, 1)!.feeds["prompt/slots"]!.data.length;
const keysOf = (cache: PromptCache, rows: readonly number[]): number[] =>
  Array.from(cache.view(rows, 1)!.of(0).keys.data, Number);

test("PromptCache: a run computes prompts that its rows have, and no more rows than the fullest of them", () => {
  const cache = filled([3, 2, 3], 4);
  const all = Array.from({ length: 12 }, (_, row) => row);
  assert.equal(queries(cache, all), 12 * HEADS);
  assert.equal(queries(cache, [0, 1, 5]), 2 * 2 * HEADS);
  assert.equal(queries(cache, [9]), HEADS);
  assert.deepEqual(keysOf(cache, [5]), [100, 100, 101, 101, 0, 0]);
});

test("PromptCache: prompts without rows are dropped; rows that left sit where there is room, and see nothing", () => {
  const cache = filled([3, 2, 3], 4);
  cache.leave([0, 1, 2, 8, 9]);
  const all = Array.from({ length: 12 }, (_, row) => row);
  assert.equal(queries(cache, all), 12 * HEADS);
  assert.deepEqual([cache.before(0), cache.before(3), cache.before(4)], [0, 3, 2]);
  const mask = Array.from(cache.view(all, 1)!.feeds["prompt/mask"]!.data, Number);
  assert.ok(mask.slice(0, 3).every((value) => value < -1e8) && mask.slice(9, 12).every((value) => value === 0));
  cache.keep([0, 4, 5, 10]);
  assert.equal(queries(cache, [0, 1, 2, 3]), 2 * 2 * HEADS);
  assert.deepEqual(keysOf(cache, [0, 1, 2, 3]), [100, 100, 200, 200, 101, 101, 201, 201, 0, 0, 202, 202]);
  assert.equal(cache.view([0], 1), null);
  cache.leave([1, 2, 3]);
  assert.equal(cache.view([0, 1, 2, 3], 5), null);
});
