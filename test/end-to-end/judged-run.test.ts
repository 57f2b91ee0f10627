import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readSamples } from "../../src/run/samples-log.ts";
import { startCli } from "../cli/run-cli.ts";
import { judgeServer, says } from "../rewards/judge-server.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-judged-"));
after(() => rmSync(root, { recursive: true, force: true }));

test("a run with a judge: the same run again asks nothing and gives the same samples, whatever the judge would say now", async (t) => {
  // every second request has the other verdict: only what was kept can make two runs equal
  const server = await judgeServer((_, n, response) => says(response, n % 2 === 0 ? "CORRECT" : "WRONG"));
  t.after(() => server.close());
  const recipe = join(root, "judged.yaml");
  writeFileSync(
    recipe,
    `model: seedling-direct
tasks: {train: {name: countdown, format: steps}}
rollout: {promptsPerStep: 2, groupSize: 4, maxTokens: 32}
rewards:
  - {name: llm-judge, url: "${server.url}", model: m, prompt: "{question} {answer}", cache: verdicts}
  - {name: countdown, weight: 0}
  - {name: repetition, n: 2, weight: 0}
optimizer: {name: adamw, lr: 1.0e-3}
steps: 2
checkpoint: {every: 1}
`,
  );
  const run = async (name: string): Promise<ReturnType<typeof readSamples>> => {
    const args = ["train", recipe, "--out", join(root, name), "--threads", "1", "--quiet"];
    const { code, stderr } = await startCli(args).ended;
    assert.equal(code, 0, stderr);
    return readSamples(join(root, name, "samples.jsonl.gz"));
  };
  const first = await run("first");
  const asked = server.seen.length;
  assert.ok(asked >= 8 && asked <= 16, `${asked} requests for 16 completions, equal ones together`);
  assert.deepEqual(new Set(first.map(({ reward }) => reward)), new Set([0, 1]));
  assert.deepEqual(await run("second"), first);
  assert.equal(server.seen.length, asked);
});
