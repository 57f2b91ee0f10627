import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { BuiltInRewardConfig } from "../../src/rewards/index.ts";

const root = mkdtempSync(join(tmpdir(), "rlvr-rewards-"));
after(() => rmSync(root, { recursive: true, force: true }));
const script = fileURLToPath(new URL("../../scripts/rewards-table.mjs", import.meta.url));
const page = fileURLToPath(new URL("../../docs/rewards.md", import.meta.url));
const run = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });

test("docs/rewards.md is what src/rewards declares; make it again with: node scripts/rewards-table.mjs", () => {
  const { status, stderr } = run("--check");
  assert.equal(status, 0, stderr);
});

test("docs/rewards.md: one row for every reward and every option", () => {
  const text = readFileSync(page, "utf8");
  const sections = new Map(
    text
      .split("\n### ")
      .slice(1)
      .map((part) => [part.split("\n")[0]!, part]),
  );
  for (const { shape } of BuiltInRewardConfig.options) {
    const name = shape.name.value;
    assert.ok(text.includes(`| [\`${name}\`](#${name}) |`), name);
    const options = [...sections.get(name)!.matchAll(/^\| `(\w+)` \| [^|]+ \| [^|]/gm)].map(([, option]) => option);
    assert.deepEqual(
      options.sort(),
      Object.keys(shape)
        .filter((key) => key !== "name" && key !== "weight")
        .sort(),
      name,
    );
  }
});

test("rewards-table --check: a page that differs is refused with the command that mends it", () => {
  const other = join(root, "rewards.md");
  writeFileSync(other, readFileSync(page, "utf8").replace("gold answer |", "golden answer |"));
  const { status, stderr } = run("--check", other);
  assert.equal(status, 1);
  assert.match(stderr, /run: node scripts\/rewards-table\.mjs/);
});
