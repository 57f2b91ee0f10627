import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { writeFileAtomic } from "../../src/utils/files.ts";

const folder = mkdtempSync(join(tmpdir(), "rlvr-files-"));
after(() => rmSync(folder, { recursive: true }));

test("writeFileAtomic: joins text and bytes, makes folders, replaces, leaves nothing beside", () => {
  const path = join(folder, "a", "b", "file.bin");
  writeFileAtomic(path, "old");
  writeFileAtomic(path, "né", Uint8Array.of(0, 255), "w");
  assert.deepEqual([...readFileSync(path)], [0x6e, 0xc3, 0xa9, 0, 255, 0x77]);
  assert.deepEqual(readdirSync(join(folder, "a", "b")), ["file.bin"]);
});

test("writeFileAtomic: a write that fails leaves the old file whole and no part of the new one", () => {
  const path = join(folder, "kept.txt");
  writeFileSync(path, "old");
  assert.throws(() => writeFileAtomic(path, "new", null as unknown as string));
  assert.equal(readFileSync(path, "utf8"), "old");
  assert.ok(!readdirSync(folder).includes("kept.txt.part"));
});
