import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LAB_TASKS } from "../../../src/rollout/envs/lab/tasks/index.ts";
import type { Environment, EnvironmentSource, EnvStep, EpisodeStart } from "../../../src/rollout/envs/types.ts";
import type { Json } from "../../../src/rollout/types.ts";
import { EnvError } from "../../../src/utils/errors.ts";
import { openLab, SIZES, startsOf } from "./lab-worlds.ts";

const TASKS = LAB_TASKS.map(({ name }) => name);
const admissible = async (world: Environment): Promise<readonly string[]> => (await world.admissibleActions?.()) ?? [];
const gold = async (world: Environment): Promise<readonly string[] | null> => (await world.goldActions?.()) ?? null;
const snapshot = async (world: Environment): Promise<Json> => (await world.snapshot?.()) ?? null;
async function play(world: Environment, actions: readonly string[]): Promise<{ steps: EnvStep[]; sum: number }> {
  const steps: EnvStep[] = [];
  for (const action of actions) steps.push(await world.step(action));
  return { steps, sum: steps.reduce((total, { reward }) => total + reward, 0) };
}

for (const task of TASKS) {
  test(`lab: the solver solves ${task} in every size, with return 1 sparse and shaped`, async () => {
    for (const size of SIZES) {
      let actions = 0;
      const [sparse, shaped] = [await openLab({ size }), await openLab({ size, reward: "shaped" })];
      const [plain, paid] = [await sparse.open(), await shaped.open()];
      const starts = await startsOf(sparse, task, 80);
      for (const start of starts) {
        const path = (await sparse.goldActions?.(start)) ?? [];
        const where = `${size} ${task}/${start.seed}: ${path.join("; ")}`;
        await Promise.all([plain.reset(start), paid.reset(start)]);
        const [one, other] = [await play(plain, path), await play(paid, path)];
        const last = one.steps.at(-1);
        assert.deepEqual([last?.done, last?.success, one.sum], [true, true, 1], where);
        assert.ok(
          one.steps.slice(0, -1).every(({ done, valid, reward }) => !done && valid && reward === 0),
          where,
        );
        assert.ok(Math.abs(other.sum - 1) < 1e-9, where);
        assert.ok(other.steps.filter(({ reward }) => reward > 0).length >= 3, `${where}: shaped rewards on the way`);
        actions += path.length;
      }
      assert.ok(actions / starts.length < 30, `${size} ${task}: ${actions / starts.length} actions on average`);
    }
  });
}

const anyPlay = fc.record({
  size: fc.constantFrom(...SIZES),
  reward: fc.constantFrom("sparse" as const, "shaped" as const),
  task: fc.constantFrom(...TASKS),
  nth: fc.nat(),
  choices: fc.array(fc.nat(), { maxLength: 25 }),
});
type AnyPlay = typeof anyPlay extends fc.Arbitrary<infer Value> ? Value : never;

async function begin({ size, reward, task, nth }: AnyPlay): Promise<[EnvironmentSource, EpisodeStart]> {
  const source = await openLab({ size, reward });
  const starts = await source.starts("train", [task]);
  return [source, starts[nth % starts.length]!];
}

async function walk(
  world: Environment,
  choices: readonly number[],
  isKept = (_: string): boolean => true,
): Promise<EnvStep[]> {
  const steps: EnvStep[] = [];
  for (const choice of choices) {
    const actions = (await admissible(world)).filter(isKept);
    if (actions.length === 0) break;
    steps.push(await world.step(actions[choice % actions.length]!));
  }
  return steps;
}

test("lab: random admissible actions are understood, pay at most 1 in all, and go the same way in a new world", async () => {
  await fc.assert(
    fc.asyncProperty(anyPlay, async (any) => {
      const [source, start] = await begin(any);
      const [world, used] = [await source.open(), await source.open()];
      const first = await world.reset(start);
      const steps = await walk(world, any.choices);
      assert.ok(steps.every(({ reward, valid }) => Number.isFinite(reward) && reward >= 0 && valid === true));
      assert.ok(steps.reduce((sum, { reward }) => sum + reward, 0) <= 1 + 1e-9);
      await used.reset((await source.starts("test", [any.task]))[0]!);
      await walk(used, any.choices);
      assert.deepEqual(await used.reset(start), first, "reset equals fresh");
      assert.deepEqual(await walk(used, any.choices), steps);
    }),
    { numRuns: 150 },
  );
});

test("lab: a state that is restored goes on the same way, in the world it came from and in another", async () => {
  await fc.assert(
    fc.asyncProperty(anyPlay, fc.array(fc.nat(), { maxLength: 15 }), async (any, future) => {
      const [source, start] = await begin(any);
      const [world, other] = [await source.open(), await source.open()];
      await world.reset(start);
      await walk(world, any.choices);
      const taken = JSON.parse(JSON.stringify(await snapshot(world))) as Json;
      const [steps, after] = [await walk(world, future), await snapshot(world)];
      for (const again of [world, other]) {
        await again.restore?.(taken);
        assert.deepEqual(await snapshot(again), taken);
        assert.deepEqual(await walk(again, future), steps);
        assert.deepEqual(await snapshot(again), after);
      }
    }),
    { numRuns: 150 },
  );
});

test("lab: from wherever random actions led, the solver still solves, unless the episode is over", async () => {
  await fc.assert(
    fc.asyncProperty(anyPlay, async (any) => {
      const [source, start] = await begin(any);
      const world = await source.open();
      await world.reset(start);
      const before = await walk(world, any.choices, (action) => !action.startsWith("focus"));
      const actions = await gold(world);
      if (before.at(-1)?.done) return;
      // what has sprouted in a wrong pot stays there
      if (actions === null && before.some(({ observation }) => /seed in the \w+ pot/.test(observation))) return;
      assert.ok(actions !== null, "there is a way");
      assert.equal((await play(world, actions)).steps.at(-1)?.success, true);
    }),
    { numRuns: 300 },
  );
});

test("lab: equal names of states mean equal states, and others others", async () => {
  const seen = new Map<string | undefined, string>();
  const states = new Map<string, string | undefined>();
  const canonical = (value: Json): string => {
    const taken = structuredClone(value) as unknown as { columns: number[][] };
    const [endA, endB] = taken.columns.slice(-2) as [number[], number[]];
    endA.forEach((end, id) => {
      [endA[id], endB[id]] = end < endB[id]! ? [end, endB[id]!] : [endB[id]!, end];
    });
    return JSON.stringify(taken);
  };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...TASKS),
      fc.nat(2),
      fc.array(fc.nat(), { maxLength: 15 }),
      async (task, nth, choices) => {
        const source = await openLab({ size: "tiny" });
        const world = await source.open();
        let { state = "" } = await world.reset((await source.starts("train", [task]))[nth]!);
        for (const choice of [...choices, 0]) {
          const now = canonical(await snapshot(world));
          assert.equal(seen.get(state) ?? now, now);
          assert.equal(states.get(now) ?? state, state);
          seen.set(state, now);
          states.set(now, state);
          const actions = await admissible(world);
          if (actions.length > 0) ({ state = "" } = await world.step(actions[choice % actions.length]!));
        }
      },
    ),
    { numRuns: 100 },
  );
  assert.ok(seen.size > 60, `${seen.size} states`);
});

const words = fc.constantFrom(
  ..."take put focus on in open close go the cup door kitchen __proto__ constructor use to wait".split(" "),
);
const nonsense = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.array(words, { maxLength: 6 }).map((all) => all.join(" ")),
  fc.constantFrom(
    "",
    " ",
    "\n",
    "take\0",
    "look\nlook",
    "x".repeat(100_000),
    "take the",
    "put  in ",
    "go door",
    "\u017F\u0130",
  ),
);

test("lab: whatever text comes is answered; what is not understood changes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(anyPlay, fc.array(nonsense, { maxLength: 10 }), async (any, texts) => {
      const [source, start] = await begin(any);
      const world = await source.open();
      const opening = await world.reset(start);
      let { state } = opening;
      for (const text of texts) {
        const before = await snapshot(world);
        const step = await world.step(text);
        assert.ok(Number.isFinite(step.reward) && step.observation.length > 0);
        if (step.valid === false) {
          assert.deepEqual([step.reward, step.state], [0, state]);
          assert.deepEqual(await snapshot(world), before);
        }
        ({ state } = step);
      }
    }),
    { numRuns: 300 },
  );
  const world = await (await openLab()).open();
  await world.reset({ task: "melt", seed: 0 });
  for (const text of ["dance", "x".repeat(100_000), "take moon", "look\nlook", ""])
    assert.equal((await world.step(text)).observation, "No known action matches that input.", text.slice(0, 20));
});

test("lab: an action may be written in several ways", async () => {
  const source = await openLab({ size: "tiny" });
  const start = (await source.starts("train", ["melt"]))[0]!;
  const one = await source.open();
  const other = await source.open();
  await Promise.all([one.reset(start), other.reset(start)]);
  for (const action of (await gold(one)) ?? []) {
    const variant = action
      .replace(/^go (.*)$/, "GO  to the $1 door")
      .replace(/^take /, "pick up the ")
      .replace(/^activate /, "turn on ")
      .replace(/^put (\w+) /, "move the $1 ");
    assert.deepEqual(await other.step(` ${variant} `), await one.step(action), variant);
  }
});

test("lab: focusing on a wrong thing fails the episode, and nothing more can be earned", async () => {
  for (const task of ["melt", "boil", "freeze", "find", "measure"]) {
    for (const start of await startsOf(await openLab(), task, 20)) {
      const source = await openLab({ reward: "shaped" });
      const world = await source.open();
      await world.reset(start);
      const right = ((await gold(world)) ?? []).filter((action) => action.startsWith("focus on "));
      const wrong = (await admissible(world)).find(
        (action) => action.startsWith("focus on ") && !right.includes(action),
      );
      if (wrong === undefined || (task === "find" && !/box|table|shelf|desk|chest|cupboard|drawer/.test(wrong)))
        continue;
      const step = await world.step(wrong);
      assert.deepEqual([step.done, step.success, step.reward, step.valid], [true, false, 0, true], wrong);
      assert.match(step.observation, /is the wrong choice\. you failed\.$/);
      assert.equal(await gold(world), null);
      assert.deepEqual(await admissible(world), []);
      const after = await world.step("look");
      assert.deepEqual(
        [after.done, after.success, after.reward, after.valid, after.state],
        [true, false, 0, false, step.state],
      );
    }
  }
});

test("lab: a right box is a wrong choice before the temperature was measured", async () => {
  const source = await openLab({ size: "tiny" });
  let tried = 0;
  for (const start of await startsOf(source, "measure", 40)) {
    const world = await source.open();
    await world.reset(start);
    const answer = (await gold(world))?.at(-1) ?? "";
    if (!(await admissible(world)).includes(answer)) continue;
    tried++;
    assert.deepEqual(await world.step(answer).then(({ done, success }) => [done, success]), [true, false]);
  }
  assert.ok(tried > 5, `${tried}`);
});

/** The world of the first start of a task whose instruction is as wanted. */
async function enter(task: string, options: object, isFit: (instruction: string) => boolean): Promise<Environment> {
  const source = await openLab(options);
  const world = await source.open();
  for (const start of await source.starts("train", [task]))
    if (isFit((await world.reset(start)).instruction)) return world;
  throw new Error(`no ${task} is like that`);
}

/** Acts as the solver says until it says something that matches. */
async function until(world: Environment, pattern: RegExp): Promise<void> {
  for (let next = await gold(world); next !== null && !pattern.test(next[0] ?? ""); next = await gold(world))
    await world.step(next[0]!);
}

test("lab: a plant grows in stages while its soil is wet, and counts only when it is what was asked for", async () => {
  const world = await enter("grow", { size: "tiny" }, (text) => text.includes("a flower"));
  await until(world, /^wait/);
  const pot = (await world.step("look")).observation;
  const [, seed] = /wet \w+ pot with (\w+) seed/.exec(pot) ?? [];
  assert.ok(seed, pot);
  assert.equal((await world.step("wait")).observation, `time passes. the ${seed} seed is a sprout now.`);
  assert.equal((await world.step(`take ${seed} sprout`)).observation, `you can not take the ${seed} sprout.`);
  assert.equal((await world.step("wait")).observation, `time passes. the ${seed} sprout is a plant now.`);
  const taken = await snapshot(world);
  assert.match((await world.step(`focus on ${seed} plant`)).observation, /plant is the wrong choice\. you failed\.$/);
  await world.restore?.(taken);
  assert.equal((await world.step("wait")).observation, `time passes. the ${seed} plant is a flower now.`);
  assert.equal((await world.step(`focus on ${seed} flower`)).success, true);
});

test("lab: dry soil grows nothing, and an empty can is filled in a sink that runs", async () => {
  const world = await enter("grow", { size: "tiny", long: true }, () => true);
  await until(world, /^activate sink/);
  const filled = await world.step("activate sink");
  assert.equal(filled.observation, "the sink is on. the can is full.");
  assert.equal((await world.step("activate sink")).valid, false);
  await until(world, /^pour/);
  for (let waits = 0; waits < 4; waits++) assert.equal((await world.step("wait")).observation, "time passes.");
  const last = (await gold(world)) ?? [];
  assert.equal((await play(world, last)).steps.at(-1)?.success, true);
});

test("lab: a wrong seed that has sprouted in the pot leaves no way", async () => {
  const world = await enter("grow", { size: "tiny", distractors: 2, closed: 0 }, () => true);
  const right = (await gold(world))?.find((action) => action.startsWith("put ")) ?? "";
  const [, seed, pot] = /^put (\w+) seed in (\w+ pot)$/.exec(right) ?? [];
  const room = new Map<string, string>();
  // there are two rooms, and the other seed is in one of them
  for (let turn = 0; turn < 6 && room.size === 0; turn++) {
    const take = (await admissible(world)).find(
      (action) => /^take \w+ seed$/.test(action) && action !== `take ${seed} seed`,
    );
    if (take) room.set("other", take.slice("take ".length));
    else await world.step((await admissible(world)).find((action) => action.startsWith("go ")) ?? "look");
  }
  const other = room.get("other");
  assert.ok(other, "the other seed is in one of two rooms");
  await world.step(`take ${other}`);
  for (let turn = 0; turn < 3; turn++) {
    const put = (await admissible(world)).find((action) => action === `put ${other} in ${pot}`);
    if (put) await world.step(put);
    else await world.step((await admissible(world)).find((action) => action.startsWith("go ")) ?? "look");
  }
  assert.ok((await gold(world)) !== null, "it can still be taken out");
  for (let turn = 0; turn < 4; turn++) {
    const pour = (await admissible(world)).find((action) => action === `pour can in ${pot}`);
    if (pour) await world.step(pour);
  }
  await world.step("wait");
  assert.match((await world.step("look")).observation, /pot with \w+ sprout/);
  assert.equal(await gold(world), null);
});

test("lab: a bulb burns only in a closed loop with battery and switch on, and not while a part is out", async () => {
  const world = await enter("circuit", { size: "tiny" }, (text) => text.includes("the switch"));
  await until(world, /^activate switch/);
  const taken = await snapshot(world);
  const solved = await world.step("activate switch");
  assert.match(solved.observation, /^the switch is on\. the \w+ bulb lights up\. well done\.$/);
  await world.restore?.(taken);
  await world.step("disconnect battery");
  assert.equal((await world.step("activate switch")).observation, "the switch is on.");
  const rest = (await gold(world)) ?? [];
  assert.ok(rest.every((action) => action.startsWith("connect ")) && rest.length === 2, rest.join("; "));
  assert.equal((await play(world, rest)).steps.at(-1)?.success, true);
  await world.restore?.(taken);
  assert.equal((await world.step("connect battery to battery")).observation, "you can not connect that.");
});

test("lab: every variation is in one split, the same whatever the options", async () => {
  const splits = ["train", "dev", "test"] as const;
  const keys = async (options: object): Promise<[string[], string[], string[]]> => {
    const source = await openLab(options);
    const all = await Promise.all(splits.map((split) => source.starts(split)));
    return all.map((starts) => starts.map(({ task, seed }) => `${task}/${seed}`)) as [string[], string[], string[]];
  };
  const [train, dev, held] = await keys({});
  const all = [...train, ...dev, ...held];
  assert.equal(new Set(all).size, all.length);
  const expected = LAB_TASKS.map(({ axes }) => axes.reduce((product, size) => product * size, 1));
  assert.equal(
    all.length,
    expected.reduce((sum, count) => sum + count, 0),
  );
  for (const [part, share] of [
    [train, 0.7],
    [dev, 0.1],
    [held, 0.2],
  ] as const)
    assert.ok(Math.abs(part.length / all.length - share) < 0.02, `${part.length} of ${all.length}`);
  assert.deepEqual(await keys({ size: "large", reward: "shaped" }), [train, dev, held]);
});

test("lab: the version tells options apart that lead elsewhere, and only those", async () => {
  const version = async (options: object): Promise<string> => (await openLab(options)).version;
  assert.equal(await version({}), await version({ size: "small", tasks: ["melt"] }));
  assert.equal(await version({ size: "small", rooms: 2, distractors: 1, closed: 0 }), await version({ size: "tiny" }));
  assert.equal(
    new Set(
      await Promise.all([{}, { size: "tiny" }, { reward: "shaped" }, { rooms: 5 }].map((options) => version(options))),
    ).size,
    4,
  );
});

test("lab: tasks, variations and snapshots that do not exist are refused with the next step", async () => {
  const source = await openLab();
  const world = await source.open();
  const refused = (work: Promise<unknown> | undefined, message: RegExp): Promise<void> =>
    assert.rejects(work ?? Promise.resolve(), (error) => error instanceof EnvError && message.test(error.message));
  await refused(world.step("look"), /step\(\) needs an episode; call reset\(\) first/);
  await refused(world.reset({ task: "melts", seed: 0 }), /no task "melts"; did you mean melt\?/);
  await refused(source.starts("train", ["dance"]), /no task "dance"; tasks are melt, boil/);
  for (const seed of [-1, 1.5, 1e9, Number.NaN])
    await refused(world.reset({ task: "find", seed }), /task find has variations 0 to \d+, got /);
  await refused(world.restore?.({ task: "melt" }), /no snapshot of the lab/);
  const large = await (await openLab({ size: "large" })).open();
  await large.reset({ task: "melt", seed: 0 });
  await refused(world.restore?.(await snapshot(large)), /restore it with the options it was taken with/);
});
