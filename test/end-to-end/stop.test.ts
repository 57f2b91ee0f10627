import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readMetrics } from "../../src/run/metrics-log.ts";
import { readSamples } from "../../src/run/samples-log.ts";
import { cli, TINY_GRPO } from "../cli/run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-stop-"));
after(() => rmSync(root, { recursive: true, force: true }));

/** Trains by the tiny recipe with these changes. */
async function train(name: string, ...changes: string[]) {
  const file = join(root, `${name}.yaml`);
  if (!existsSync(file)) writeFileSync(file, TINY_GRPO.replace(/^evaluate.*\n/m, "").replace("steps: 3", "steps: 9"));
  const out = join(root, name);
  const set = changes.flatMap((change) => ["--set", change]);
  return { ...(await cli("train", file, "--out", out, "--threads", "1", ...set)), out };
}

test("rlvr train: a verifier that fails stops the run with the rows that show why; none of them was trained on", async () => {
  // countdown tasks have no gold answer for math to compare with
  const { code, stderr, out } = await train("fails", "rewards=[{name: math}]");
  assert.equal(code, 1);
  assert.match(stderr, /step 3: the verifier failed on 100 % of the completions of the last 3 steps .* allows 50 %\):/);
  assert.equal(stderr.match(/^ {2}task countdown\/.*: math: error: .*has no gold answer/gm)?.length, 3);
  assert.match(stderr, /Repair what the reasons name: .*failed-step-000003\.jsonl\.gz\. .* Go on with: npx rlvr train/);
  assert.equal(readSamples(join(out, "failed-step-000003.jsonl.gz")).length, 8);
  assert.deepEqual(
    readMetrics(join(out, "metrics.jsonl")).map((row) => [row.step, row["reward_outcome/error"], row.grad_norm]),
    [
      [1, 1, 0],
      [2, 1, 0],
    ],
  );
});

test("rlvr train: rewards that never differ stop the run; --resume goes on when the limit is lifted", async () => {
  const never = "rewards=[{name: format, style: boxed, ended: false}]";
  const first = await train("same", never, "stopWhen.identicalSteps=4", "checkpoint.every=2");
  assert.equal(first.code, 1);
  assert.match(
    first.stderr,
    /step 4: all rewards of the last 4 steps were 0, so nothing trains \(stopWhen\.identicalSteps\):/,
  );
  assert.match(first.stderr, /The tasks are too hard for this model.* Resumed, it would fail again/s);
  const file = join(root, "same.yaml");
  const set = ["--set", never, "--set", "checkpoint.every=2", "--set", "stopWhen.identicalSteps=null"];
  const second = await cli("train", file, "--out", first.out, "--threads", "1", "--resume", ...set);
  assert.equal(second.code, 0, second.stderr);
  const rows = readMetrics(join(first.out, "metrics.jsonl"));
  assert.equal(rows.at(-1)!["invariant/reward_identical_steps"], 9);
});

test("rlvr train: a failed verifier counts as wrong where the recipe says so, and is counted all the same", async () => {
  const wrong = ["rewards=[{name: math}]", "objective.filter.outcomes.error=wrong", "stopWhen.failedShare=null"];
  const { code, stderr, out } = await train("wrong", ...wrong, "steps=2");
  assert.equal(code, 0, stderr);
  const row = readMetrics(join(out, "metrics.jsonl")).at(-1)!;
  assert.deepEqual([row.reward, row["reward_outcome/error"], row["signal/masked_completions"]], [0, 1, 0]);
  assert.ok(Number(row["verifier/answers_per_s"]) > 0, "math runs in the pool of threads");
});

test("rlvr train: options of the outcome policy, the stops and the detectors that do not exist are refused, all at once", async () => {
  const { code, stderr, out } = await train(
    "refused",
    "objective.filter.outcomes.timeout=drop",
    "objective.filter.outcomes.eror=mask",
    "stopWhen.failedShare=1",
    "stopWhen.identicalStep=5",
    "detectors.thresholds.judgetext=0.1",
  );
  assert.equal(code, 2, stderr);
  assert.match(stderr, /filter\.outcomes\.timeout: must be one of mask, wrong, drop-group, got "drop"/);
  assert.match(stderr, /filter\.outcomes\.eror: unknown key, did you mean "error"\?/);
  assert.match(stderr, /stopWhen\.failedShare: must be below 1, got 1/);
  assert.match(stderr, /stopWhen\.identicalStep: unknown key, did you mean "identicalSteps"\?/);
  assert.match(stderr, /detectors\.thresholds\.judgetext: unknown key, did you mean "judge-text"\?/);
  assert.equal(existsSync(out), false);
});
