import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { createRng } from "../../src/utils/rng.ts";

const draw = (count: number, next: () => number): number[] => Array.from({ length: count }, next);

/**
 * xoroshiro128+ (Blackman and Vigna) written down a second time over 64-bit integers, from the same digest of the path: the stream is part
 * of what a run folder promises.
 */
function reference(path: string, count: number): number[] {
  const digest = createHash("sha256").update(path).digest();
  const words = [0, 4, 8, 12].map((offset) => BigInt(digest.readUInt32LE(offset)));
  const mask = 2n ** 64n - 1n;
  const rotate = (x: bigint, bits: bigint): bigint => ((x << bits) | (x >> (64n - bits))) & mask;
  let [first, second] = [(words[0]! << 32n) | words[1]!, (words[2]! << 32n) | words[3]!];
  return draw(count, () => {
    const out = Number((first + second) & 0xffffffffn);
    const mixed = first ^ second;
    first = rotate(first, 24n) ^ mixed ^ ((mixed << 16n) & mask);
    second = rotate(mixed, 37n);
    return out;
  });
}

test("createRng: the stream is xoroshiro128+ from the digest of the names", () => {
  const rng = createRng(7);
  assert.deepEqual(
    draw(50, () => rng.uint32()),
    reference("seed:7", 50),
  );
  const fork = createRng("seven").fork("sampling", 3);
  assert.deepEqual(
    draw(50, () => fork.uint32()),
    reference("seed:seven\0string:sampling\0number:3", 50),
  );
});

test("fork: depends on seed and names alone, not on what was drawn before", () => {
  const fresh = createRng(1).fork("a", 2);
  const used = createRng(1);
  draw(100, () => used.uint32());
  const late = used.fork("a", 2);
  assert.deepEqual(draw(10, fresh.uint32), draw(10, late.uint32));
  const nested = createRng(1).fork("a").fork(2);
  assert.equal(nested.uint32(), createRng(1).fork("a", 2).uint32());
});

test("fork: other names, types and seeds give other streams", () => {
  const root = createRng(1);
  const streams = [
    root,
    root.fork("a"),
    root.fork("b"),
    root.fork("a", "b"),
    root.fork("ab"),
    root.fork(1),
    root.fork("1"),
  ];
  const firsts = [...streams, createRng(2)].map((stream) => stream.uint32());
  assert.equal(new Set(firsts).size, firsts.length);
});

test("uniform: inside (0, 1), a multiple of 2^-24, mean 1/2 and variance 1/12", () => {
  const values = draw(20000, createRng("uniform").uniform);
  for (const value of values) {
    assert.ok(value > 0 && value < 1);
    assert.ok(Number.isInteger(value * 2 ** 24) && Math.fround(value) === value);
  }
  const mean = values.reduce((sum, value) => sum + value) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  assert.ok(Math.abs(mean - 1 / 2) < 4 * Math.sqrt(1 / 12 / values.length)); // 4 standard errors
  assert.ok(Math.abs(variance - 1 / 12) < 0.002);
});

test("int: both bounds occur, all values equally often", () => {
  const rng = createRng("int");
  const counts = new Map<number, number>();
  for (let i = 0; i < 7000; i++) {
    const value = rng.int(-3, 3);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  assert.deepEqual(
    [...counts.keys()].sort((a, b) => a - b),
    [-3, -2, -1, 0, 1, 2, 3],
  );
  for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 4 * Math.sqrt(1000 * (6 / 7))); // 4 standard deviations
  assert.equal(rng.int(5, 5), 5);
});

test("normal: mean 0, variance 1, two-sided 5 % beyond 1.96", () => {
  const values = draw(20000, createRng("normal").normal);
  const mean = values.reduce((sum, value) => sum + value) / values.length;
  const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
  const tails = values.filter((value) => Math.abs(value) > 1.96).length / values.length;
  assert.ok(Math.abs(mean) < 4 / Math.sqrt(values.length));
  assert.ok(Math.abs(variance - 1) < 4 * Math.sqrt(2 / values.length));
  assert.ok(Math.abs(tails - 0.05) < 4 * Math.sqrt((0.05 * 0.95) / values.length));
});

test("shuffle: a permutation of a copy; pick: an element, and an error for none", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer(), (items, seed) => {
      const before = [...items];
      const shuffled = createRng(seed).shuffle(items);
      assert.deepEqual(items, before);
      assert.deepEqual([...shuffled].sort(), [...items].sort());
      if (items.length > 0) assert.ok(items.includes(createRng(seed).pick(items)));
    }),
  );
  assert.throws(() => createRng(1).pick([]), { name: "RangeError", message: "rng.pick(): the list is empty" });
});

test("shuffle: every order of three is equally likely", () => {
  const rng = createRng("shuffle");
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const order = rng.shuffle(["a", "b", "c"]).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.equal(counts.size, 6);
  for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 4 * Math.sqrt(1000 * (5 / 6)));
});
