import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { cli, startCli, TINY_GRPO, TINY_SFT } from "./run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-cli-"));
const file = (name: string): string => join(root, name);
const run = file("sft-run");
before(async () => {
  writeFileSync(file("sft.yaml"), TINY_SFT);
  writeFileSync(file("grpo.yaml"), TINY_GRPO);
  const { code, stderr } = await cli("train", file("sft.yaml"), "--out", run, "--quiet");
  assert.equal(code, 0, stderr);
});
after(() => rmSync(root, { recursive: true, force: true }));

test("rlvr: --help lists the commands, every command has a worked example", async () => {
  const { code, stdout } = await cli("--help");
  assert.equal(code, 0);
  for (const name of ["train", "eval", "sample", "report", "doctor", "models", "objective"]) {
    assert.match(stdout, new RegExp(`^  ${name} `, "m"));
    const help = await cli(name, "--help");
    assert.equal(help.code, 0);
    assert.match(help.stdout, /\nExample:\n {2}\$ rlvr /, name);
  }
});

test("rlvr: an unknown command or option, a missing argument and a bad number exit with 2 and a hint", async () => {
  const unknown = await cli("trian");
  assert.deepEqual(
    [unknown.code, unknown.stdout, unknown.stderr],
    [2, "", "rlvr: unknown command 'trian'\n(Did you mean train?)\n"],
  );
  const option = await cli("train", "x.yaml", "--step", "3");
  assert.deepEqual([option.code, option.stderr], [2, "rlvr: unknown option '--step'\n(Did you mean --steps?)\n"]);
  assert.deepEqual([(await cli("train")).code, (await cli("train", "x.yaml", "--threads", "0")).code], [2, 2]);
  const device = await cli("train", "x.yaml", "--device", "cuda");
  assert.equal(device.code, 2);
  assert.match(device.stderr, /argument 'cuda' is invalid\. cuda is not there yet: .*give cpu\.\n$/);
  const tpu = await cli("sample", "seedling", "--device", "tpu");
  assert.deepEqual([tpu.code, tpu.stdout], [2, ""]);
  assert.match(tpu.stderr, /Allowed choices are cpu \(webgpu and cuda are not there yet\)/);
});

test("rlvr train: all problems of a recipe at once, exit code 2, nothing written, no stack trace", async () => {
  writeFileSync(file("bad.yaml"), TINY_GRPO.replace("groupSize: 4", "groupSize: 1").replace("steps: 3", "stpes: 3"));
  const { code, stdout, stderr } = await cli("train", file("bad.yaml"), "--out", file("never"));
  assert.equal(code, 2);
  assert.equal(stdout, "");
  const lines = stderr.trimEnd().split("\n");
  assert.equal(lines[0], "rlvr: 3 problems, nothing was started");
  assert.match(lines[1]!, /bad\.yaml:5 rollout\.groupSize: must be at least 2: a group of one has no baseline/);
  assert.match(stderr, /bad\.yaml:8 stpes: unknown key, did you mean "steps"\?/);
  assert.match(stderr, /bad\.yaml:1 steps: is missing/);
  assert.doesNotMatch(stderr, /\n\s+at /);
  assert.equal(existsSync(file("never")), false);
});

test("rlvr train: a missing recipe and a missing model exit with 2, nothing written", async () => {
  const missing = await cli("train", file("no.yaml"));
  assert.deepEqual([missing.code, missing.stderr], [2, `rlvr: ${file("no.yaml")}: no such recipe file\n`]);
  const model = await cli("train", file("grpo.yaml"), "--set", "model=no-such-model", "--out", file("never"));
  assert.equal(model.code, 2);
  assert.match(model.stderr, /^rlvr: model "no-such-model" was not found: looked for /);
  assert.equal(existsSync(file("never")), false);
});

test("rlvr train: a folder that holds another run is refused with 2 and stays as it is", async () => {
  const before = readFileSync(join(run, "metrics.jsonl"));
  const again = await cli("train", file("sft.yaml"), "--out", run);
  assert.deepEqual(
    [again.code, again.stderr],
    [2, `rlvr: ${run}: holds this run already; go on with it by --resume, or choose another folder with --out\n`],
  );
  const other = await cli("train", file("sft.yaml"), "--seed", "9", "--out", run, "--resume");
  assert.deepEqual(
    [other.code, other.stderr],
    [2, `rlvr: ${run}: cannot resume, it holds another run (seed differ); choose another folder with --out\n`],
  );
  assert.deepEqual(readFileSync(join(run, "metrics.jsonl")), before);
});

test("rlvr train --dry-run: the resolved recipe and an estimate, nothing written; --json is one JSON value", async () => {
  const { code, stdout } = await cli("train", file("grpo.yaml"), "--dry-run", "--steps", "5", "--out", file("never"));
  assert.equal(code, 0);
  assert.match(stdout, /^steps: 5$/m);
  assert.match(stdout, /forecast \(from sizes, for completions as long as allowed\)/);
  assert.equal(existsSync(file("never")), false);
  const json = JSON.parse((await cli("train", file("grpo.yaml"), "--dry-run", "--json")).stdout);
  // embedding 28 × 16, one layer 4 × 16² + 3 × 16 × 32 + 2 × 16, final norm 16
  assert.equal(json.forecast.parameters, 28 * 16 + 4 * 16 * 16 + 3 * 16 * 32 + 2 * 16 + 16);
});

test("rlvr train: --smoke, --set and --json; progress goes to stderr only", async () => {
  const out = file("smoke");
  const { code, stdout, stderr } = await cli(
    "train",
    file("sft.yaml"),
    "--smoke",
    "--set",
    "seed=5",
    "--json",
    "--out",
    out,
  );
  assert.equal(code, 0, stderr);
  const summary = JSON.parse(stdout);
  assert.deepEqual(
    [summary.steps, summary.of, summary.interrupted, summary.report],
    [2, 2, false, join(out, "report.html")],
  );
  assert.match(stderr, /^step 2\/2 · loss /m);
  assert.equal(JSON.parse(readFileSync(join(out, "environment.json"), "utf8")).seed, 5);
});

test("rlvr train: reinforcement learning runs through and the sampler agrees with the trainer", async () => {
  const out = file("grpo-run");
  const { code, stdout, stderr } = await cli("train", file("grpo.yaml"), "--out", out);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^held-out pass@1 before {2}\d/m);
  const last = JSON.parse(readFileSync(join(out, "metrics.jsonl"), "utf8").trimEnd().split("\n").at(-1)!);
  assert.equal(last.step, 3);
  assert.ok(last["invariant/step0_logp_maxdiff"] <= 2e-4);
});

test("rlvr eval: one model; two models with a paired test", async () => {
  const one = await cli("eval", run, "--limit", "4", "--samples", "2", "--k", "1,2", "--json");
  assert.equal(one.code, 0, one.stderr);
  const { models } = JSON.parse(one.stdout);
  assert.equal(models[0].correct.length, 4);
  assert.ok("val-core/countdown/acc/pass@2/ci95_high" in models[0].metrics);
  const two = await cli("eval", run, run, "--limit", "4", "--samples", "2");
  assert.match(
    two.stdout,
    /^difference \+0\.0 points, 95 % interval \+0\.0 to \+0\.0, paired over 4 problems, p = 1\.0$/m,
  );
  const k = await cli("eval", run, "--samples", "2", "--k", "4");
  assert.deepEqual([k.code, k.stderr], [2, "rlvr: --k 4: must be at most the number of samples (2)\n"]);
  assert.equal((await cli("eval", file("nowhere"))).code, 2);
});

test("rlvr sample: text, tokens with log-probs that sum up, prompts from stdin", async () => {
  const { code, stdout } = await cli("sample", run, "3,7,4>25:", "-n", "2", "--max-tokens", "5", "--json");
  assert.equal(code, 0);
  const { completions } = JSON.parse(stdout);
  assert.equal(completions.length, 2);
  for (const { tokens } of completions)
    for (const { logp, entropy } of tokens) assert.ok(logp <= 0 && entropy >= 0 && entropy <= Math.log(28) + 1e-4);
  assert.equal(
    (await cli("sample", run, "3,7,4>25:", "-n", "2", "--max-tokens", "5", "--json")).stdout,
    stdout,
    "same seed, same bytes",
  );
  const shown = await cli("sample", run, "3,7,4>25:", "--max-tokens", "5");
  const [first] = completions as { text: string; tokens: { id: number; logp: number; entropy: number }[] }[];
  const [text, , head, row] = shown.stdout.split("\n");
  assert.equal(text, first!.text);
  assert.match(head!, /^id +token +log-prob +entropy$/);
  const [id, , logp, entropy] = row!.trim().split(/ +/);
  assert.deepEqual(
    [id, logp, entropy],
    [String(first!.tokens[0]!.id), first!.tokens[0]!.logp.toFixed(4), first!.tokens[0]!.entropy.toFixed(4)],
  );
  assert.equal((await cli("sample", run, "3,7,4>25:", "--max-tokens", "5", "--no-tokens")).stdout, `${text}\n`);
  const lines = await startCli(["sample", run, "--max-tokens", "3", "--json"], { input: "1,2>3:\n2,2>4:\n" }).ended;
  assert.equal(lines.stdout.trimEnd().split("\n").length, 2);
});

test("rlvr report: one file for a run; several runs need -o; a folder without a run exits with 2", async () => {
  rmSync(join(run, "report.html"));
  const one = await cli("report", run);
  assert.deepEqual([one.code, one.stdout], [0, `${join(run, "report.html")}\n`]);
  assert.match(readFileSync(join(run, "report.html"), "utf8"), /^<!doctype html>/);
  assert.equal((await cli("report", run, run)).code, 2);
  const none = await cli("report", root);
  assert.deepEqual([none.code, none.stderr], [2, `rlvr: ${root}: not a run folder, recipe.yaml is missing\n`]);
});

test("rlvr doctor: the machine runs a graph; a damaged run exits with 1 and names the file", async () => {
  const machine = await cli("doctor", "--json");
  assert.equal(machine.code, 0, machine.stdout);
  const { fit, findings } = JSON.parse(machine.stdout);
  assert.equal(fit, true);
  assert.deepEqual(
    findings.map((finding: { what: string }) => finding.what),
    ["Node", "rlvr", "ONNX Runtime", "Providers", "Threads", "Memory", "Disk"],
  );
  assert.equal((await cli("doctor", run)).code, 0);
  const broken = file("broken");
  await cli("train", file("sft.yaml"), "--smoke", "--quiet", "--out", broken);
  writeFileSync(join(broken, "checkpoints", "step-000002", "model.safetensors"), "cut");
  const { code, stdout } = await cli("doctor", broken);
  assert.equal(code, 1);
  assert.match(stdout, /^Checkpoint 2 +BROKEN +.*model\.safetensors: has 3 bytes instead of \d+$/m);
});

test("rlvr models: inspect and convert a checkpoint; bf16 halves the weights; a bad folder exits with 2", async () => {
  const checkpoint = join(run, "checkpoints", "step-000012");
  const { code, stdout } = await cli("models", "inspect", checkpoint, "--json");
  assert.equal(code, 0);
  const { parameters, tensors } = JSON.parse(stdout);
  assert.equal(parameters, 28 * 16 + 4 * 16 * 16 + 3 * 16 * 32 + 2 * 16 + 16);
  assert.equal(tensors.length, 11);
  assert.equal((await cli("models", "convert", checkpoint, "--dtype", "bf16", "-o", file("bf16"))).code, 0);
  assert.equal(JSON.parse((await cli("models", "inspect", file("bf16"), "--json")).stdout).parameters, parameters);
  assert.equal((await cli("models", "convert", checkpoint, "-o", file("bf16"))).code, 2);
  assert.equal((await cli("models", "inspect", root)).code, 2);
  assert.equal((await cli("models", "list")).code, 0);
});
