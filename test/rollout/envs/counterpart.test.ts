import assert from "node:assert/strict";
import { test } from "node:test";
import { envCounterpart, readAction } from "../../../src/rollout/envs/counterpart.ts";
import { envPool } from "../../../src/rollout/envs/index.ts";
import { digitsSource } from "../episodes/digits-env.ts";

const start = { task: "count", seed: 3 };
const options = { start, showActions: false, maxObservation: 5 };

test("envCounterpart: an episode that ends before it has a world gives the world back", async () => {
  const pool = envPool(digitsSource(3), { size: 1 });
  const first = envCounterpart({ pool, ...options });
  await first.start();
  const second = envCounterpart({ pool, ...options });
  const waiting = second.start();
  await second.finish();
  await first.finish();
  await assert.rejects(waiting, /over before it had a world/);
  assert.deepEqual([pool.stats().idle, pool.stats().inUse, pool.stats().replaced], [1, 0, 0]);
  await pool.close();
});

test("envCounterpart: long observations are cut, a world in the middle of a call is replaced", async () => {
  const pool = envPool(digitsSource(9, { 3: "hangs" }), { size: 1 });
  const one = envCounterpart({ pool, ...options });
  const { messages, state } = await one.start();
  assert.deepEqual(messages, [
    { role: "user", content: "3?" },
    { role: "user", content: "3>", from: "environment" },
  ]);
  assert.equal(state, "3");
  const reply = await one.reply({ text: "12", isCut: false });
  assert.deepEqual([reply.observation, reply.action, reply.valid, reply.done], ["8,8,8 …", "12", true, false]);
  void one.reply({ text: "1", isCut: false });
  await one.finish();
  assert.deepEqual([pool.stats().inUse, pool.stats().replaced], [0, 1]);
  await pool.close();
});

test("readAction: the last tag, else the last Action:, else the last line; thoughts and control characters do not count", () => {
  const cases: [string, string][] = [
    ["go north\n", "go north"],
    ["I think\n go  north \n\n", "go north"],
    ["<action>look</action> or <action>open\ndoor</action> yes", "open door"],
    ["Thought: hm\nAction: take cup\n", "take cup"],
    ["<think>Action: no</think>\nAction: yes", "yes"],
    ["<think><action>no</action></think> wait", "wait"],
    ["a\u0007b\u2028c", "a b c"],
    ["", ""],
  ];
  for (const [text, action] of cases) assert.equal(readAction(text), action, JSON.stringify(text));
  assert.equal(readAction("x".repeat(100_000)).length, 1000);
});

test("envPool: worlds are made when needed, used again, handed out in order, and all closed", async () => {
  const source = digitsSource(2);
  const opened = (): number => source.log.opened;
  const pool = envPool(source, { size: 2 });
  const [a, b] = [await pool.acquire(), await pool.acquire()];
  const order: number[] = [];
  const waiting = [0, 1, 2].map((i) =>
    pool.acquire().then((world) => {
      order.push(i);
      return world;
    }),
  );
  assert.equal(opened(), 2);
  pool.release(a);
  assert.equal(await waiting[0], a);
  pool.discard(b);
  const fresh = await waiting[1]!;
  assert.ok(fresh !== b && opened() === 3 && source.log.closed === 1);
  pool.release(fresh);
  assert.equal(await waiting[2], fresh);
  assert.deepEqual(order, [0, 1, 2]);
  const last = pool.acquire();
  await pool.close();
  await assert.rejects(last, /pool of environments is closed/);
  assert.equal(source.log.closed, source.log.opened);
});
