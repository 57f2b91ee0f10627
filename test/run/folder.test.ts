import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { openCheckpoint } from "../../src/run/checkpoints.ts";
import { examineRun } from "../../src/run/doctor/run.ts";
import { describeEnvironment } from "../../src/run/environment.ts";
import { planRun, RunFolder } from "../../src/run/folder.ts";
import { runLoop } from "../../src/run/loop.ts";
import { metricsLine, readMetrics } from "../../src/run/metrics-log.ts";
import { ConfigError, DataError, TrainingError } from "../../src/utils/errors.ts";
import { quadraticTrainer } from "./quadratic.ts";
import { quadraticRecipe, quadraticRun } from "./quadratic-run.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-folder-"));
after(() => rmSync(root, { recursive: true, force: true }));
const machine = { threads: 1, device: "cpu" };

test("planRun: an empty or missing folder may be used and nothing is written", () => {
  const path = join(root, "missing");
  assert.equal(planRun(path, quadraticRecipe(5), false).checkpoint, null);
  assert.equal(existsSync(path), false);
  assert.deepEqual(planRun(path, quadraticRecipe(5), true).notes, [`${path}: no run to resume, starting one`]);
});

test("planRun: a folder with other files is refused", () => {
  const path = join(root, "foreign");
  mkdirSync(path);
  writeFileSync(join(path, "thesis.txt"), "x");
  assert.throws(() => planRun(path, quadraticRecipe(5), true), {
    name: "ConfigError",
    message: `${path}: is not empty and holds no run; choose another folder with --out`,
  });
});

test("planRun: a folder that holds this run wants --resume; another recipe is refused and named", async () => {
  const path = join(root, "held");
  await quadraticRun(path, { steps: 3 });
  const recipe = quadraticRecipe(3, { every: 3, keep: 2 });
  assert.throws(() => planRun(path, recipe, false), {
    name: "ConfigError",
    message: `${path}: holds this run already; go on with it by --resume, or choose another folder with --out`,
  });
  const other = { ...recipe, seed: 7, steps: 9 };
  assert.throws(() => planRun(path, other, false), {
    message: `${path}: holds another run (steps, seed differ); choose another folder with --out`,
  });
  assert.throws(() => planRun(path, other, true), {
    name: "ConfigError",
    message: `${path}: cannot resume, it holds another run (seed differ); choose another folder with --out`,
  });
  assert.equal(planRun(path, { ...recipe, steps: 9 }, true).checkpoint!.manifest.step, 3);
});

test("RunFolder: writes recipe, environment, metrics and samples that other tools can read", async () => {
  const path = join(root, "files");
  await quadraticRun(path, { steps: 4 });
  const environment = JSON.parse(readFileSync(join(path, "environment.json"), "utf8"));
  assert.equal(environment.node, process.versions.node);
  assert.match(environment.onnxruntime, /^\d+\.\d+/);
  assert.deepEqual([environment.device, environment.threads, environment.seed], ["cpu", 1, 1]);
  assert.match(environment.hashes.recipe, /^[0-9a-f]{64}$/);
  const lines = gunzipSync(readFileSync(join(path, "samples.jsonl.gz")))
    .toString()
    .trim()
    .split("\n");
  assert.equal(lines.length, 8, "4 steps × 2 completions, one gzip member a step");
  assert.deepEqual(Object.keys(JSON.parse(readFileSync(join(path, "evaluations", "step-000004.json"), "utf8"))), [
    "step",
    "samples",
    "correct",
    "metrics",
  ]);
});

test("RunFolder: resuming notes the machine it went on with", async () => {
  const path = join(root, "again");
  await quadraticRun(path, { steps: 3 });
  await quadraticRun(path, { steps: 6 });
  const environment = JSON.parse(readFileSync(join(path, "environment.json"), "utf8"));
  assert.deepEqual(
    environment.resumed.map((entry: { step: number }) => entry.step),
    [3],
  );
});

test("metricsLine: an undeclared name is our bug, a value that is not finite stops the run", () => {
  assert.throws(
    () => metricsLine(1, { loss: 1, typo: 2 }),
    /^Error: internal: metrics not declared in trainers\/metrics\.ts: typo$/,
  );
  assert.throws(
    () => metricsLine(2, { loss: Number.POSITIVE_INFINITY }),
    (error: Error) => error instanceof TrainingError && /^step 2: loss is Infinity\./.test(error.message),
  );
  assert.equal(metricsLine(3, { reward: 1, loss: 0.5 }), '{"step":3,"loss":0.5,"reward":1}');
  assert.equal(
    metricsLine(0, { "val-core/x/acc/mean@8/ci95_low": 0.1, "eval_completions/mean_length": 2 }).length > 0,
    true,
  );
});

test("readMetrics: a line that was never finished is left out, a broken one is named", () => {
  const path = join(root, "metrics.jsonl");
  writeFileSync(path, '{"step":0}\n{"step":1,"loss":');
  assert.deepEqual(readMetrics(path), [{ step: 0 }]);
  writeFileSync(path, '{"step":0}\nnonsense\n{"step":1}\n');
  assert.throws(
    () => readMetrics(path),
    (error: Error) => error instanceof DataError && error.message.startsWith(`${path}:2: not a metrics line`),
  );
});

test("openCheckpoint: a missing, cut or changed file is named", async () => {
  const path = join(root, "damaged");
  await quadraticRun(path, { steps: 3 });
  const folder = join(path, "checkpoints", "step-000003");
  const file = join(folder, "state.json");
  const bytes = readFileSync(file);
  assert.equal(openCheckpoint(folder).manifest.step, 3);
  writeFileSync(
    file,
    bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)),
  );
  assert.throws(() => openCheckpoint(folder), {
    name: "DataError",
    message: `${file}: its bytes changed since it was written (sha256 differs)`,
  });
  writeFileSync(file, bytes.subarray(1));
  assert.throws(() => openCheckpoint(folder), {
    message: `${file}: has ${bytes.length - 1} bytes instead of ${bytes.length}`,
  });
  rmSync(file);
  assert.throws(() => openCheckpoint(folder), { message: `${file}: missing` });
  assert.deepEqual(
    examineRun(path)
      .filter(({ level }) => level === "fail")
      .map(({ what }) => what),
    ["Checkpoint 3"],
  );
});

test("examineRun: a whole run has no finding; a gap in the metrics is found", async () => {
  const path = join(root, "doctor");
  await quadraticRun(path, { steps: 4 });
  assert.deepEqual(
    examineRun(path).filter(({ level }) => level !== "ok"),
    [],
  );
  const file = join(path, "metrics.jsonl");
  const lines = readFileSync(file, "utf8").split("\n");
  writeFileSync(file, [...lines.slice(0, 2), ...lines.slice(3)].join("\n"));
  const finding = examineRun(path).find(({ what }) => what === "Metrics")!;
  assert.deepEqual(
    [finding.level, finding.detail],
    ["fail", "line 3 is step 3, the line before it is step 1: steps are missing or double"],
  );
});

const full = existsSync("/dev/full") ? false : "needs /dev/full (Linux)";

test("a full disk while logging stops the run; the last checkpoint is whole and the message says how to go on", {
  skip: full,
}, async () => {
  const path = join(root, "full");
  const recipe = quadraticRecipe(9, { every: 3, keep: 2 });
  const trainer = quadraticTrainer({ seed: 1, steps: 9 });
  const kept = join(path, "metrics.kept");
  const filling = {
    ...trainer,
    step: async (step: number) => {
      if (step === 4) {
        renameSync(join(path, "metrics.jsonl"), kept);
        symlinkSync("/dev/full", join(path, "metrics.jsonl"));
      }
      return trainer.step(step);
    },
  };
  const folder = new RunFolder(planRun(path, recipe, false), describeEnvironment(recipe, machine));
  await assert.rejects(runLoop({ trainer: filling, folder, from: 0 }), (error: Error) => {
    assert.ok(error instanceof TrainingError);
    assert.match(
      error.message,
      /the disk is full \(ENOSPC.*\)\. Make room for it\. The checkpoint of step 3 is whole\. Go on with: npx rlvr train .*--resume$/,
    );
    return true;
  });
  rmSync(join(path, "metrics.jsonl"));
  renameSync(kept, join(path, "metrics.jsonl"));
  assert.deepEqual(await quadraticRun(path, { steps: 9 }), { step: 9, interrupted: false });
});

test("a full disk while a checkpoint is written leaves the one before it", { skip: full }, async () => {
  const path = join(root, "full-checkpoint");
  const recipe = quadraticRecipe(9, { every: 3, keep: 2 });
  const trainer = quadraticTrainer({ seed: 1, steps: 9 });
  let saves = 0;
  const filling = {
    ...trainer,
    save: async (folder: string) =>
      ++saves === 2 ? writeFileSync("/dev/full", "x".repeat(100)) : trainer.save(folder),
  };
  const folder = new RunFolder(planRun(path, recipe, false), describeEnvironment(recipe, machine));
  await assert.rejects(
    runLoop({ trainer: filling, folder, from: 0 }),
    /the disk is full.*The checkpoint of step 3 is whole/,
  );
  assert.deepEqual(readdirSync(join(path, "checkpoints")).sort(), ["step-000003", "step-000006.part"]);
  assert.deepEqual(await quadraticRun(path, { steps: 9 }), { step: 9, interrupted: false });
  assert.ok(!(new ConfigError("x") instanceof TrainingError));
});
