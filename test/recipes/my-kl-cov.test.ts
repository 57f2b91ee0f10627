import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readSamples } from "../../src/run/samples-log.ts";
import { metricDef } from "../../src/trainers/metrics.ts";
import { type Ended, startCli } from "../cli/run-cli.ts";

const clone = fileURLToPath(new URL("../../", import.meta.url));
const recipe = join(clone, "recipes/examples/my-kl-cov.yaml");
const root = mkdtempSync(join(tmpdir(), "rlvr-own-"));
const elsewhere = join(root, "elsewhere");
const STEPS = 4;
const SMALL = [
  "rollout.promptsPerStep=4",
  "rollout.groupSize=4",
  "checkpoint.every=2",
  "evaluate=null",
  "control.ratio=0.1",
];

/** Trains in a folder of its own, from a current folder that holds nothing. */
async function train(name: string, file: string, set: readonly string[], ...more: string[]): Promise<Ended> {
  const args = ["train", file, ...[...set].flatMap((text) => ["--set", text]), "--threads", "1", "--quiet", ...more];
  const ended = await startCli([...args, "--out", join(root, name)], { cwd: elsewhere }).ended;
  assert.equal(ended.code, 0, ended.stderr);
  return ended;
}

/** Lines of metrics.jsonl without what a clock measured and without the names of one of the two controls. */
function metricsOf(name: string): Record<string, unknown>[] {
  const lines = readFileSync(join(root, name, "metrics.jsonl"), "utf8")
    .trimEnd()
    .split("\n");
  const same = (metric: string): boolean =>
    metric === "step" || !(metricDef(metric)?.clock || /^(kl-cov\/|control\/top_frac)/.test(metric));
  return lines.map((line) => Object.fromEntries(Object.entries(JSON.parse(line)).filter(([metric]) => same(metric))));
}

const samplesOf = (name: string) => readSamples(join(root, name, "samples.jsonl.gz"));

before(async () => {
  mkdirSync(elsewhere);
  await train("own", recipe, [...SMALL, `steps=${STEPS}`]);
});
after(() => rmSync(root, { recursive: true, force: true }));

test("my-kl-cov: the file has at most 40 lines, is what the page shows and the recipe's control", () => {
  const text = readFileSync(join(clone, "recipes/examples/my-kl-cov.ts"), "utf8");
  assert.ok(text.trimEnd().split("\n").length <= 40);
  assert.ok(readFileSync(join(clone, "docs/own-control.md"), "utf8").includes(text), "the page shows the file");
  assert.match(readFileSync(recipe, "utf8"), /control: \{ module: \.\/my-kl-cov\.ts/);
});

test("my-kl-cov: trains bit for bit as the built-in kl-cov with the same options, and selects tokens", async () => {
  await train("built-in", recipe, [...SMALL, `steps=${STEPS}`, "control={name: kl-cov, ratio: 0.1, coefficient: 1}"]);
  await train("plain", recipe, [...SMALL.slice(0, -1), `steps=${STEPS}`, "control=null"]);
  const own = metricsOf("own");
  assert.equal(own.length, STEPS);
  assert.deepEqual(own, metricsOf("built-in"));
  assert.deepEqual(samplesOf("own"), samplesOf("built-in"));
  assert.ok(samplesOf("own").some(({ selected }) => selected?.includes(1)));
  const hash = (name: string): unknown => metricsOf(name).at(-1)!["resume/state_hash"];
  assert.notEqual(hash("own"), hash("plain"), "the control must matter");
});

test("my-kl-cov: goes on from a checkpoint with the recipe of the run folder, from another folder, to the same bytes", async () => {
  await train("cut", recipe, [...SMALL, "steps=2"]);
  await train("cut", join(root, "cut", "recipe.yaml"), [], "--steps", `${STEPS}`, "--resume");
  assert.deepEqual(metricsOf("cut"), metricsOf("own"));
  assert.deepEqual(samplesOf("cut"), samplesOf("own"));
});

test("my-kl-cov: a checkpoint of another control is refused", async () => {
  const file = join(root, "cut", "checkpoints", "step-000004", "trainer.json");
  const state = readFileSync(file, "utf8");
  assert.match(state, /"name": "my-kl-cov"/);
  writeFileSync(
    join(root, "other.ts"),
    `import own from ${JSON.stringify(join(clone, "recipes/examples/my-kl-cov.ts"))};
export default { ...own, name: "other" };\n`,
  );
  // the same recipe, but the file has become another control
  const moved = readFileSync(join(root, "cut", "recipe.yaml"), "utf8").replace(
    /module: .*/,
    `module: ${join(root, "other.ts")}`,
  );
  writeFileSync(join(root, "cut", "recipe.yaml"), moved);
  const args = [
    "train",
    join(root, "cut", "recipe.yaml"),
    "--out",
    join(root, "cut"),
    "--steps",
    "5",
    "--resume",
    "--quiet",
  ];
  const { code, stderr } = await startCli(args).ended;
  assert.equal(code, 2);
  assert.match(stderr, /holds the state of the control my-kl-cov, this run has other; resume with the same control/);
});

test("my-kl-cov: the built package trains with it too, from plain Node, in a project of the user's own", () => {
  const project = join(root, "project");
  const installed = join(project, "node_modules", "rlvr");
  mkdirSync(join(project, "node_modules"), { recursive: true });
  const tsc = join(clone, "node_modules/typescript/bin/tsc");
  const emit = ["--noCheck", "--declaration", "false", "--outDir", join(installed, "dist")]; // types are another test's matter
  const built = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json", ...emit], { cwd: clone });
  assert.equal(built.status, 0, `${built.stdout}`);
  for (const part of ["package.json", "bin", "models/seedling-direct"])
    cpSync(join(clone, part), join(installed, part), { recursive: true });
  const { dependencies } = JSON.parse(readFileSync(join(clone, "package.json"), "utf8")) as { dependencies: object };
  for (const name of Object.keys(dependencies)) {
    mkdirSync(join(project, "node_modules", name, ".."), { recursive: true });
    symlinkSync(join(clone, "node_modules", name), join(project, "node_modules", name));
  }
  writeFileSync(join(project, "package.json"), '{"type": "commonjs"}'); // what `npm init` writes
  for (const part of ["my-kl-cov.ts", "my-kl-cov.yaml"])
    cpSync(join(clone, "recipes/examples", part), join(project, part));
  const bin = join(installed, "bin/rlvr.js");
  const args = [
    bin,
    "train",
    join(project, "my-kl-cov.yaml"),
    ...[...SMALL, `steps=${STEPS}`].flatMap((text) => ["--set", text]),
  ];
  const ran = spawnSync(process.execPath, [...args, "--threads", "1", "--quiet", "--out", join(root, "installed")], {
    cwd: project,
  });
  assert.equal(ran.status, 0, `${ran.stderr}`);
  assert.deepEqual(metricsOf("installed"), metricsOf("own"));
});
