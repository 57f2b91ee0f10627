import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const src = fileURLToPath(new URL("../src", import.meta.url));
/** A layer imports only layers before it; layers in one row never import each other. */
const LAYERS = [
  ["utils"],
  ["graph"],
  ["optim"],
  ["policy"],
  ["rollout"],
  ["rewards", "entropy-control"],
  ["trainers"],
  ["run"],
  ["cli"],
];
const level = (folder: string): number => LAYERS.findIndex((row) => row.includes(folder));
const folderOf = (path: string): string => relative(src, path).split(/[\\/]/)[0] ?? "";

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));
}

/** Violations of the layer order in `files`, one text each; exported text so that the checker itself is tested. */
function violations(files: { path: string; text: string }[]): string[] {
  const bad: string[] = [];
  for (const { path, text } of files) {
    for (const match of text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)) {
      const target = resolve(dirname(path), match[1]!);
      const [from, to] = [folderOf(path), folderOf(target)];
      if (from === to || level(from) < 0) continue;
      if (level(to) >= level(from)) bad.push(`${relative(src, path)} imports ${relative(src, target)}`);
    }
  }
  return bad;
}

test("architecture: every folder of src is a layer", () => {
  const folders = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(
    folders.map((entry) => entry.name).filter((name) => level(name) < 0),
    [],
  );
});

test("architecture: a layer imports only layers to its left", () => {
  const files = sources(src).map((path) => ({ path, text: readFileSync(path, "utf8") }));
  assert.ok(files.length > 10, "the test must see the sources");
  assert.deepEqual(violations(files), []);
});

test("architecture: the checker reports an upward import", () => {
  const path = join(src, "graph", "bad.ts");
  assert.deepEqual(violations([{ path, text: 'import { x } from "../trainers/step.ts";' }]), [
    "graph/bad.ts imports trainers/step.ts",
  ]);
});

test("architecture: no source file outgrows 400 lines", () => {
  const long = sources(src)
    .filter((path) => !path.endsWith("_pb.ts"))
    .map((path) => ({ path: relative(src, path), lines: readFileSync(path, "utf8").split("\n").length }))
    .filter(({ lines }) => lines > 400);
  assert.deepEqual(long, []);
});
