// What an episode costs by its number of turns, with the cache kept over turns and with every turn read from the start, side by side; and how far the
// numbers of both are apart.
// Usage: npx tsx bench/episode-cost.ts [MODEL] [--episodes N] [--threads N]      default: lab-base, 8 episodes, 1 thread
import { parseArgs } from "node:util";
import { oneSequence, openLearner } from "../src/policy/index.ts";
import { EnvRegistry, ledgerOf, RolloutConfig, sampleCompletions } from "../src/rollout/index.ts";
import { openTaskSet, TaskConfig } from "../src/rollout/tasks/index.ts";
import { createRng } from "../src/utils/rng.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { episodes: { type: "string", default: "8" }, threads: { type: "string", default: "1" } },
});
const model = positionals[0] ?? "lab-base";
const count = Number(values.episodes);
const adapter = { kind: "none" } as const;
const learner = await openLearner({ model, adapter, seed: 0, threads: Number(values.threads) });
const registry = new EnvRegistry();
const tasks = await openTaskSet(
  TaskConfig.parse({
    name: "environment",
    env: { name: "lab", size: "large", tasks: ["find"] },
    split: "test",
    limit: count,
  }),
  registry,
);
const requests = Array.from({ length: count }, (_, group) => ({ task: tasks.get(group), group, count: 1 }));

console.log(`${model}, ${count} episodes at once`);
console.log("turns  new tokens  s, cache kept  ms/token  s, read anew  ratio  largest difference, nats");
for (const maxTurns of [1, 5, 10, 20, 30]) {
  const rollout = RolloutConfig.parse({ maxTokens: 4000, episode: { maxTurns, turnTokens: 12 }, batchSize: count });
  const clock = performance.now();
  const options = { sampling: rollout, rollout, rng: createRng("bench") };
  const { completions } = await sampleCompletions(learner, tasks, requests, options);
  const kept = (performance.now() - clock) / 1000;
  const tokens = completions.reduce((sum, one) => sum + ledgerOf(one).ids.length, 0);
  const { seconds, largest } = await readAnew(completions);
  console.log(
    [
      maxTurns,
      tokens,
      kept.toFixed(2),
      ((1000 * kept) / tokens).toFixed(3),
      seconds.toFixed(2),
      (seconds / kept).toFixed(1),
      largest.toExponential(1),
    ]
      .map((text, i) => String(text).padStart([5, 11, 14, 9, 13, 6, 10][i]!))
      .join(" "),
  );
}
await registry.close();
await learner.close();

/** The same turns with every one read from the start of its episode: its context computed whole, its tokens drawn anew from the same distribution. */
async function readAnew(completions: Awaited<ReturnType<typeof sampleCompletions>>["completions"]) {
  const plain = { temperature: 1, topK: 0, topP: 1, minP: 0 };
  let largest = 0;
  const clock = performance.now();
  const turns = Math.max(...completions.map(({ episode }) => episode!.turns.length));
  for (let turn = 0; turn < turns; turn++) {
    const live = completions.filter(({ episode }) => episode!.turns.length > turn);
    const prompts = live.map((one) => {
      const ledger = ledgerOf(one);
      return ledger.ids.slice(0, ledger.sampledAt[one.episode!.turns[turn]!.start]!);
    });
    const longest = Math.max(...live.map(({ episode }) => episode!.turns[turn]!.end - episode!.turns[turn]!.start));
    const uniforms = new Float32Array(live.length).fill(0.5);
    await learner.policy.decodeStart({ ...plain, prompts, repeats: live.map(() => 1), maxTokens: longest, uniforms });
    for (let i = 1; i < longest; i++) await learner.policy.decodeStep(uniforms);
    await learner.policy.decodeEnd();
  }
  const seconds = (performance.now() - clock) / 1000;
  for (const one of completions) {
    const { ids, sampledAt } = ledgerOf(one);
    const scored = await learner.policy.score({
      ...oneSequence(ids),
      ...{ features: {}, scalars: {}, temperature: 1 },
      positions: sampledAt.map((place) => place - 1),
      targets: Int32Array.from(one.ids),
    });
    one.policyLogp.forEach((value, i) => {
      largest = Math.max(largest, Math.abs(value - scored.logp[i]!));
    });
  }
  return { seconds, largest };
}
