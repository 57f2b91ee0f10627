import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { listCheckpoints, newestCheckpoint } from "../../src/run/checkpoints.ts";
import { readMetrics } from "../../src/run/metrics-log.ts";
import { readSamples } from "../../src/run/samples-log.ts";
import { metricDef } from "../../src/trainers/metrics.ts";
import { TrainingError } from "../../src/utils/errors.ts";
import { quadraticRun } from "./quadratic-run.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-loop-"));
after(() => rmSync(root, { recursive: true, force: true }));
const child = fileURLToPath(new URL("quadratic-run.ts", import.meta.url));

/** Metrics without what a clock or the machine measured. */
function withoutClock(folder: string): string {
  const keep = (name: string): boolean => name === "step" || metricDef(name)?.clock !== true;
  return readMetrics(join(folder, "metrics.jsonl"))
    .map((row) => JSON.stringify(Object.fromEntries(Object.entries(row).filter(([name]) => keep(name)))))
    .join("\n");
}

/** Every byte that must not depend on an interruption. */
function fingerprint(folder: string): Record<string, string> {
  const hex = (...names: string[]): string => readFileSync(join(folder, ...names)).toString("hex");
  const evaluations = readdirSync(join(folder, "evaluations")).sort();
  const newest = newestCheckpoint(join(folder, "checkpoints")).checkpoint!;
  return {
    metrics: withoutClock(folder),
    samples: hex("samples.jsonl.gz"),
    recipe: hex("recipe.yaml"),
    weights: readFileSync(join(newest.folder, "state.json"), "utf8"),
    evaluations: evaluations
      .map((name) => `${name} ${name.endsWith(".gz") ? hex("evaluations", name) : ""}`)
      .join("\n"),
  };
}

async function startChild(
  out: string,
  steps: number,
  delayMs: number,
  signal: NodeJS.Signals | null,
  afterLines: number,
) {
  const process_ = spawn(process.execPath, ["--import", "tsx", child, "child", out, String(steps), String(delayMs)], {
    stdio: "ignore",
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    process_.on("exit", (code, killed) => resolve({ code, signal: killed }));
  });
  if (signal) {
    const lines = (): number =>
      existsSync(join(out, "metrics.jsonl"))
        ? readFileSync(join(out, "metrics.jsonl"), "utf8").split("\n").length - 1
        : 0;
    while (lines() < afterLines && process_.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 3));
    process_.kill(signal);
  }
  return ended;
}

test("runLoop: one line a step, evaluations at 0, every 4 and the end, checkpoints every 3 and the end", async () => {
  const out = join(root, "plain");
  const result = await quadraticRun(out, { steps: 10, keep: 9 });
  assert.deepEqual(result, { step: 10, interrupted: false });
  const rows = readMetrics(join(out, "metrics.jsonl"));
  assert.deepEqual(
    rows.map((row) => row.step),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  assert.deepEqual(
    rows.filter((row) => "val-core/quadratic/acc/mean@4" in row).map((row) => row.step),
    [0, 4, 8, 10],
  );
  assert.deepEqual(
    rows.filter((row) => "timing_s/save_checkpoint" in row).map((row) => row.step),
    [3, 6, 9, 10],
  );
  assert.deepEqual(listCheckpoints(join(out, "checkpoints")), [3, 6, 9, 10]);
  assert.deepEqual(
    readSamples(join(out, "samples.jsonl.gz")).map((row) => row.step),
    [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10],
  );
});

test("runLoop: keeps only the newest checkpoints", async () => {
  const out = join(root, "keep");
  await quadraticRun(out, { steps: 10 });
  assert.deepEqual(listCheckpoints(join(out, "checkpoints")), [9, 10]);
});

test("runLoop: killed by SIGKILL at five moments and resumed, it ends with the bytes of an uninterrupted run", async () => {
  const whole = join(root, "whole");
  await quadraticRun(whole, { steps: 20 });
  const broken = join(root, "broken");
  for (const lines of [1, 5, 9, 10, 16]) {
    const { signal } = await startChild(broken, 20, 15, "SIGKILL", lines);
    assert.equal(signal, "SIGKILL");
  }
  await quadraticRun(broken, { steps: 20 });
  assert.deepEqual(fingerprint(broken), fingerprint(whole));
});

test("runLoop: SIGINT finishes the step, saves a checkpoint and ends with 130; resuming gives the same bytes", async () => {
  const whole = join(root, "whole-int");
  await quadraticRun(whole, { steps: 20 });
  const out = join(root, "interrupted");
  assert.equal((await startChild(out, 20, 30, "SIGINT", 6)).code, 130);
  const rows = readMetrics(join(out, "metrics.jsonl"));
  assert.equal(listCheckpoints(join(out, "checkpoints")).at(-1), rows.at(-1)!.step);
  await quadraticRun(out, { steps: 20 });
  assert.deepEqual(fingerprint(out), fingerprint(whole));
});

test("runLoop: a damaged checkpoint is passed over, the one before it is used, the end is the same", async () => {
  const whole = join(root, "whole-damage");
  await quadraticRun(whole, { steps: 12 });
  const out = join(root, "damage");
  await startChild(out, 12, 30, "SIGKILL", 8);
  const newest = newestCheckpoint(join(out, "checkpoints")).checkpoint!;
  writeFileSync(join(newest.folder, "state.json"), '{"w":0');
  const found = newestCheckpoint(join(out, "checkpoints"));
  assert.equal(found.checkpoint!.manifest.step, newest.manifest.step - 3);
  assert.match(found.damaged[0]!, /state\.json: has 6 bytes instead of \d+$/);
  await quadraticRun(out, { steps: 12 });
  assert.deepEqual(fingerprint(out), fingerprint(whole));
});

test("runLoop: a run may be extended by more steps", async () => {
  const out = join(root, "extended");
  await quadraticRun(out, { steps: 6 });
  assert.deepEqual(await quadraticRun(out, { steps: 9 }), { step: 9, interrupted: false });
  assert.equal(readMetrics(join(out, "metrics.jsonl")).at(-1)!.step, 9);
});

test("runLoop: a value that is not finite stops the run, names it and saves the batch", async () => {
  const out = join(root, "nan");
  await assert.rejects(quadraticRun(out, { steps: 9, nanAt: 4 }), (error: Error) => {
    assert.ok(error instanceof TrainingError);
    assert.match(
      error.message,
      /^step 5: loss is NaN\. .*failed-step-000005\.jsonl\.gz\. Resumed, it would fail again: change the recipe .* --set model=.*step-000003 /,
    );
    return true;
  });
  assert.equal(readSamples(join(out, "failed-step-000005.jsonl.gz")).length, 2);
  assert.equal(readMetrics(join(out, "metrics.jsonl")).at(-1)!.step, 4);
});
