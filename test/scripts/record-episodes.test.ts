import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openInitialTokenizer } from "../../src/policy/index.ts";
import { readRecordings } from "../../src/rollout/demonstrations/index.ts";

const clone = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "rlvr-record-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function script(name: string, ...args: string[]): { status: number | null; stderr: string } {
  return spawnSync(process.execPath, [join("scripts", name), ...args], { cwd: clone, encoding: "utf8" });
}

test("record-episodes and train-tokenizer: from an environment to a vocabulary that writes its words", async () => {
  const [file, vocabulary] = [join(folder, "episodes.jsonl"), join(folder, "tokenizer")];
  const config = "{env: {name: lab}, tasks: [find, melt], limit: 3, repeat: 2, noise: 0.2, keep: all}";
  const first = script("record-episodes.mjs", config, file);
  assert.equal(first.status, 0, first.stderr);
  const episodes = await readRecordings(file);
  assert.equal(episodes.length, 12); // 2 tasks, 3 states, 2 times
  assert.deepEqual([...new Set(episodes.map(({ task }) => task))], ["find", "melt"]);
  const bytes = readFileSync(file);
  const again = script("record-episodes.mjs", config, file);
  assert.deepEqual([again.status, /is there already/.test(again.stderr)], [0, true]);
  assert.equal(script("record-episodes.mjs", config, file, "--replace", "--worlds", "2").status, 0);
  assert.deepEqual(readFileSync(file), bytes);

  const trained = script("train-tokenizer.mjs", file, vocabulary, "--vocab", "300");
  assert.equal(trained.status, 0, trained.stderr);
  const { tokenizer } = openInitialTokenizer({ file: vocabulary });
  assert.equal(tokenizer.vocabSize, 300);
  const { observation } = episodes[0]!;
  const ids = tokenizer.encode(observation);
  assert.equal(tokenizer.decode(ids), observation);
  assert.ok(ids.length < observation.length / 1.5);
});

test("record-episodes: a wrong option is refused before anything is written", () => {
  const file = join(folder, "none.jsonl");
  const { status, stderr } = script("record-episodes.mjs", "{env: {name: lab}, nois: 0.2}", file);
  assert.equal(status, 2);
  assert.match(stderr, /nois/);
  assert.throws(() => readFileSync(file));
  assert.equal(script("record-episodes.mjs", "{env: {name: lab}}").status, 2);
});
