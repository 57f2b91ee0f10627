import assert from "node:assert/strict";
import { test } from "node:test";
import { pack } from "../../src/policy/packing.ts";
import { Positions } from "../../src/policy/positions.ts";
import { tinyConfig } from "../support/tiny-model.ts";

const config = tinyConfig({ heads: 2, kvHeads: 1 });
const positions = new Positions(config, "float64");
const none = new Int32Array(0);

test("pack: queries go in equal chunks of half the scores that may be held, where a block has more of them", () => {
  const lengths = { prefixes: Int32Array.of(7, 3), tails: none, parents: none };
  const whole = pack(lengths, config, positions, 2 * 2 * 7 * 7);
  assert.equal(whole.form.chunks, false);
  assert.deepEqual(whole.feeds["prefix/querySlots"]!.shape, [2, 1, 2, 7]);
  const { form, feeds } = pack(lengths, config, positions, 195); // 97 at once: 3 rows of 2 · 2 · 7
  assert.equal(form.chunks, true);
  assert.deepEqual(feeds["prefix/querySlots"]!.shape, [3, 2, 1, 2, 3]);
  assert.deepEqual(feeds["prefix/keySlots"]!.shape, [2, 1, 9]);
  assert.deepEqual([...(feeds["prefix/ends"]!.data as BigInt64Array)], [3n, 6n, 9n]);
  const mask = Array.from(feeds["prefix/causal"]!.data as Float64Array, (x) => (x === 0 ? "." : "x")).join("");
  assert.equal(mask, [".......xx", "........x", "........."].join("")); // rows 6, 7, 8 of 9
});

test("pack: the longest tail decides for tails, with what they see of their prefixes", () => {
  const lengths = { prefixes: Int32Array.of(2), tails: Int32Array.of(4, 6), parents: Int32Array.of(0, 0) };
  const scores = 2 * 2 * 6 * (2 + 6); // rows · heads · queries · (prefix + own)
  assert.equal(pack(lengths, config, positions, scores).form.chunks, false);
  const { form, feeds } = pack(lengths, config, positions, scores - 1);
  assert.deepEqual(form, { tails: true, chunks: true });
  assert.deepEqual(feeds["tail/querySlots"]!.shape, [3, 1, 1, 2, 2, 2]);
  assert.deepEqual(feeds["prefix/querySlots"]!.shape, [1, 1, 1, 2, 2]); // short: one chunk
});
