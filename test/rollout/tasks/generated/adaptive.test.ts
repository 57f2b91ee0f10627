import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, Task, TaskSet } from "../../../../src/rollout/index.ts";
import { FAMILY_NAMES } from "../../../../src/rollout/tasks/generated/index.ts";
import {
  type AdaptiveTasks,
  adaptiveOf,
  checkDisjoint,
  openTaskSet,
  TaskConfig,
} from "../../../../src/rollout/tasks/index.ts";

function open(options: object): Promise<TaskSet> {
  return openTaskSet(TaskConfig.parse({ name: "generated", ...options }));
}

async function adaptive(options: object = {}): Promise<AdaptiveTasks> {
  return adaptiveOf(await open({ size: 1000, curriculum: {}, ...options }))!;
}

const familyOf = ({ data }: Task): string => data.family as string;
const levelOf = ({ id }: Task): number => Number(id.split("/")[2]);
const passed = (task: Task, share: number) =>
  Array.from({ length: 8 }, (_, i) => ({ task, passed: i < Math.round(8 * share) }));

/** `count` tasks from a position on. */
function take(tasks: AdaptiveTasks, state: Json, count: number, first = 0): Task[] {
  return Array.from({ length: count }, (_, i) => tasks.task(first + i, state));
}

/** A state in which every family has this difficulty. */
function at(tasks: AdaptiveTasks, difficulty: number): Json {
  const { config, families } = tasks.start() as { config: Json; families: object };
  return {
    config,
    families: Object.fromEntries(Object.keys(families).map((name) => [name, { difficulty, recent: [] }])),
  };
}

test("generated with a curriculum: every family once in each block, problems of the level that the state says", async () => {
  const tasks = await adaptive();
  const drawn = take(tasks, tasks.start(), 48);
  for (const block of [drawn.slice(0, 16), drawn.slice(16, 32), drawn.slice(32)])
    assert.deepEqual(new Set(block.map(familyOf)), new Set(FAMILY_NAMES));
  assert.notDeepEqual(drawn.slice(0, 16).map(familyOf), drawn.slice(16, 32).map(familyOf));
  assert.deepEqual(new Set(drawn.map(levelOf)), new Set([0]));
  assert.deepEqual(new Set(take(tasks, at(tasks, 1), 48).map(levelOf)), new Set([5]));
  const between = take(tasks, at(tasks, 0.5), 400).map(levelOf); // half-way between levels 2 and 3
  const upper = between.filter((level) => level === 3).length;
  assert.equal(between.filter((level) => level === 2).length, 400 - upper);
  assert.ok(upper > 150 && upper < 250, String(upper)); // 200 expected, standard deviation 10
});

test("generated with a curriculum: tasks are a function of seed, position and state; a level's problems come without replacement", async () => {
  const [first, again, other] = await Promise.all([adaptive(), adaptive(), adaptive({ seed: 1 })]);
  const ids = (tasks: AdaptiveTasks) => take(tasks, tasks.start(), 40).map(({ id }) => id);
  assert.deepEqual(ids(first), ids(again));
  assert.notDeepEqual(ids(first), ids(other));
  assert.equal(first.task(37, first.start()).id, ids(again)[37]);
  const gcd = await adaptive({ family: "gcd", size: 300 }); // 50 of each level
  const epoch = take(gcd, at(gcd, 0.4), 50).map(({ id }) => id);
  assert.equal(new Set(epoch).size, 50);
  const next = take(gcd, at(gcd, 0.4), 50, 50).map(({ id }) => id);
  assert.notDeepEqual(next, epoch);
  assert.deepEqual(next.toSorted(), epoch.toSorted());
});

test("generated with a curriculum: a family moves by its own pass rate, families that did not occur stay", async () => {
  const tasks = await adaptive({
    family: { gcd: 1, lcm: 1, chain_sum: 1 },
    curriculum: { start: 0.4, window: 2, step: 0.2 },
  });
  const [gcd, lcm] = ["gcd", "lcm"].map(
    (name) => take(tasks, tasks.start(), 3).find((task) => familyOf(task) === name)!,
  );
  let state = tasks.start();
  const results = [...passed(gcd!, 1), ...passed(lcm!, 0)];
  assert.deepEqual(tasks.metrics(state, results), {
    "curriculum/gcd/level": 2,
    "curriculum/lcm/level": 2,
    "curriculum/chain_sum/level": 2,
    "curriculum/gcd/pass_rate": 1,
    "curriculum/lcm/pass_rate": 0,
  });
  for (let step = 0; step < 2; step++) state = tasks.next(state, results);
  const levels = tasks.metrics(state, []);
  assert.deepEqual(
    ["gcd", "lcm", "chain_sum"].map((name) => levels[`curriculum/${name}/level`]),
    [3, 1, 2],
  );
  for (const task of take(tasks, state, 30))
    assert.equal(levelOf(task), { gcd: 3, lcm: 1, chain_sum: 2 }[familyOf(task)], task.id);
});

test("generated with a curriculum: weights of a mixture hold, and the rarest family comes, too", async () => {
  const tasks = await adaptive({ family: { gcd: 3, lcm: 1 } });
  const names = take(tasks, tasks.start(), 64).map(familyOf);
  assert.equal(names.filter((name) => name === "gcd").length, 48);
  const rare = await adaptive({ family: { gcd: 1000, lcm: 1 } });
  assert.ok(take(rare, rare.start(), 65).map(familyOf).includes("lcm"));
});

test("generated with a curriculum: every family has problems of every level, none of which is a test problem", async () => {
  const train = await open({ size: 960, curriculum: {} });
  const found = new Set(
    Array.from({ length: train.size }, (_, i) => train.get(i)).map((task) => `${familyOf(task)} ${levelOf(task)}`),
  );
  assert.equal(found.size, 16 * 6);
  for (const difficulty of [0, 1]) checkDisjoint(train, await open({ size: 480, split: "test", difficulty }));
});

test("generated with a curriculum: the state survives JSON and decides alone", async () => {
  const tasks = await adaptive({ curriculum: { window: 1, step: 0.1 } });
  let [kept, restored] = [tasks.start(), tasks.start()];
  for (let step = 0; step < 30; step++) {
    const drawn = take(tasks, kept, 4, 4 * step);
    assert.deepEqual(take(tasks, restored, 4, 4 * step), drawn);
    const results = drawn.flatMap((task, i) => passed(task, ((step + i) % 5) / 4));
    kept = tasks.next(kept, results);
    restored = tasks.restore(JSON.parse(JSON.stringify(tasks.next(restored, results))));
  }
  assert.deepEqual(restored, kept);
  assert.notDeepEqual(kept, tasks.start());
});

test("generated with a curriculum: the state of another one, or a damaged one, is refused", async () => {
  const tasks = await adaptive({ family: { gcd: 1, lcm: 1 } });
  const state = tasks.start() as { config: object; families: Record<string, object> };
  const refused = (value: unknown, message: RegExp) =>
    assert.throws(() => tasks.restore(value as Json), { name: "DataError", message });
  refused(
    { ...state, config: { ...state.config, high: 0.9 } },
    /another curriculum: its high is 0\.9, this run's 0\.7$/,
  );
  refused(
    { ...state, families: { gcd: state.families.gcd } },
    /another curriculum: its families are gcd, this run's gcd, lcm$/,
  );
  refused(
    { ...state, families: { ...state.families, lcm: { difficulty: 2, recent: [] } } },
    /cannot be read: .*families\.lcm\.difficulty/s,
  );
  refused({ ...state, more: 1 }, /cannot be read: .*more/s);
  refused("x", /cannot be read/);
  const bounded = await adaptive({ family: "gcd", curriculum: { max: 0.5 } });
  const { config } = bounded.start() as { config: Json };
  assert.throws(
    () => bounded.restore({ config, families: { gcd: { difficulty: 0.8, recent: [] } } }),
    /damaged: gcd has difficulty 0\.8, outside 0 to 0\.5/,
  );
});

test("generated with a curriculum: options that contradict it are refused", async () => {
  const refused = (options: object, message: RegExp) =>
    assert.rejects(open({ curriculum: {}, size: 96, ...options }), { name: "ConfigError", message });
  await refused({ split: "test" }, /split: test holds still/);
  await refused({ difficulty: 0.5 }, /difficulty is given too: it starts at curriculum\.start/);
  await refused({ limit: 5 }, /limit is given too: use size/);
  assert.throws(() => TaskConfig.parse({ name: "generated", curriculum: { low: 0.8 } }), /must be below high/);
});
