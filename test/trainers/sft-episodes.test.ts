import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { trainBytePairs } from "../../src/policy/byte-pairs.ts";
import { openLearner } from "../../src/policy/index.ts";
import type { RecordedEpisode } from "../../src/rollout/demonstrations/index.ts";
import { resolveRecipe } from "../../src/run/index.ts";
import { createTrainer } from "../../src/trainers/create.ts";
import { weighTokens } from "../../src/trainers/sft-rows.ts";
import { wholeSequence } from "../support/tiny-engine.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-sft-"));
after(() => rmSync(root, { recursive: true, force: true }));

const EPISODE: RecordedEpisode = {
  ...{ env: "house", version: "1", task: "out", seed: 0, instruction: "leave the house", success: true },
  observation: "you are in the hall. the door is closed.",
  turns: [
    { action: "sing", mistake: true, observation: "la la la.", reward: 0, valid: true },
    { action: "open door", mistake: false, observation: "the door is open.", reward: 0, valid: true },
    { action: "go out", mistake: false, observation: "you are out.", reward: 1, valid: true },
  ],
};
/** The plain form of a dialogue, worked out by hand; `|` around what trains. */
const TEXT =
  "leave the house\n\nyou are in the hall. the door is closed.\n> sing\nla la la.\n>| open door\n|the door is open.\n>| go out\n|";

const { tokenizerJson, tokenizerConfigJson } = trainBytePairs([TEXT.replaceAll("|", "")], { vocab: 300 });
writeFileSync(join(root, "tokenizer.json"), tokenizerJson);
writeFileSync(join(root, "tokenizer_config.json"), tokenizerConfigJson);
writeFileSync(join(root, "episodes.jsonl"), `${JSON.stringify(EPISODE)}\n`);

const recipe = resolveRecipe(
  {
    name: "episodes",
    data: {
      model: {
        init: { width: 16, layers: 1, heads: 1, ffWidth: 32, maxPositions: 128, tokenizer: { file: root } },
        seed: 3,
      },
      trainer: "sft",
      demonstrations: { name: "episodes", file: join(root, "episodes.jsonl"), imitateMistakes: false },
      sft: { tokensPerStep: 200, bucket: 2 },
      optimizer: { name: "adamw", lr: 1e-2 },
      steps: 100,
    },
    locate: () => "",
  },
  false,
);

test("sft: the loss of an episode is that of its right actions and their ends, read in the whole text", async (t) => {
  const { trainer } = await createTrainer({ recipe, threads: 1 });
  t.after(() => trainer.close());
  const learner = await openLearner({ model: recipe.model, adapter: { kind: "none" }, seed: recipe.seed, threads: 1 });
  t.after(() => learner.close());
  const parts = TEXT.split("|").map((part) => learner.tokenizer.encode(part));
  const all = parts.flat();
  const { logp } = await learner.policy.measure(wholeSequence(all));
  let [sum, count, at] = [0, 0, 0];
  parts.forEach((part, i) => {
    for (let j = at; j < at + part.length; j++) if (i % 2 === 1) [sum, count] = [sum - logp[j - 1]!, count + 1];
    at += part.length;
  });
  const { metrics } = await trainer.step(0);
  assert.ok(count >= 6, `${count} tokens train`);
  assert.ok(Math.abs((metrics.loss as number) - sum / count) < 1e-4, `${String(metrics.loss)} and ${sum / count}`);
  for (let step = 1; step < 100; step++) await trainer.step(step);
  const learned = (await trainer.step(99)).metrics.loss as number;
  assert.ok(learned < 0.05, `${learned}`);
});

test("weighTokens: tokens that are imitated share a weight of 1, others have none", () => {
  const row = (ids: number[], imitated?: number[]) => ({ promptIds: [1], ids, features: imitated ? { imitated } : {} });
  const rows = weighTokens([row([5, 6, 7], [1, 0, 1]), row([8, 9])]);
  assert.deepEqual(
    rows.map(({ features }) => features.weight),
    [
      [0.25, 0, 0.25],
      [0.25, 0.25],
    ],
  );
});
