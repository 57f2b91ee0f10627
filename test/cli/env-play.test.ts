import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { cli, startCli } from "./run-cli.ts";

const counter = fileURLToPath(new URL("./counter-def.ts", import.meta.url));

test("env play: actions of a pipe are played, with :actions, :gold and :undo, as JSON lines", async () => {
  const input = "up\n:gold\n:undo\n:actions\nup\nsideways\nup\n";
  const args = ["env", "play", counter, "--task", "count", "--variation", "80", "--json"];
  const { code, stdout, stderr } = await startCli(args, { input }).ended;
  assert.equal(stderr, "");
  assert.equal(code, 0);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ kind }) => kind),
    ["reset", "step", "gold", "undo", "actions", "step", "step", "step"],
  );
  assert.equal(lines[0].instruction, "Count to 2.");
  assert.deepEqual(lines[2].actions, ["up", "up"]);
  assert.deepEqual(lines[4].actions, ["down", "up"]);
  assert.deepEqual(
    lines.slice(5).map(({ turn, observation, valid }) => [turn, observation, valid]),
    [
      [1, "at 1", true],
      [2, "at 1", false],
      [3, "at 2", true],
    ],
  );
  const { done, success, reward, score } = lines.at(-1);
  assert.deepEqual([done, success, reward, score], [true, true, 1, 1]);
});

test("env play: people see the instruction, what each action did, and how it ended", async () => {
  const args = ["env", "play", counter, "--split", "test", "--actions"];
  const { code, stdout, stderr } = await startCli(args, { input: "up\nup\nup\n:undo\n:help\n:quit\nup\n" }).ended;
  assert.equal(code, 0);
  assert.match(stdout, /^count, variation 80\n\nCount to 2\.\n\nat 0\n\n2 actions: down; up\n/);
  assert.match(stdout, /at 1\n\[turn 1, reward 0, score 0\]/);
  assert.match(stdout, /at 2\n\[turn 2, reward 1, score 1, done, solved\]/);
  assert.match(stdout, /back at turn 1, score 0\n/);
  assert.match(stderr, /the episode is over; :undo goes back/);
  assert.match(stderr, /there is no :help; there are :actions, :gold, :undo, :quit/);
  assert.equal(stdout.match(/turn 2/g)?.length, 1, "nothing is played after :quit");
});

test("env play: what does not exist is refused by name", async () => {
  const near = await cli("env", "play", "lba");
  assert.equal(near.code, 2);
  assert.match(near.stderr, /there is no environment "lba": must be one of lab, .*did you mean "lab"\?/);
  const task = await cli("env", "play", "lab", "--task", "melting");
  assert.equal(task.code, 1);
  assert.match(task.stderr, /lab: there is no task "melting"/);
  const option = await cli("env", "play", "lab", "--set", "szie=3");
  assert.equal(option.code, 2);
  assert.match(option.stderr, /environment lab: szie /);
  const variation = await cli("env", "play", counter, "--variation", "85");
  assert.equal(variation.code, 2);
  assert.match(variation.stderr, /train has no start with variation 85/);
});
