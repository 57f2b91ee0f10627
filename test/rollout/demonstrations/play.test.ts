import assert from "node:assert/strict";
import { test } from "node:test";
import { playEpisode, type RecordedEpisode } from "../../../src/rollout/demonstrations/index.ts";
import { PlayConfig, playEpisodes } from "../../../src/rollout/demonstrations/play-episodes.ts";
import type { EnvironmentSource } from "../../../src/rollout/envs/index.ts";
import { EnvError } from "../../../src/utils/errors.ts";
import { createRng } from "../../../src/utils/rng.ts";
import { corridor, pathFrom } from "./corridor.ts";

async function play(source: EnvironmentSource, seed: number, noise: number, stream = 1): Promise<RecordedEpisode> {
  const world = await source.open();
  return playEpisode(source, world, { task: "walk", seed }, { noise, stale: 0, maxActions: 30 }, createRng(stream));
}

/** Room before each turn. */
function roomsOf({ seed, turns }: RecordedEpisode): number[] {
  let room = seed % 4;
  return turns.map(({ action }) => {
    const before = room;
    if (action === "left") room = Math.max(0, room - 1);
    if (action === "right") room++;
    return before;
  });
}

test("playEpisode: without noise it is the gold path, in the world's own words", async () => {
  const episode = await play(corridor({ canSolve: false }), 2, 0);
  assert.deepEqual(episode, {
    ...{ env: "corridor", version: "1", task: "walk", seed: 2 },
    ...{ instruction: "walk to room 4", observation: "You are in room 2.", success: true },
    turns: [
      { action: "right", mistake: false, observation: "You are in room 3.", reward: 0, valid: true },
      { action: "right", mistake: false, observation: "You are in room 4.", reward: 1, valid: true },
    ],
  });
});

test("playEpisode: a world that can solve from any state is asked again after a mistake", async () => {
  const source = corridor({ canSolve: true });
  let mended = 0;
  for (let stream = 0; stream < 60; stream++) {
    const episode = await play(source, 1, 0.5, stream);
    const rooms = roomsOf(episode);
    episode.turns.forEach(({ action, mistake }, i) => {
      if (!mistake) assert.equal(action, pathFrom(rooms[i]!)[0]);
    });
    // Falling is the only way to lose; whoever walked back got to the end all the same.
    assert.equal(episode.success, episode.turns.at(-1)!.action !== "jump");
    if (episode.success && episode.turns.some(({ action }) => action === "left")) mended++;
  }
  assert.ok(mended >= 3, `${mended}`);
});

test("playEpisode: where paths are known from the start only, the path goes on and may miss", async () => {
  const source = corridor({ canSolve: false });
  let missed = 0;
  for (let stream = 0; stream < 60; stream++) {
    const episode = await play(source, 1, 0.3, stream);
    const gold = episode.turns.filter(({ mistake }) => !mistake);
    assert.ok(gold.length <= 3); // the path from room 1
    const steps = episode.turns.filter(({ action }) => action === "left").length;
    const isFall = episode.turns.at(-1)!.action === "jump";
    if (gold.length === 3 && steps > 0 && !isFall && !episode.success) missed++;
  }
  assert.ok(missed >= 3, `${missed}`);
});

test("playEpisode: the share of mistakes is the noise", async () => {
  const source = corridor({ canSolve: true });
  let [mistakes, all] = [0, 0];
  for (let stream = 0; stream < 400; stream++) {
    const { turns } = await play(source, 0, 0.25, stream);
    all += turns.length;
    mistakes += turns.filter(({ mistake }) => mistake).length;
  }
  // The end of an episode depends on what was drawn, but the draws are independent: 4 standard errors of a share of 1 / 4 among some 1,500 turns.
  assert.ok(all > 1200);
  assert.ok(Math.abs(mistakes / all - 0.25) < 4 * Math.sqrt((0.25 * 0.75) / all), `${mistakes} of ${all}`);
});

test("playEpisode: stale mistakes were admissible before, the others are now", async () => {
  const source = corridor({ canSolve: true });
  const world = await source.open();
  let asked = 0;
  const changing = { ...world, admissibleActions: () => Promise.resolve([`jump ${asked++}`]) };
  const mistakes = async (stale: number): Promise<string[]> => {
    asked = 0;
    const options = { noise: 0.6, stale, maxActions: 30 };
    const { turns } = await playEpisode(source, changing, { task: "walk", seed: 0 }, options, createRng(4));
    return turns.filter(({ mistake }) => mistake).map(({ action }) => action);
  };
  const fresh = await mistakes(0);
  assert.ok(fresh.length >= 3);
  assert.deepEqual(
    fresh,
    fresh.map((_action, i) => `jump ${i}`),
  );
  // With stale 1 the world is asked at the start too, and what it lists at a mistake is never taken there.
  const stale = await mistakes(1);
  assert.ok(stale.length >= 3);
  assert.equal(stale[0], "jump 0");
  stale.forEach((action, i) => {
    assert.ok(Number(action.slice("jump ".length)) <= i);
  });
});

test("playEpisode: noise needs admissible actions, episodes need gold ones", async () => {
  const { goldActions: _, ...blind } = corridor({ canSolve: false });
  await assert.rejects(play(blind, 0, 0), (error) => error instanceof EnvError && /knows no gold/.test(error.message));
  const source = corridor({ canSolve: true });
  const world = await source.open();
  const mute = { ...world, admissibleActions: () => Promise.resolve([]) };
  const playing = playEpisode(
    source,
    mute,
    { task: "walk", seed: 0 },
    { noise: 0.9, stale: 0, maxActions: 9 },
    createRng(1),
  );
  await assert.rejects(playing, /corridor: lists no admissible actions.*noise: 0/);
});

test("playEpisodes: the same episodes however many worlds play, and only those that succeed stay", async () => {
  const config = PlayConfig.parse({ noise: 0.4, limit: 3, repeat: 2, seed: 5 });
  const source = corridor({ canSolve: true });
  const ended: boolean[] = [];
  let asked = 0;
  const counting: EnvironmentSource = {
    ...source,
    goldActions(start) {
      asked++;
      return source.goldActions!(start);
    },
  };
  const one = await playEpisodes(counting, config, { onEpisode: ({ success }) => ended.push(success) });
  assert.deepEqual(await playEpisodes(source, config, { worlds: 3 }), one);
  assert.equal(ended.length, 12); // 2 tasks, 3 states, 2 times
  assert.equal(asked, 6); // finding a path may be slow
  assert.ok(one.every(({ success }) => success));
  assert.equal(one.length, ended.filter(Boolean).length);
  assert.ok(one.length > 0 && one.length < 12);
  const all = await playEpisodes(source, { ...config, keep: "all" });
  assert.equal(all.length, 12);
  for (const task of ["walk", "run"]) {
    const seeds = all.filter((episode) => episode.task === task).map(({ seed }) => seed);
    assert.equal(new Set(seeds).size, 3);
    assert.deepEqual(seeds.slice(3), seeds.slice(0, 3));
  }
});

test("playEpisodes: a world that breaks ends the others and is told", async () => {
  const source = corridor({ canSolve: true });
  let [opened, closed] = [0, 0];
  const broken: EnvironmentSource = {
    ...source,
    async open() {
      const isBad = opened++ === 1;
      const world = await source.open();
      const reset = isBad ? () => Promise.reject(new EnvError("it died")) : world.reset;
      return { ...world, reset, close: async () => void closed++ };
    },
  };
  await assert.rejects(playEpisodes(broken, PlayConfig.parse({}), { worlds: 3 }), /it died/);
  assert.deepEqual([opened, closed], [3, 3]);
});
