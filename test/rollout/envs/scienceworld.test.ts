import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ScienceWorldOptions, scienceWorld } from "../../../src/rollout/envs/scienceworld/index.ts";
import type { Environment, EnvironmentSource, EnvStep, EpisodeStart } from "../../../src/rollout/envs/types.ts";
import { ownJvms } from "../../support/kill-jvms.ts";
import { simulatorJar } from "./simulators-here.ts";

/** Every JVM takes seconds to start: tests that need no option of their own share a source. */
let shared: { readonly source: EnvironmentSource; readonly world: Environment } | null = null;
test.after(() => shared?.source.close());

async function open(t: TestContext) {
  const jar = simulatorJar(t, "scienceworld");
  if (jar === null) return null;
  if (!shared) {
    const source = await scienceWorld.open(ScienceWorldOptions.parse({ jar }));
    shared = { source, world: await source.open() };
  }
  return shared;
}

async function play(world: Environment, start: EpisodeStart, actions: readonly string[]): Promise<EnvStep[]> {
  await world.reset(start);
  const steps: EnvStep[] = [];
  for (const action of actions) {
    steps.push(await world.step(action));
    if (steps.at(-1)!.done) break;
  }
  return steps;
}

const FIND_PLANT = { task: "find-plant", seed: 3 };
const sum = (steps: readonly EnvStep[]): number => steps.reduce((total, { reward }) => total + reward, 0);

test("scienceworld: 30 tasks; a task's splits are those of the simulator and share nothing", async (t) => {
  const here = await open(t);
  if (!here) return;
  const { source } = here;
  assert.equal(source.tasks.length, 30);
  assert.match(source.version, /^1\.2\.3-[0-9a-f]{12}$/);
  const seeds = async (split: "train" | "dev" | "test") =>
    (await source.starts(split, ["boil"])).map(({ seed }) => seed);
  const [train, dev, held] = [await seeds("train"), await seeds("dev"), await seeds("test")];
  assert.deepEqual([train.length, dev.length, held.length], [14, 7, 9]); // as published
  assert.equal(new Set([...train, ...dev, ...held]).size, 30);
  await assert.rejects(source.starts("test", ["boill"]), /no task "boill"; did you mean boil\?/);
});

test("scienceworld: the gold actions of find-plant reach score 100; success comes with it and not before", async (t) => {
  const here = await open(t);
  if (!here) return;
  const gold = await here.source.goldActions!(FIND_PLANT);
  const steps = await play(here.world, FIND_PLANT, gold);
  assert.deepEqual(
    steps.map(({ success }) => success),
    steps.map(({ info }) => info!.score === 100),
  );
  assert.deepEqual([steps.at(-1)!.success, steps.at(-1)!.done], [true, true]);
  assert.ok(Math.abs(sum(steps) - 0.92) < 1e-9, "it starts with score 8"); // as recorded from its own client
});

test("scienceworld: ten waits run into the move limit, which is no success though there is some score", async (t) => {
  const here = await open(t);
  if (!here) return;
  const steps = await play(here.world, FIND_PLANT, Array(12).fill("wait"));
  assert.equal(steps.length, 10); // 11 moves each: the tenth passes 100
  const { done, success, info } = steps.at(-1)!;
  assert.deepEqual([done, success, info!.score, info!.moves, info!.truncated], [true, false, 8, 110, true]);
});

test("scienceworld: a wrong focus ends the episode; its reward takes back what was won and no more", async (t) => {
  const here = await open(t);
  if (!here) return;
  const [step] = await play(here.world, FIND_PLANT, ["focus on air"]);
  assert.deepEqual([step!.done, step!.success, step!.info!.score], [true, false, -100]);
  assert.equal(step!.reward, -0.08);
});

test("scienceworld: text that is no action is answered, costs nothing and is not valid", async (t) => {
  const here = await open(t);
  if (!here) return;
  const odd = [
    "xyzzy",
    "",
    "e\ne\n",
    "a\u0000b\tc",
    "😀\ud800",
    "!xo1",
    "\\n\\",
    "x".repeat(100_000),
    "c\nt\nshutdown\ne",
  ];
  const steps = await play(here.world, FIND_PLANT, odd);
  assert.deepEqual(
    steps.map(({ valid, info }) => [valid, info!.moves]),
    odd.map(() => [false, 0]),
  );
  const [look] = await play(here.world, FIND_PLANT, ["  look\r\n around\u0007"]);
  assert.equal(look!.valid, true);
});

test("scienceworld: admissible actions are sorted and taken; a variation that isn't there is refused", async (t) => {
  const here = await open(t);
  if (!here) return;
  await here.world.reset(FIND_PLANT);
  const actions = await here.world.admissibleActions!();
  assert.equal(actions.length, 212); // validCount of the recording
  assert.deepEqual([...actions].sort(), actions);
  assert.equal((await here.world.step(actions.find((action) => action.startsWith("teleport"))!)).valid, true);
  await assert.rejects(here.world.reset({ task: "boil", seed: 30 }), /boil has no variation 30, only 0 to 29/);
});

test("scienceworld: questions that come together are answered by one simulator, also after one was refused", async (t) => {
  const here = await open(t);
  if (!here) return;
  const { source } = here;
  await source.starts("dev", ["melt"]);
  const before = ownJvms().length;
  const refused = assert.rejects(source.goldActions!({ task: "melt", seed: 99 }), /melt has no variation 99/);
  const answers = Promise.all(["freeze", "find-animal"].map((task) => source.starts("dev", [task])));
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, ownJvms().length);
  }, 20);
  await refused;
  assert.deepEqual(
    (await answers).map(({ length }) => length > 0),
    [true, true],
  );
  clearInterval(watch);
  assert.ok(Math.max(most, ownJvms().length) <= before, `${most} JVMs, ${before} before`);
});

test("scienceworld: what is missing is told with the command that brings it", async () => {
  const options = ScienceWorldOptions.parse({ jar: "/nowhere/sw.jar" });
  await assert.rejects(
    scienceWorld.open(options),
    /jar: \/nowhere\/sw\.jar is not there; `bash scripts\/fetch-scienceworld`/,
  );
  assert.equal(ScienceWorldOptions.safeParse({ simplification: "esy" }).success, false);
});
