import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { checkpointName, listCheckpoints, openCheckpoint } from "../../src/run/checkpoints.ts";
import { readMetrics } from "../../src/run/metrics-log.ts";
import { readSamples } from "../../src/run/samples-log.ts";
import { cli, startCli, TINY_GRPO } from "../cli/run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-failure-"));
after(() => rmSync(root, { recursive: true, force: true }));

function recipe(name: string, ...changes: (readonly [from: string, to: string])[]): string {
  const path = join(root, `${name}.yaml`);
  writeFileSync(
    path,
    changes.reduce((text, [from, to]) => text.replace(from, to), TINY_GRPO),
  );
  return path;
}

test("rlvr train: a disk that fills up stops the run with exit code 1; the last checkpoint is whole, and with room again the run goes on from it", async () => {
  const path = recipe("full", ["steps: 3", "steps: 30\ncheckpoint: {every: 2, keep: 2}"]);
  const out = join(root, "full");
  const args = ["train", path, "--out", out, "--threads", "1", "--quiet"];
  const { code, stderr } = await startCli(args, { fileLimitKb: 40 }).ended; // a line of the metrics has about 3 kB
  assert.equal(code, 1, stderr);
  assert.match(
    stderr,
    /: a file reached the size limit of this shell \(EFBIG: .*\)\. Make room for it\. The checkpoint of step \d+ is whole\. Go on with: npx rlvr train \S+ --out \S+ --resume$/m,
  );
  const last = listCheckpoints(join(out, "checkpoints")).at(-1)!;
  assert.ok(last >= 2 && last < 30, `newest checkpoint ${last}`);
  assert.equal(openCheckpoint(join(out, "checkpoints", checkpointName(last))).manifest.step, last); // every hash is checked
  const more = await cli(...args, "--resume", "--steps", String(last + 2));
  assert.equal(more.code, 0, more.stderr);
  assert.equal(readMetrics(join(out, "metrics.jsonl")).at(-1)!.step, last + 2);
});

test("rlvr train: numbers that are not finite stop the step with exit code 1, names the first bad tensor and saves the batch", async () => {
  const path = recipe("nan", ["lr: 1.0e-3", "lr: 1.0e+39"], ["evaluate: {samples: 2, limit: 4}", "evaluate: null"]);
  const out = join(root, "nan");
  const { code, stderr } = await cli("train", path, "--out", out, "--threads", "1", "--quiet", "--steps", "6");
  assert.equal(code, 1, stderr);
  assert.match(stderr, /step \d: NaN or infinity in the update .*the first bad tensor is the weight model\.\S+\./);
  const [, saved] = /The batch is saved in (\S+\.jsonl\.gz)\./.exec(stderr)!;
  assert.ok(readdirSync(out).includes(saved!.slice(out.length + 1)));
  assert.equal(readSamples(saved!).length, 8);
});
