import assert from "node:assert/strict";
import { test } from "node:test";
import { createReward } from "../../../../src/rewards/index.ts";
import type { Task, TaskSet } from "../../../../src/rollout/index.ts";
import { FAMILY_NAMES, makeItem } from "../../../../src/rollout/tasks/generated/index.ts";
import { openTaskSet, TaskConfig } from "../../../../src/rollout/tasks/index.ts";

function open(options: object): Promise<TaskSet> {
  return openTaskSet(TaskConfig.parse({ name: "generated", ...options }));
}

function tasksOf(set: TaskSet): Task[] {
  return Array.from({ length: set.size }, (_, i) => set.get(i));
}

/** The problem itself, wording and order of its parts aside. */
function keyOf(task: Task): string {
  const [, family, level, seed] = task.id.split("/");
  const item = makeItem(family as never, BigInt(seed!), level === "default" ? level : Number(level));
  assert.equal(item?.answer, task.answer);
  return `${family}:${item!.key}`;
}

test("generated: all families by default, each with its share, and the gold answer in a tag is right", async () => {
  const set = await open({ size: 160 });
  assert.equal(set.size, 160);
  const reward = createReward({ name: "reasoning-task", weight: 1, partialCredit: false });
  const counts = new Map<unknown, number>();
  for (const task of tasksOf(set)) {
    counts.set(task.data.family, (counts.get(task.data.family) ?? 0) + 1);
    assert.equal(task.set, "generated");
    const [message] = task.prompt as { role: string; content: string }[];
    assert.match(message!.content, /\nGive the final answer inside <answer> and <\/answer>\.$/);
    const text = `so <answer>${task.answer}</answer>`;
    assert.equal((await reward.score({ task, text, stop: "eos", tokens: 1 })).score, 1, task.id);
  }
  assert.deepEqual([...counts.values()], Array(16).fill(10));
  assert.deepEqual(new Set(counts.keys()), new Set(FAMILY_NAMES));
});

test("generated: equal options give equal tasks; another seed gives unrelated ones", async () => {
  const [first, again, next] = await Promise.all([
    open({ size: 48, seed: 42 }),
    open({ size: 48, seed: 42 }),
    open({ size: 48, seed: 43 }),
  ]);
  assert.deepEqual(tasksOf(first), tasksOf(again));
  const keys = new Set(tasksOf(first).map(keyOf));
  // reasoning-gym's sets of seeds 42 and 43 share all items but one
  assert.ok(tasksOf(next).filter((task) => keys.has(keyOf(task))).length <= 1);
  assert.deepEqual(tasksOf(await open({ size: 48, seed: 42, limit: 5 })), tasksOf(first).slice(0, 5));
});

test("generated: no problem is in both splits, whatever seed, difficulty and mixture, and none comes twice", async () => {
  const key = async (options: object) => {
    const keys = tasksOf(await open(options)).map(keyOf);
    assert.equal(new Set(keys).size, keys.length);
    return keys;
  };
  const train = new Set([
    ...(await key({ size: 1600, seed: 1, difficulty: 0 })),
    ...(await key({ size: 1600, seed: 2, difficulty: 0.1 })),
    ...(await key({ family: { chain_sum: 1, gcd: 3, spell_backward: 1 }, size: 900, seed: 3 })),
  ]);
  for (const seed of [1, 7]) {
    const test = await key({ split: "test", size: 1600, seed, difficulty: 0 });
    assert.ok(test.length > 300);
    assert.equal(test.filter((content) => train.has(content)).length, 0);
  }
});

test("generated: a family that is used up gives what it has", async () => {
  const family = "prime_factorization"; // level 0: the numbers 2 to 20
  const train = tasksOf(await open({ family, difficulty: 0, size: 500 }));
  const test = tasksOf(await open({ family, difficulty: 0, size: 500, split: "test" }));
  const numbers = [...train, ...test].map(({ data }) => (data.metadata as { number: number }).number);
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    Array.from({ length: 19 }, (_, i) => i + 2),
  );
});

test("generated: a mixture has its weights, difficulty lies between levels", async () => {
  const mixture = await open({ family: { gcd: 3, lcm: 1 }, size: 200, difficulty: { gcd: 0.5, lcm: 1 } });
  const tasks = tasksOf(mixture);
  assert.equal(tasks.filter(({ data }) => data.family === "gcd").length, 150);
  const levels = tasks.filter(({ data }) => data.family === "gcd").map(({ id }) => id.split("/")[2]);
  assert.deepEqual([...new Set(levels)].sort(), ["2", "3"]); // 0.5 lies half-way between them
  const upper = levels.filter((level) => level === "3").length;
  assert.ok(upper > 50 && upper < 100, String(upper)); // 75 expected, standard deviation 6
  assert.ok(tasks.filter(({ data }) => data.family === "lcm").every(({ id }) => id.split("/")[2] === "5"));
});

test("generated: options that make no sense are refused", async () => {
  await assert.rejects(open({ family: {} }), { name: "ConfigError", message: /mixture is empty/ });
  await assert.rejects(open({ family: "gcd", difficulty: { lcm: 1 } }), /lcm is not in the mixture/);
  await assert.rejects(open({ family: { gcd: 1, lcm: 1 }, difficulty: { gcd: 1 } }), /lcm has no value/);
  assert.throws(() => TaskConfig.parse({ name: "generated", family: "gdc" }));
  assert.throws(() => TaskConfig.parse({ name: "generated", family: { gcd: 0 } }));
  assert.throws(() => TaskConfig.parse({ name: "generated", difficulty: 1.1 }));
});
