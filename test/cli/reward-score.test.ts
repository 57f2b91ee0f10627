import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { judgeServer, says } from "../rewards/judge-server.ts";
import { startCli } from "./run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-score-"));
after(() => rmSync(root, { recursive: true, force: true }));
const rows = join(root, "rows.jsonl");
const texts = ["it is 5", "it is 6"];
writeFileSync(rows, texts.map((text, i) => `${JSON.stringify({ id: `r${i}`, answer: "5", text })}\n`).join(""));

const score = (...args: string[]) => startCli(["reward", "score", "--data", rows, ...args], { cwd: root }).ended;
const lines = (stdout: string) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("rlvr reward score: a file of one's own judges, with its options", async () => {
  writeFileSync(
    join(root, "own.ts"),
    `import { defineReward, graded, z } from "rlvr/rewards";
    export default defineReward({
      options: z.strictObject({ partial: z.number() }),
      create: ({ partial }) => ({ text, task }) => graded(text.endsWith(task.answer!) ? 1 : partial, "read", text),
    });\n`,
  );
  const { code, stdout, stderr } = await score("--reward", "own.ts", "--set", "partial=0.25", "--json");
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    lines(stdout).map(({ id, outcome, score: value, parsed }) => [id, outcome, value, parsed]),
    [
      ["r0", "correct", 1, "it is 5"],
      ["r1", "wrong", 0.25, "it is 6"],
    ],
  );
  const bad = await score("--reward", "own.ts", "--set", "parital=0.25");
  assert.equal(bad.code, 2);
  assert.match(
    bad.stderr,
    /reward own: .*own\.ts: options\.partial: .*expected number.*; options: Unrecognized key: "parital"/,
  );
});

test("rlvr reward score: a model as judge, and what it cost", async (t) => {
  const server = await judgeServer(({ body }, _, response) =>
    says(response, body.messages[1]!.content.includes("it is 5") ? "CORRECT" : "WRONG"),
  );
  t.after(() => server.close());
  const set = { url: server.url, model: "m", cache: join(root, "verdicts") };
  const options = Object.entries(set).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const { code, stdout, stderr } = await score("--reward", "llm-judge", ...options, "--json");
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    lines(stdout).map(({ outcome }) => outcome),
    ["correct", "wrong"],
  );
  // the server counts 100 and 7 tokens a request
  assert.match(stderr, /llm-judge: 2 requests, 0 verdicts from the cache, 200 prompt and 14 completion tokens/);
});
