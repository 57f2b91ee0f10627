// npm test: installs what is missing, then format and lint, types, and all tests. With --check-only: without the slow tests.
// Other arguments are test files, or parts of their names.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { ensureInstalled, root } from "./ensure-install.mjs";

ensureInstalled();
const args = process.argv.slice(2);
const checkOnly = args.includes("--check-only");
const wanted = args.filter((arg) => !arg.startsWith("--"));

if (wanted.length === 0) {
  step("format and lint", ["node_modules/@biomejs/biome/bin/biome", "ci", "."]);
  step("types", ["node_modules/typescript/bin/tsc", "--noEmit"]);
}
const all = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => join("test", name))
  .sort();
const files = checkOnly
  ? ["test/architecture.test.ts"]
  : all.filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(", ")}`);
  process.exit(2);
}
step(checkOnly ? "architecture" : "tests", [
  "--import",
  "tsx",
  "--test",
  `--test-concurrency=${availableParallelism()}`,
  "--test-reporter=./scripts/test-reporter.mjs",
  "--test-reporter-destination=stdout",
  ...files,
]);

/** Runs node with arguments; ends this process with its code when it fails. */
function step(name, nodeArgs) {
  console.log(`── ${name}`);
  const { status, signal } = spawnSync(process.execPath, nodeArgs, { cwd: root, stdio: "inherit" });
  if (status === 0) return;
  console.error(`── ${name}: failed${signal ? ` (${signal})` : ""}`);
  process.exit(status ?? 1);
}
