import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { METRICS } from "../../src/trainers/metrics.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-metrics-"));
after(() => rmSync(root, { recursive: true, force: true }));
const script = fileURLToPath(new URL("../../scripts/metrics-table.mjs", import.meta.url));
const page = fileURLToPath(new URL("../../docs/metrics.md", import.meta.url));
const run = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });

test("docs/metrics.md is what src/trainers/metrics.ts declares; make it again with: node scripts/metrics-table.mjs", () => {
  const { status, stderr } = run("--check");
  assert.equal(status, 0, stderr);
});

test("docs/metrics.md: one row for every metric", () => {
  const text = readFileSync(page, "utf8");
  const rows = [...text.matchAll(/^\| `(.+?)`/gm)].map(([, name]) => name!);
  assert.deepEqual(rows.sort(), Object.keys(METRICS).sort());
});

test("metrics-table --check: a page that differs is refused with the command that mends it", () => {
  const other = join(root, "metrics.md");
  writeFileSync(other, readFileSync(page, "utf8").replace("share", "shares"));
  const { status, stderr } = run("--check", other);
  assert.equal(status, 1);
  assert.match(stderr, /run: node scripts\/metrics-table\.mjs/);
});
