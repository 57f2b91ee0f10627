import assert from "node:assert/strict";
import { test } from "node:test";
import { cli, startCli } from "./run-cli.ts";

test("env list: names every environment that a recipe can name", async () => {
  const { code, stdout } = await cli("env", "list", "--json");
  assert.equal(code, 0);
  const names = (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
  for (const name of ["lab", "scienceworld", "textworld-express", "countdown-turns", "http"])
    assert.ok(names.includes(name), name);
});

test("env list: with a name, options with their defaults, and the tasks with the size of each split", async () => {
  const { code, stdout } = await cli("env", "list", "lab", "--json");
  assert.equal(code, 0);
  const { tasks, options, problem } = JSON.parse(stdout) as {
    tasks: { task: string; train: number; test: number }[];
    options: { name: string }[];
    problem: string | null;
  };
  assert.equal(problem, null);
  assert.ok(tasks.some(({ task, train, test: held }) => task === "melt" && train > held && held > 0));
  assert.ok(options.some(({ name }) => name === "reward"));
});

test("env list: what is missing is told with the command that brings it; a wrong name is a usage error", async () => {
  const env = { SCIENCEWORLD_JAR: "/nowhere/scienceworld.jar" };
  const missing = await startCli(["env", "list", "scienceworld"], { env }).ended;
  assert.equal(missing.code, 0);
  assert.match(missing.stdout, /can't be opened here: .*nowhere.*bash scripts\/fetch-scienceworld/);
  const wrong = await cli("env", "list", "scienceword");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /did you mean scienceworld\?/);
});
