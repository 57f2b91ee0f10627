import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { envPool } from "../../../src/rollout/envs/index.ts";
import { TextWorldExpressOptions, textWorldExpress } from "../../../src/rollout/envs/textworld-express/index.ts";
import { lcg } from "../../policy/fixtures.ts";
import { ownJvms, playEpisode } from "../../support/kill-jvms.ts";
import { simulatorJar } from "./simulators-here.ts";

test("envPool: simulators that are killed at random cost their own episodes and no others; none is left at the end", async (t) => {
  const jar = simulatorJar(t, "textworld-express");
  if (jar === null) return;
  const source = await textWorldExpress.open(TextWorldExpressOptions.parse({ jar, games: ["coin"], worlds: 3 }));
  t.after(() => source.close());
  const pool = envPool(source, { size: 3 });
  const gold = new Map<number, readonly string[]>();
  const starts = (await source.starts("train")).slice(0, 4);
  for (const start of starts) gold.set(start.seed, await source.goldActions!(start));
  const random = lcg(5);
  let kills = 0;
  let turns = 0;
  const kill = (): void => {
    const running = ownJvms();
    process.kill(running[random(running.length)]!, "SIGKILL");
    kills++;
  };
  const play = (i: number) => {
    const start = starts[i % starts.length]!;
    const actions = gold.get(start.seed)!;
    const act = (turn: number): string => {
      turns++;
      if (turns % 50 === 25 && kills < 3) kill();
      // twelve looks first, so that there is an episode to be killed in
      return actions[turn - 12] ?? "look around";
    };
    return playEpisode(pool, start, { act, maxTurns: 60 });
  };
  const records = await Promise.all(Array.from({ length: 12 }, (_, i) => play(i)));
  assert.equal(kills, 3);
  const failed = records.filter(({ error }) => error !== null);
  // a world that was killed while nobody played in it is replaced without a loss
  assert.ok(failed.length <= kills, JSON.stringify(failed));
  assert.ok(failed.length > 0, "some were killed in the middle of an episode");
  for (const { error } of failed)
    assert.match(
      error!,
      /^textworld-express: (the connection (was closed|broke)|the JVM ended with SIGKILL|no connection)/,
    );
  for (const record of records.filter(({ error }) => error === null)) assert.equal(record.success, true);
  // a world that was killed while it was being started was never the pool's: it is counted nowhere, and another one takes its place
  const { started, replaced, idle, inUse } = pool.stats();
  assert.deepEqual({ inUse, held: started - replaced }, { inUse: 0, held: idle });
  assert.ok(started + failed.length > 3, "others took the places of the dead");
  const after = await Promise.all(Array.from({ length: 3 }, (_, i) => play(i)));
  assert.deepEqual(
    after.map(({ error, success }) => ({ error, success })),
    after.map(() => ({ error: null, success: true })),
  );
  await pool.close();
  await source.close();
  while (ownJvms().length > 0) await delay(10); // worlds that broke are closed beside the others
});

test("envPool: a world that died while it was idle is not handed out", async (t) => {
  const jar = simulatorJar(t, "textworld-express");
  if (jar === null) return;
  const source = await textWorldExpress.open(TextWorldExpressOptions.parse({ jar, games: ["coin"] }));
  t.after(() => source.close());
  const pool = envPool(source, { size: 1 });
  const world = await pool.acquire();
  pool.release(world);
  for (const pid of ownJvms()) process.kill(pid, "SIGKILL");
  while (world.isAlive) await delay(10);
  const other = await pool.acquire();
  assert.notEqual(other, world);
  const start = (await source.starts("test"))[0]!;
  assert.match((await other.reset(start)).observation, /^You are in/);
  assert.deepEqual(pool.stats(), { started: 2, replaced: 1, idle: 0, inUse: 1 });
  pool.discard(other);
});
