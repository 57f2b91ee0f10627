import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { trainBytePairs } from "../../../src/policy/byte-pairs.ts";
import { type Learner, openLearner, type SequenceBatch } from "../../../src/policy/index.ts";
import type { InitialTokenizer } from "../../../src/policy/initial-tokenizer.ts";
import { envPool } from "../../../src/rollout/envs/index.ts";
import {
  type Completion,
  ledgerOf,
  RolloutConfig,
  sampleCompletions,
  sampledMask,
  type Task,
} from "../../../src/rollout/index.ts";
import { forMeasuring, layOut, measureLayout, requireSampledTargets } from "../../../src/trainers/token-layout.ts";
import { createRng } from "../../../src/utils/rng.ts";
import { digitsSource, type Fault } from "./digits-env.ts";

const init = {
  ...{ width: 16, layers: 2, heads: 2, kvHeads: 1, ffWidth: 32, ropeTheta: 10000, maxPositions: 600, initScale: 1.5 },
};
const folder = mkdtempSync(join(tmpdir(), "rlvr-episodes-"));
let learner: Learner;
/** Writes any text, in bytes. */
let words: Learner;
before(async () => {
  const files = trainBytePairs(["[earlier turns are left out] [earlier turns: "], { vocab: 280 });
  writeFileSync(join(folder, "tokenizer.json"), files.tokenizerJson);
  writeFileSync(join(folder, "tokenizer_config.json"), files.tokenizerConfigJson);
  const open = (tokenizer: InitialTokenizer) =>
    openLearner({ model: { init: { ...init, tokenizer }, seed: 3 }, adapter: { kind: "none" }, seed: 0, threads: 1 });
  learner = await open("seedling");
  words = await open({ file: folder });
});
after(async () => {
  await learner.close();
  await words.close();
  rmSync(folder, { recursive: true });
});

const plain = {
  turnEnd: ";",
  prompt: ":",
  ...{ system: "{text}", user: "{text}", observation: "{text}", tool: "{text}" },
};
const rollout = (episode: object, more: object = {}) =>
  RolloutConfig.parse({
    maxTokens: 400,
    batchSize: 8,
    dialogue: { plain },
    episode: { turnTokens: 6, ...episode },
    ...more,
  });

interface Play {
  readonly episode?: object;
  readonly more?: object;
  readonly turns?: number;
  readonly faults?: Readonly<Record<number, Fault>>;
  readonly seeds?: readonly number[];
  readonly count?: number;
  readonly writer?: Learner;
}

async function play({
  episode = {},
  more = {},
  turns = 5,
  faults = {},
  seeds = [1, 2, 3],
  count = 4,
  writer = learner,
}: Play) {
  const source = digitsSource(turns, faults);
  const worlds = envPool(source, { size: 16 });
  const config = rollout(episode, more);
  const requests = seeds.map((seed, group) => {
    const task: Task = { id: `digits/${seed}`, set: "digits", prompt: "", answer: null, data: { task: "count", seed } };
    return { task, group, count };
  });
  const sampled = await sampleCompletions(writer, { worlds }, requests, {
    ...{ sampling: config, rollout: config, rng: createRng("episodes") },
  });
  const stats = worlds.stats();
  await worlds.close();
  return { ...sampled, pool: stats, log: source.log };
}

/** Largest difference between the sampler's log-probs and those of a pass over the whole of each completion. */
async function fromScratch(completions: readonly Completion[], { policy, config } = learner): Promise<number> {
  const layout = layOut(
    completions.map((one, i) => forMeasuring(one, i)),
    { maxTokens: 2000, temperature: 1, padId: config.padId },
  );
  const { values } = await measureLayout(policy, layout, {});
  let largest = 0;
  completions.forEach(({ policyLogp, entropy }, i) => {
    const { start } = layout.batch.rows[i]!;
    policyLogp.forEach((value, t) => {
      largest = Math.max(
        largest,
        Math.abs(value - values.logp[start + t]!),
        Math.abs(entropy[t]! - values.entropy[start + t]!),
      );
    });
  });
  return largest;
}

test("episodes: every turn goes to its world, and the ledger holds what was read and written", async () => {
  const { completions, log } = await play({});
  assert.equal(completions.length, 12);
  for (const completion of completions) {
    const { episode, ids, turns, promptIds, inserts, states, task, stop } = completion;
    assert.deepEqual(
      [episode!.turns.length, episode!.end, episode!.success, stop],
      [5, "environment", true, "environment"],
    );
    assert.equal(states!.length, 5);
    assert.deepEqual(states!.slice(0, 2), [`${task.data.seed}`, `${task.data.seed}/1`]);
    assert.equal(learner.tokenizer.decode(promptIds), `${Number(task.data.seed) % 10}?${task.data.seed}>:`);
    assert.equal(inserts!.length, 4);
    episode!.turns.forEach(({ start, end, action, observation }, turn) => {
      const text = learner.tokenizer.decode(ids.slice(start, end), { skipSpecial: true });
      assert.equal(action, text.replace(/\s+/g, " ").trim());
      assert.deepEqual([...new Set(turns!.slice(start, end))], [turn]);
      const next = inserts!.find(({ at }) => at === end);
      if (turn === 4) return;
      const closed = text.endsWith(";") || learner.tokenizer.eosIds.includes(ids[end - 1]!);
      const between = learner.tokenizer.decode(next!.segments.flatMap((segment) => segment.ids));
      assert.ok([`${observation}:`, `;${observation}:`].includes(between), between);
      if (text.endsWith(";")) assert.ok(closed && between.startsWith("8"));
    });
    const ledger = ledgerOf(completion);
    assert.equal(
      sampledMask(ledger).reduce((sum, bit) => sum + bit, 0),
      ids.length,
    );
  }
  assert.ok(new Set(completions.map(({ text }) => text)).size > 8, "members of a group must differ");
  assert.ok(log.opened <= 8, `${log.opened} worlds for 8 episodes at once`);
});

test("episodes: log-probs and entropies over 30 turns are those of a pass from scratch", async () => {
  const { completions, stats } = await play({ turns: 30, episode: { turnTokens: 4 }, count: 2 });
  assert.ok(completions.every(({ episode }) => episode!.turns.length === 30));
  assert.ok((await fromScratch(completions)) < 1e-5);
  const all = completions.reduce((sum, one) => sum + ledgerOf(one).ids.length, 0);
  assert.ok(stats.promptTokensComputed < all, "no token may be computed twice");
  assert.ok(
    stats.promptTokens > 10 * stats.promptTokensComputed,
    "reading anew at every turn would cost many times that",
  );
});

test("episodes: what is sampled does not depend on how many go on at once", async () => {
  const [wide, narrow] = [
    await play({ seeds: [1, 2, 3, 4, 5] }),
    await play({ seeds: [1, 2, 3, 4, 5], more: { batchSize: 3 } }),
  ];
  assert.deepEqual(
    narrow.completions.map(({ ids, inserts }) => [ids, inserts]),
    wide.completions.map(({ ids, inserts }) => [ids, inserts]),
  );
});

test("episodes: limits on turns and tokens end them with their record", async () => {
  const few = await play({ episode: { maxTurns: 3 } });
  assert.ok(
    few.completions.every(
      ({ episode, stop }) => episode!.end === "turns" && episode!.turns.length === 3 && stop === "budget",
    ),
  );
  const short = await play({ more: { maxTokens: 9 } });
  for (const { episode, ids, stop } of short.completions) {
    assert.deepEqual([episode!.end, stop], ["tokens", "length"]);
    assert.equal(ids.length, 9);
    assert.equal(episode!.turns.at(-1)!.end, 9);
  }
});

test("episodes: a context that is full ends them where the strategy is to stop", async () => {
  const { completions } = await play({ turns: 20, episode: { contextTokens: 40 } });
  for (const completion of completions) {
    assert.deepEqual([completion.episode!.end, completion.stop], ["context", "budget"]);
    assert.ok(ledgerOf(completion).ids.length <= 40);
  }
});

for (const overflow of ["slide", "summary"] as const) {
  test(`episodes: a context that is full begins anew with the newest turns: ${overflow}`, async () => {
    const episode = { contextTokens: overflow === "slide" ? 120 : 200, overflow, keepTurns: 2 };
    const { completions } = await play({ turns: 20, episode, writer: words });
    for (const completion of completions) {
      const { episode: played, ids, inserts } = completion;
      assert.equal(played!.turns.length, 20);
      const restarts = inserts!.filter(({ restart }) => restart);
      assert.ok(restarts.length >= 1, `${restarts.length}`);
      for (const { at, segments } of restarts) {
        const done = played!.turns.findIndex(({ end }) => end === at) + 1;
        const text = words.tokenizer.decode(segments.flatMap((segment) => segment.ids));
        const shown = segments.filter(({ provenance }) => provenance === "history");
        const left = done - shown.length;
        const actions = played!.turns.slice(0, left).map(({ action }) => action);
        const notes =
          overflow === "slide"
            ? [`[${left} earlier turns are left out]`]
            : actions.map((_, from) => `[earlier turns: ${from > 0 ? "…; " : ""}${actions.slice(from).join("; ")}]`);
        assert.ok(
          notes.some((note) => text.includes(`${note}\n${played!.turns[left - 1]!.observation}`)),
          text,
        );
        const newest = played!.turns.slice(left, done).map(({ start, end }) => ids.slice(start, end));
        assert.deepEqual(
          shown.map((segment) => segment.ids),
          newest,
        );
        assert.ok(segments.reduce((sum, segment) => sum + segment.ids.length, 0) <= episode.contextTokens - 6);
      }
    }
    assert.ok((await fromScratch(completions, words)) < 1e-5);
  });
}

test("episodes: a world that throws, hangs, lies or can't start costs its own episode alone, and is replaced", async () => {
  const faults = { 1: "throws", 2: "hangs", 3: "nan", 4: "malformed", 5: "reset" } as const;
  const seeds = [1, 2, 3, 4, 5, 6, 7];
  const { completions, pool, log } = await play({ faults, seeds, count: 2, episode: { deadlineSeconds: 0.5 } });
  const ends = seeds.map((seed) => {
    const own = completions.filter(({ task }) => task.data.seed === seed);
    return own.map(({ episode, stop }) => `${episode!.end} ${stop} ${episode!.error ?? ""}`);
  });
  const twice = (text: string): string[] => [text, text];
  assert.deepEqual(ends[0], twice("error error the world fell apart"));
  assert.deepEqual(ends[1], twice("deadline error no answer within the 0.5 s of the episode"));
  assert.match(ends[2]![0]!, /^error error digits: step returned the reward NaN/);
  assert.match(ends[3]![0]!, /^error error digits: step returned \{"text":"no observation"\}/);
  assert.deepEqual(ends[4], twice("error error the world can't be reset"));
  assert.deepEqual(ends[5], twice("environment environment "));
  assert.equal(pool.replaced, 10);
  assert.equal(pool.inUse, 0);
  assert.equal(log.closed, log.opened, "every world was closed, the broken ones too");
});

test("episodes: what the model can't read ends its own episode as an error that names the place", async () => {
  const { completions } = await play({ faults: { 2: "words" }, seeds: [1, 2] });
  for (const { task, episode } of completions) {
    if (task.data.seed === 1) assert.equal(episode!.end, "environment");
    else assert.match(episode!.error!, /^digits\/2, turn 3: the model can't read what came back: .*cannot express/);
  }
});

test("layOut: a micro-batch whose tokens are not those that were sampled, in their places, is refused", async () => {
  const { completions } = await play({ seeds: [1], count: 2 });
  const rows = completions.map((one, i) => forMeasuring(one, i));
  const { micro } = layOut(rows, { maxTokens: 4000, temperature: 1, padId: 0 });
  requireSampledTargets(rows, micro);
  const changed = (change: (batch: SequenceBatch) => Partial<SequenceBatch>) =>
    micro.map((part) => ({ ...part, batch: { ...part.batch, ...change(part.batch) } }));
  const shifted = changed(({ positions }) => ({ positions: positions.map((place) => Math.max(0, place - 1)) }));
  assert.throws(() => requireSampledTargets(rows, shifted), /would be predicted from id|stands behind/);
  const other = changed(({ targets }) => ({ targets: targets.map((id) => id + 1) }));
  assert.throws(() => requireSampledTargets(rows, other), /was sampled as id \d+, but id \d+ is to train/);
  const read = changed(({ ids }) => ({ ids: ids.map((id) => id + 1) }));
  assert.throws(() => requireSampledTargets(rows, read), /would be predicted from id/);
});
