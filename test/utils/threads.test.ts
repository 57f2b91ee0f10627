import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { coresAtHand, decideThreads } from "../../src/utils/threads.ts";

test("decideThreads: what the user asks for, else the cores at hand, at least one", () => {
  assert.deepEqual(decideThreads(3), { policy: 3, verifiers: 3 });
  const cores = availableParallelism();
  assert.deepEqual(decideThreads(), { policy: cores, verifiers: cores });
  assert.deepEqual(decideThreads(0), { policy: 1, verifiers: 1 });
  assert.equal(coresAtHand(), cores);
});

test("decideThreads: no other file of src asks the system for its cores", () => {
  const src = fileURLToPath(new URL("../../src", import.meta.url));
  const names = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const asking = names.filter((name) =>
    /availableParallelism|cpus\(\)\.length|hardwareConcurrency/.test(readFileSync(join(src, name), "utf8")),
  );
  assert.deepEqual(asking, [join("utils", "threads.ts")]);
});
