/**
 * Episodes in real ScienceWorld simulators while one of them is killed at random every few seconds: every episode must leave a record, those that were
 * not hit must end as they would, and no JVM may be left at the end.
 *
 *   node --import tsx bench/simulator-kills.ts [--episodes N] [--worlds N] [--every SECONDS]
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { envPool } from "../src/rollout/envs/index.ts";
import { ScienceWorldOptions, scienceWorld } from "../src/rollout/envs/scienceworld/index.ts";
import { createRng } from "../src/utils/rng.ts";
import { ownJvms, playEpisode } from "../test/support/kill-jvms.ts";

const { values } = parseArgs({
  options: {
    episodes: { type: "string", default: "100" },
    worlds: { type: "string", default: "4" },
    every: { type: "string", default: "3" },
  },
});
const [episodes, worlds, every] = [Number(values.episodes), Number(values.worlds), Number(values.every)];
const source = await scienceWorld.open(ScienceWorldOptions.parse({ worlds, moveLimit: null }));
const pool = envPool(source, { size: worlds });
const starts = (await source.starts("train", ["boil"])).slice(0, 4);
const gold = await Promise.all(starts.map((start) => source.goldActions!(start)));
const rng = createRng("simulator-kills");
let kills = 0;
const killer = setInterval(() => {
  const running = ownJvms();
  if (running.length === 0) return;
  process.kill(rng.fork("kill", kills).pick(running), "SIGKILL");
  kills++;
}, every * 1000);
const clock = performance.now();
const records = await Promise.all(
  Array.from({ length: episodes }, (_, i) => {
    const which = i % starts.length;
    return playEpisode(pool, starts[which]!, { act: (turn) => gold[which]![turn] ?? "look around", maxTurns: 200 });
  }),
);
clearInterval(killer);
const seconds = (performance.now() - clock) / 1000;
const { started, replaced } = pool.stats();
await pool.close();
await source.close();
const patience = performance.now() + 10_000;
while (ownJvms().length > 0 && performance.now() < patience) await delay(50);
const failed = records.filter(({ error }) => error !== null);
console.log(`${records.length} records of ${episodes} episodes in ${seconds.toFixed(0)} s, ${kills} kills`);
console.log(`${records.filter(({ success }) => success).length} solved, ${failed.length} ended as errors:`);
const kinds = new Map<string, number>();
for (const { error } of failed) {
  const kind = error!.replace(/ while .*| \(.*/s, "");
  kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
}
for (const [kind, count] of kinds) console.log(`  ${count} × ${kind}`);
console.log(`JVMs: ${started} started, ${replaced} replaced, ${ownJvms().length} left behind`);
