import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { listCheckpoints } from "../../src/run/checkpoints.ts";
import { readMetrics } from "../../src/run/metrics-log.ts";
import { metricDef } from "../../src/trainers/metrics.ts";
import { sha256 } from "../../src/utils/hash.ts";
import { cli, startCli, TINY_GRPO, TINY_SFT } from "../cli/run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-resume-"));
after(() => rmSync(root, { recursive: true, force: true }));

/** Hashes of everything that must not depend on an interruption; metrics without what a clock measured. */
function fingerprint(run: string): Record<string, string> {
  const newest = join(
    run,
    "checkpoints",
    `step-${String(listCheckpoints(join(run, "checkpoints")).at(-1)).padStart(6, "0")}`,
  );
  const files = readdirSync(newest).filter((name) => name !== "checkpoint.json"); // it holds lengths of lines with clock values
  const metrics = readMetrics(join(run, "metrics.jsonl")).map((row) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => name === "step" || metricDef(name)?.clock !== true)),
  );
  const paths = [join(run, "recipe.yaml"), ...files.map((name) => join(newest, name))];
  const samples = join(run, "samples.jsonl.gz");
  if (existsSync(samples)) paths.push(samples);
  return {
    metrics: metrics.map((row) => JSON.stringify(row)).join("\n"),
    ...Object.fromEntries(paths.map((path) => [path.slice(run.length), sha256(readFileSync(path))])),
  };
}

const linesOf = (run: string): number =>
  existsSync(join(run, "metrics.jsonl")) ? readFileSync(join(run, "metrics.jsonl"), "utf8").split("\n").length - 1 : 0;

async function startAndSignal(recipe: string, out: string, signal: NodeJS.Signals, lines: number) {
  const running = startCli(["train", recipe, "--out", out, "--resume", "--threads", "1"]);
  let over = false;
  void running.ended.then(() => {
    over = true;
  });
  while (linesOf(out) < lines && !over) await new Promise((resolve) => setTimeout(resolve, 2));
  running.kill(signal);
  return running.ended;
}

for (const [kind, text] of [
  ["sft", TINY_SFT],
  ["grpo", TINY_GRPO.replace("steps: 3", "steps: 12\ncheckpoint: {every: 3}")],
] as const) {
  test(`rlvr train (${kind}): killed at five moments and resumed, it ends with the bytes of an uninterrupted run`, async () => {
    const recipe = join(root, `${kind}.yaml`);
    writeFileSync(recipe, text);
    const whole = join(root, `${kind}-whole`);
    assert.equal((await cli("train", recipe, "--out", whole, "--threads", "1", "--quiet")).code, 0);
    const broken = join(root, `${kind}-broken`);
    for (const lines of [1, 3, 6, 9, 11]) {
      const { signal, stderr } = await startAndSignal(recipe, broken, "SIGKILL", lines);
      assert.equal(signal, "SIGKILL", stderr);
    }
    const { code, stderr } = await cli("train", recipe, "--out", broken, "--resume", "--threads", "1");
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^going on after step \d+$/m);
    assert.deepEqual(fingerprint(broken), fingerprint(whole));
  });
}

test("rlvr train: Ctrl-C saves the state, exits with 130 and says how to go on; that command ends the run", async () => {
  const recipe = join(root, "ctrl-c.yaml");
  writeFileSync(
    recipe,
    TINY_SFT.replace("steps: 12", "steps: 400").replace("every: 3", "every: 1000").replace("every: 6", "every: 300"),
  );
  const out = join(root, "ctrl-c");
  const { code, stdout, stderr } = await startAndSignal(recipe, out, "SIGINT", 5);
  assert.equal(code, 130, stderr);
  assert.match(stderr, /stopping after this step, its state will be saved/);
  const [, taken] = /^interrupted after step (\d+) of 400, state saved in /.exec(stdout)!;
  assert.deepEqual(listCheckpoints(join(out, "checkpoints")), [Number(taken)]);
  const command = /^go on with: npx rlvr (.*)$/m.exec(stdout)![1]!;
  assert.equal(command, `train ${out}/recipe.yaml --out ${out} --resume`);
  const more = await cli(
    "train",
    join(out, "recipe.yaml"),
    "--out",
    out,
    "--resume",
    "--steps",
    String(Number(taken) + 2),
    "--quiet",
  );
  assert.equal(more.code, 0, more.stderr);
  assert.equal(readMetrics(join(out, "metrics.jsonl")).at(-1)!.step, Number(taken) + 2);
});
