import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readSamples } from "../../src/run/samples-log.ts";
import { metricDef } from "../../src/trainers/metrics.ts";
import { startCli } from "../cli/run-cli.ts";

const clone = fileURLToPath(new URL("../../", import.meta.url));
const recipe = join(clone, "recipes/examples/my-reward.yaml");
const root = mkdtempSync(join(tmpdir(), "rlvr-own-reward-"));
const elsewhere = join(root, "elsewhere");
const SMALL = ["rollout.promptsPerStep=4", "rollout.groupSize=4", "checkpoint.every=1", "evaluate=null"];
const options = (set: readonly string[]): string[] => [
  ...set.flatMap((text) => ["--set", text]),
  "--threads",
  "1",
  "--quiet",
];

/** Trains in a folder of its own, from a current folder that holds nothing. */
async function train(name: string, file: string, set: readonly string[], ...more: string[]): Promise<void> {
  const args = ["train", file, ...options(set), ...more, "--out", join(root, name)];
  const { code, stderr } = await startCli(args, { cwd: elsewhere }).ended;
  assert.equal(code, 0, stderr);
}

function metricsOf(name: string): Record<string, number>[] {
  const lines = readFileSync(join(root, name, "metrics.jsonl"), "utf8")
    .trimEnd()
    .split("\n");
  return lines.map((line) =>
    Object.fromEntries(Object.entries(JSON.parse(line) as object).filter(([key]) => !metricDef(key)?.clock)),
  );
}
const samplesOf = (name: string) => readSamples(join(root, name, "samples.jsonl.gz"));

before(async () => {
  mkdirSync(elsewhere);
  await train("own", recipe, [...SMALL, "steps=2"]);
});
after(() => rmSync(root, { recursive: true, force: true }));

test("my-reward: the file has at most 40 lines, is what the page shows and the recipe's reward", () => {
  const text = readFileSync(join(clone, "recipes/examples/my-reward.ts"), "utf8");
  assert.ok(text.trimEnd().split("\n").length <= 40);
  assert.ok(readFileSync(join(clone, "docs/own-reward.md"), "utf8").includes(text), "the page shows the file");
  assert.match(readFileSync(recipe, "utf8"), /module: \.\/my-reward\.ts/);
});

test("my-reward: every sample has the score that its text deserves, and the reward is the weighted sum", () => {
  const samples = samplesOf("own");
  assert.equal(samples.length, 2 * 4 * 4);
  for (const { text, task, stop, rewards, reward } of samples) {
    const target = Number(/>(\d+)\//.exec(task)![1]); // countdown/4,8,2>16/0
    const made = /=(\d+)( yes| no)?$/.exec(text);
    const expected = stop === "length" || !made ? 0 : 1 / (1 + Math.abs(Number(made[1]) - target) / 5);
    assert.equal(rewards["near-miss"]!.score, expected, text);
    assert.ok(Math.abs(reward! - (rewards.countdown!.score + 0.2 * expected)) < 1e-9);
  }
  assert.ok(new Set(samples.map(({ rewards }) => rewards["near-miss"]!.score)).size > 2, "the scores must differ");
  assert.ok(metricsOf("own").every((line) => line["rewards/near-miss/mean"]! > 0));
});

test("my-reward: goes on from a checkpoint with the recipe of the run folder, from another folder, to the same bytes", async () => {
  await train("cut", recipe, [...SMALL, "steps=1"]);
  await train("cut", join(root, "cut", "recipe.yaml"), [], "--steps", "2", "--resume");
  assert.deepEqual(metricsOf("cut"), metricsOf("own"));
  assert.deepEqual(samplesOf("cut"), samplesOf("own"));
});

test("my-reward: a file that is no reward ends the command before a run begins, naming the file", async () => {
  writeFileSync(join(root, "broken.ts"), "export default 3;\n");
  const set = [...SMALL, `rewards.1.module=${join(root, "broken.ts")}`];
  const { code, stderr } = await startCli(["train", recipe, ...options(set), "--out", join(root, "none")]).ended;
  assert.equal(code, 2);
  assert.match(
    stderr,
    /reward near-miss: .*broken\.ts: the default export must be a reward made by defineReward.*; got a number/,
  );
  assert.ok(!existsSync(join(root, "none")));
});

test("my-reward: the built package trains with it too, from plain Node, in a project of the user's own", () => {
  const project = join(root, "project");
  const installed = join(project, "node_modules", "rlvr");
  mkdirSync(join(project, "node_modules"), { recursive: true });
  const tsc = join(clone, "node_modules/typescript/bin/tsc");
  const emit = ["--noCheck", "--declaration", "false", "--sourceMap", "false", "--outDir", join(installed, "dist")]; // types are another test's matter
  const built = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json", ...emit], { cwd: clone });
  assert.equal(built.status, 0, `${built.stdout}`);
  for (const part of ["package.json", "bin", "models/seedling-direct"])
    cpSync(join(clone, part), join(installed, part), { recursive: true });
  const { dependencies } = JSON.parse(readFileSync(join(clone, "package.json"), "utf8")) as { dependencies: object };
  for (const name of Object.keys(dependencies)) {
    mkdirSync(join(project, "node_modules", name, ".."), { recursive: true });
    symlinkSync(join(clone, "node_modules", name), join(project, "node_modules", name));
  }
  for (const part of ["my-reward.ts", "my-reward.yaml"])
    cpSync(join(clone, "recipes/examples", part), join(project, part));
  const args = [join(installed, "bin/rlvr.js"), "train", "my-reward.yaml", ...options([...SMALL, "steps=2"])];
  const ran = spawnSync(process.execPath, [...args, "--out", join(root, "installed")], { cwd: project });
  assert.equal(ran.status, 0, `${ran.stderr}`);
  assert.deepEqual(metricsOf("installed"), metricsOf("own"));
});
