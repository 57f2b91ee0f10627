import assert from "node:assert/strict";
import { test } from "node:test";
import { createReward } from "../../../src/rewards/index.ts";
import { EnvRegistry, type Task, type TaskSet } from "../../../src/rollout/index.ts";
import { checkDisjoint, openTaskSet, TaskConfig } from "../../../src/rollout/tasks/index.ts";
import { DataError } from "../../../src/utils/errors.ts";

function open(options: object): Promise<TaskSet> {
  return openTaskSet(TaskConfig.parse(options));
}

function all(tasks: TaskSet): Task[] {
  return Array.from({ length: tasks.size }, (_, i) => tasks.get(i));
}

function question({ prompt }: Task): string {
  assert.ok(typeof prompt !== "string" && prompt.length === 1 && prompt[0]!.role === "user");
  return prompt[0]!.content;
}

async function outcome(task: Task, text: string): Promise<string> {
  const reward = createReward({ name: "numeric-answer", weight: 1, lastNumber: true });
  return (await reward.score({ task, text, stop: "eos", tokens: 1 })).outcome;
}

/** A problem without the order in which its numbers are given. */
function pairOf({ data }: Task): string {
  return `${[...(data.numbers as number[])].sort((a, b) => a - b)}>${data.target}`;
}

for (const options of [
  { name: "arithmetic" },
  { name: "arithmetic", operations: ["+", "-", "*"], operands: 3, maxNumber: 12, negative: true, seed: 4 },
  { name: "countdown" },
  { name: "countdown", format: "steps", numbers: 4, maxNumber: 5, maxTarget: 40 },
]) {
  const title = JSON.stringify(options);
  test(`task sets: splits are disjoint, ids unique, get is a function of the index: ${title}`, async () => {
    const [train, held] = [await open(options), await open({ ...options, split: "test" })];
    const [trained, tested] = [all(train), all(held)];
    assert.deepEqual([train.split, held.split], ["train", "test"]);
    const ids = [...trained, ...tested].map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    const content = options.name === "countdown" ? pairOf : question;
    const contents = new Set(tested.map(content));
    assert.ok(contents.size > 30 && trained.every((task) => !contents.has(content(task))));
    checkDisjoint(train, held);
    const again = await open(options);
    for (const i of [train.size - 1, 0, Math.floor(train.size / 2), 0]) {
      assert.deepEqual(train.get(i), trained[i]);
      assert.deepEqual(again.get(i), trained[i]);
    }
    for (const i of [-1, train.size, 0.5, Number.NaN]) assert.throws(() => train.get(i), RangeError);
  });

  test(`task sets: a limit takes the first problems: ${title}`, async () => {
    const [whole, some] = [await open(options), await open({ ...options, limit: 7 })];
    assert.deepEqual(all(some), all(whole).slice(0, 7));
  });
}

test("task sets: the kind of a problem is the environment's task or the generated family; sets whose problems are alike have none", async () => {
  const registry = new EnvRegistry();
  const env = { name: "lab", tasks: ["melt", "find"] };
  const lab = await openTaskSet(TaskConfig.parse({ name: "environment", env, split: "test", limit: 6 }), registry);
  const kinds = (tasks: TaskSet): (string | undefined)[] => all(tasks).map(({ kind }) => kind);
  assert.deepEqual(kinds(lab).sort(), ["find", "find", "find", "melt", "melt", "melt"]);
  for (const { id, kind } of all(lab)) assert.equal(id.split("/")[1], kind);
  await registry.close();
  const generated = await open({ name: "generated", family: { gcd: 1, lcm: 1 }, size: 20 });
  assert.deepEqual([...new Set(kinds(generated))].sort(), ["gcd", "lcm"]);
  for (const { kind, data } of all(generated)) assert.equal(kind, data.family);
  assert.deepEqual([...new Set(kinds(await open({ name: "arithmetic", limit: 5 })))], [undefined]);
});

test("arithmetic: the gold answer is the value of the question", async () => {
  const options = { name: "arithmetic", operations: ["+", "-", "*"], operands: 4, maxNumber: 99, negative: true };
  let products = 0;
  for (const task of all(await open(options))) {
    const text = /^What is ([-+* 0-9]+)\? Answer with the number only\.$/.exec(question(task))?.[1];
    assert.ok(text, question(task));
    // products first, then from left to right, as a table of terms
    const terms = text.replaceAll(" - ", " + -").split(" + ");
    const value = terms.reduce(
      (sum, term) => sum + term.split(" * ").reduce((product, n) => product * Number(n), 1),
      0,
    );
    assert.equal(task.answer, String(value), text);
    if (text.includes("*")) products++;
    assert.equal(await outcome(task, `The answer is ${value}.`), "correct");
    assert.equal(await outcome(task, `The answer is ${value + 1}.`), "wrong");
  }
  assert.ok(products > 1000, `${products} problems with a product`);
});

test("arithmetic: options decide signs, numbers, results below zero and the instruction", async () => {
  const options = { name: "arithmetic", operations: ["-"], operands: 2, maxNumber: 9, instruction: "" };
  const positive = all(await open(options));
  assert.ok(positive.length > 20);
  for (const task of positive) {
    assert.match(question(task), /^What is [1-9] - [1-9]\?$/);
    assert.ok(Number(task.answer) >= 0);
  }
  const any = all(await open({ ...options, negative: true }));
  assert.ok(any.some(({ answer }) => Number(answer) < 0) && any.length > positive.length);
});

test("arithmetic: another seed draws other problems, and they are in the same splits", async () => {
  const options = { name: "arithmetic", maxNumber: 60, size: 300 };
  const [first, second] = [await open(options), await open({ ...options, seed: 1 })];
  const shared = new Set(all(first).map(({ id }) => id));
  const same = all(second).filter(({ id }) => shared.has(id)).length;
  assert.ok(same < 100, `${same} of 300 problems are the same`);
  checkDisjoint(second, await open({ ...options, split: "test" }));
});

test("arithmetic: about the share holdOut of all problems is held out; a split without problems is refused", async () => {
  const size = async (split: string): Promise<number> =>
    (await open({ name: "arithmetic", split, maxNumber: 40, size: 100_000, holdOut: 0.3 })).size;
  const [train, held] = [await size("train"), await size("test")];
  // 1600 sums and 820 differences that are not negative; drawing stops a little before the last one
  assert.ok(train + held > 2300 && train + held <= 2420, `${train} + ${held}`);
  assert.ok(Math.abs(held / (train + held) - 0.3) < 0.04, `${held} of ${train + held}`);
  await assert.rejects(
    open({ name: "arithmetic", split: "test", maxNumber: 2, operations: ["*"], holdOut: 1e-9 }),
    /arithmetic: no problem fits these options in the test split/,
  );
});

test("checkDisjoint: names a problem that is in both splits", async () => {
  const train = await open({ name: "arithmetic", holdOut: 0.1 });
  const held = await open({ name: "arithmetic", split: "test", holdOut: 0.4 });
  assert.throws(() => checkDisjoint(train, held), {
    constructor: DataError,
    message:
      /^tasks\.train and tasks\.eval overlap: arithmetic\/\d+ [-+] \d+ and arithmetic\/\d+ [-+] \d+ ask the same; /,
  });
  checkDisjoint(train, train); // evaluated on what it trains on: the recipe says so
});
