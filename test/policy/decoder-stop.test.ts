import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Learner, openLearner } from "../../src/policy/index.ts";
import { generate, type Task } from "../../src/rollout/index.ts";
import { createRng } from "../../src/utils/rng.ts";

const init = {
  width: 16,
  layers: 2,
  heads: 2,
  kvHeads: 1,
  ffWidth: 32,
  ropeTheta: 10000,
  maxPositions: 64,
  initScale: 1,
};
let learner: Learner;
before(async () => {
  learner = await openLearner({ model: { init, seed: 2 }, adapter: { kind: "none" }, seed: 0, threads: 1 });
});
after(() => learner.close());

const tasks = ["1+2=", "7", "12*3,", "4-"].map(
  (prompt): Task => ({ id: prompt, set: "test", prompt, answer: null, data: {} }),
);
const requests = tasks.map((task, group) => ({ task, group, count: 12 }));

async function sample(stop: readonly string[], batchSize = 64) {
  const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: 24, stop: [...stop] };
  return (await generate(learner, requests, { sampling, batchSize, rng: createRng("stop") })).completions;
}

test("completions end at the first stop string, the end token or the length, and are cut of the same text", async () => {
  const whole = await sample([]);
  assert.deepEqual([...new Set(whole.map(({ stop }) => stop))].sort(), ["eos", "length"]);
  const pair = mostFrequentPair(whole.map(({ ids }) => ids));
  const stop = [pair, pair.includes("9") ? "8" : "9"];
  const stopped = await sample(stop);
  let byString = 0;
  stopped.forEach(({ ids, text, logp, entropy, stop: reason }, i) => {
    const other = whole[i]!;
    assert.deepEqual(ids, other.ids.slice(0, ids.length));
    assert.deepEqual([logp.length, entropy.length], [ids.length, ids.length]);
    const beforeLast = learner.tokenizer.decode(ids.slice(0, -1), { skipSpecial: true });
    assert.ok(!stop.some((end) => beforeLast.includes(end)), `went on after a stop string: ${text}`);
    if (stop.some((end) => text.includes(end))) {
      byString++;
      assert.equal(reason, "string");
    } else {
      assert.equal(reason, other.stop);
      assert.equal(ids.length, other.ids.length);
      assert.equal(reason === "eos", learner.tokenizer.eosIds.includes(ids.at(-1)!));
      assert.equal(reason === "length", reason !== "eos" && ids.length === 24);
    }
  });
  assert.ok(byString >= 10 && byString < stopped.length, `${byString} ended by a stop string`);
  assert.ok(
    stopped.some(({ text }) => text.endsWith(pair)),
    `one of two tokens too: ${pair}`,
  );
});

test("completions do not depend on how many are decoded at once", async () => {
  const [large, small] = [await sample(["9"]), await sample(["9"], 5)];
  assert.deepEqual(
    small.map(({ ids, stop }) => [ids, stop]),
    large.map(({ ids, stop }) => [ids, stop]),
  );
  for (const [i, { policyLogp }] of small.entries())
    policyLogp.forEach((value, j) => {
      assert.ok(Math.abs(value - large[i]!.policyLogp[j]!) < 1e-5);
    });
});

/** Text of the two neighbouring tokens that most completions have. */
function mostFrequentPair(rows: readonly (readonly number[])[]): string {
  const counts = new Map<string, number>();
  const text = (ids: readonly number[]): string => learner.tokenizer.decode(ids, { skipSpecial: true });
  for (const ids of rows)
    for (const pair of new Set(ids.slice(1).map((id, i) => text([ids[i]!]) && text([id]) && text([ids[i]!, id]))))
      if (pair !== "") counts.set(pair, (counts.get(pair) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]![0];
}
