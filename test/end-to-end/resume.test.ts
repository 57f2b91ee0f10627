import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { listCheckpoints } from "../../src/run/checkpoints.ts";
import { readMetrics } from "../../src/run/metrics-log.ts";
import { cli, startCli, TINY_GRPO, TINY_SFT } from "../cli/run-cli.ts";
import { fingerprint, linesOf } from "./fingerprint.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-resume-"));
const killer = fileURLToPath(new URL("../support/kill-at.cjs", import.meta.url));
const recipes = { grpo: join(root, "grpo.yaml"), sft: join(root, "sft.yaml") };
const STEPS = 12;

before(() => {
  const plan = `steps: ${STEPS}\ncheckpoint: {every: 3, keep: 2}`;
  const text = TINY_GRPO.replace("steps: 3", plan).replace("evaluate: {", "evaluate: {every: 4, ");
  writeFileSync(recipes.grpo, text);
  writeFileSync(recipes.sft, TINY_SFT);
});
after(() => rmSync(root, { recursive: true, force: true }));

/** One call of the file system at which a run is killed; see `kill-at.cjs`. */
interface Kill {
  readonly call: "write" | "rename" | "remove";
  readonly path: string;
  readonly nth: number;
  readonly delayMs?: number;
}

/** Every phase of a run, in an order in which each attempt comes far enough. */
const PHASES: readonly (readonly [phase: string, kill: Kill])[] = [
  ["the first evaluation is written", { call: "write", path: "step-000000\\.jsonl\\.gz", nth: 1 }],
  ["a step's completions are logged, its metrics not yet", { call: "write", path: "metrics\\.jsonl$", nth: 2 }],
  ["a checkpoint's weights are half written", { call: "write", path: "step-000003.*optimizer", nth: 1 }],
  ["a checkpoint is whole but has no name yet", { call: "rename", path: "checkpoints.step-000003$", nth: 1 }],
  ["a gzip member of completions is half written", { call: "write", path: "samples\\.jsonl\\.gz$", nth: 5 }],
  ["a later evaluation gets its name", { call: "rename", path: "evaluations.step-000004\\.json$", nth: 1 }],
  ["an old checkpoint is removed", { call: "remove", path: "step-000003$", nth: 1 }],
];

async function killed(recipe: string, out: string, kill: Kill): Promise<void> {
  const env = { NODE_OPTIONS: `--require ${killer}`, RLVR_TEST_KILL: JSON.stringify(kill) };
  const { signal, stderr } = await startCli(["train", recipe, "--out", out, "--resume", "--threads", "1"], { env })
    .ended;
  assert.equal(signal, "SIGKILL", `${JSON.stringify(kill)} was never reached\n${stderr}`);
}

async function finish(recipe: string, out: string, ...more: string[]): Promise<string> {
  const { code, stderr } = await cli("train", recipe, "--out", out, "--threads", "1", ...more);
  assert.equal(code, 0, stderr);
  return stderr;
}

test("rlvr train: the same seed twice gives the same bytes, another seed others; the weights do change", async () => {
  const outs = ["whole", "again", "other"].map((name) => join(root, name));
  await Promise.all([
    finish(recipes.grpo, outs[0]!),
    finish(recipes.grpo, outs[1]!),
    finish(recipes.grpo, outs[2]!, "--seed", "2"),
  ]);
  const [whole, again, other] = outs.map(fingerprint);
  assert.equal(whole!.metrics.length, STEPS + 1);
  assert.deepEqual(again, whole);
  assert.notEqual(
    other!.files["checkpoints/step-000012/model.safetensors"],
    whole!.files["checkpoints/step-000012/model.safetensors"],
  );
  const norms = readMetrics(join(outs[0]!, "metrics.jsonl")).map((row) => Number(row.grad_norm ?? 0));
  assert.ok(norms.filter((norm) => norm > 0).length > STEPS / 2, `gradient norms ${norms}`);
});

test("rlvr train: killed in every phase of a run and resumed, it ends with the bytes of an uninterrupted run", async () => {
  const out = join(root, "phases");
  for (const [phase, kill] of PHASES) {
    await killed(recipes.grpo, out, kill);
    if (phase.includes("half written") && kill.path.includes("optimizer"))
      assert.ok(readdirSync(join(out, "checkpoints")).includes("step-000003.part"));
  }
  assert.match(await finish(recipes.grpo, out, "--resume"), /^going on after step \d+$/m);
  assert.deepEqual(fingerprint(out), fingerprint(join(root, "whole")));
});

test("rlvr train: killed at five random moments and resumed, it ends with the bytes of an uninterrupted run", async (t) => {
  const out = join(root, "random");
  for (let i = 0; i < 5; i++) {
    // some time after a random log line of this attempt: in an evaluation, while sampling, in an update, while a checkpoint is written
    const kill = {
      call: "write" as const,
      path: "metrics\\.jsonl$",
      nth: 1 + Math.floor(Math.random() * 2),
      delayMs: Math.floor(Math.random() * 25),
    };
    t.diagnostic(`attempt ${i + 1}: from line ${linesOf(out)}, killed ${kill.delayMs} ms after line ${kill.nth} more`);
    await killed(recipes.grpo, out, kill);
  }
  await finish(recipes.grpo, out, "--resume");
  assert.deepEqual(fingerprint(out), fingerprint(join(root, "whole")));
});

test("rlvr train: a killed supervised run resumes to the same bytes", async () => {
  const [whole, broken] = [join(root, "sft-whole"), join(root, "sft-broken")];
  await finish(recipes.sft, whole, "--quiet");
  await killed(recipes.sft, broken, { call: "write", path: "metrics\\.jsonl$", nth: 6 });
  await killed(recipes.sft, broken, { call: "write", path: "step-000006.*model\\.safetensors", nth: 2 });
  await finish(recipes.sft, broken, "--resume", "--quiet");
  assert.deepEqual(fingerprint(broken), fingerprint(whole));
});

test("rlvr train: Ctrl-C saves the state, exits with 130 and says how to go on; that command ends the run", async () => {
  const recipe = join(root, "ctrl-c.yaml");
  writeFileSync(
    recipe,
    TINY_SFT.replace("steps: 12", "steps: 400").replace("every: 3", "every: 1000").replace("every: 6", "every: 300"),
  );
  const out = join(root, "ctrl-c");
  const running = startCli(["train", recipe, "--out", out, "--threads", "1"]);
  let over = false;
  void running.ended.then(() => {
    over = true;
  });
  while (linesOf(out) < 5 && !over) await new Promise((resolve) => setTimeout(resolve, 2));
  running.kill("SIGINT");
  const { code, stdout, stderr } = await running.ended;
  assert.equal(code, 130, stderr);
  assert.match(stderr, /stopping after this step, its state will be saved/);
  const [, taken] = /^interrupted after step (\d+) of 400, state saved in /.exec(stdout)!;
  assert.deepEqual(listCheckpoints(join(out, "checkpoints")), [Number(taken)]);
  const command = /^go on with: npx rlvr (.*)$/m.exec(stdout)![1]!;
  assert.equal(command, `train ${out}/recipe.yaml --out ${out} --resume`);
  const more = await cli(...command.split(" "), "--steps", String(Number(taken) + 2), "--quiet");
  assert.equal(more.code, 0, more.stderr);
  assert.equal(readMetrics(join(out, "metrics.jsonl")).at(-1)!.step, Number(taken) + 2);
  assert.equal(existsSync(join(out, "report.html")), true);
});
