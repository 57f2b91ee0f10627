import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Path of a file or folder of reference numbers. */
export function reference(name: string): string {
  return join(root, "test/policy/reference", name);
}

/** Path of a file of the project's own data. */
export function ownData(name: string): string {
  return join(root, "data", name);
}

/** A folder of its own for one test, removed afterwards. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "rlvr-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The real SmolLM2 file, or a skip that says how to get it. */
export function smollm2(t: TestContext): string | null {
  const path = join(root, "models/smollm2-135m-instruct-gguf/SmolLM2-135M-Instruct.Q4_1.gguf");
  if (existsSync(path)) return path;
  t.skip("real weights are missing: scripts/fetch-smollm2 brings them");
  return null;
}

/** A file of data that others wrote, or a skip that says how to get it. */
export function foreignData(t: TestContext, name: string): string | null {
  const folder = process.env.RLVR_DATA;
  const path = folder === undefined ? null : join(folder, name);
  if (path !== null && existsSync(path)) return path;
  t.skip(`${name} is missing: set RLVR_DATA to the folder that holds it`);
  return null;
}

/** Small reproducible random numbers: integers in [0, below). */
export function lcg(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
