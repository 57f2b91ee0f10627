/**
 * Steps per second of processor time of the lab on one core, texts included: gold paths and random admissible actions, which are chosen beforehand so that only
 * `reset` and `step` are timed. Processor time, so that other work on the machine does not count.
 *
 *   node --import tsx bench/lab-steps.ts [--seconds N]
 */
import { parseArgs } from "node:util";
import { LabOptions, lab } from "../src/rollout/envs/lab/index.ts";
import type { EnvironmentSource, EpisodeStart } from "../src/rollout/envs/types.ts";
import { createRng } from "../src/utils/rng.ts";

const EPISODES = 200;
const TURNS = 30;
const { values } = parseArgs({ options: { seconds: { type: "string", default: "3" } } });

interface Script {
  readonly start: EpisodeStart;
  readonly actions: readonly string[];
}

async function scripts(source: EnvironmentSource, kind: "gold" | "random"): Promise<Script[]> {
  const starts = (await source.starts("train")).slice(0, EPISODES);
  const world = await source.open();
  const all: Script[] = [];
  for (const start of starts) {
    if (kind === "gold") {
      all.push({ start, actions: (await source.goldActions?.(start)) ?? [] });
      continue;
    }
    const rng = createRng("bench").fork(start.task, start.seed);
    const actions: string[] = [];
    await world.reset(start);
    for (let turn = 0, over = false; turn < TURNS && !over; turn++) {
      // a wrong focus would end the episode at once
      actions.push(rng.pick(((await world.admissibleActions?.()) ?? []).filter((text) => !text.startsWith("focus"))));
      over = (await world.step(actions.at(-1)!)).done;
    }
    all.push({ start, actions });
  }
  return all;
}

/** Milliseconds of processor time of this process. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** @returns steps per second, without and with the resets, and characters per observation */
async function measure(source: EnvironmentSource, all: readonly Script[], seconds: number): Promise<string> {
  const world = await source.open();
  let [steps, characters, resets] = [0, 0, 0];
  const begun = cpuMs();
  while (cpuMs() - begun < seconds * 1000) {
    for (const { start, actions } of all) {
      await world.reset(start);
      for (const action of actions) characters += (await world.step(action)).observation.length;
      steps += actions.length;
      resets++;
    }
  }
  const ms = cpuMs() - begun;
  const resetsBegun = cpuMs();
  for (let i = 0; i < resets; i++) await world.reset(all[i % all.length]!.start);
  const resetMs = cpuMs() - resetsBegun;
  const rate = (time: number): string => String(Math.round((steps / time) * 1000)).padStart(8);
  return `${rate(ms - resetMs)}${rate(ms)}${(characters / steps).toFixed(0).padStart(8)}`;
}

console.log("size    actions  step/s  +reset   chars");
for (const size of ["tiny", "small", "medium", "large"] as const) {
  const source = await lab.open(LabOptions.parse({ size, reward: "shaped" }));
  for (const kind of ["gold", "random"] as const) {
    const all = await scripts(source, kind);
    await measure(source, all, 0.5); // warm
    console.log(`${size.padEnd(8)}${kind.padEnd(7)}${await measure(source, all, Number(values.seconds))}`);
  }
}
