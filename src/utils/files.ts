import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Writes beside `path` and renames, so that a half-written file is never seen under its name. Creates missing folders. */
export function writeFileAtomic(path: string, ...parts: (string | Uint8Array)[]): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.part`;
  const file = openSync(temporary, "w");
  try {
    for (const part of parts) writeFully(file, typeof part === "string" ? Buffer.from(part) : part);
    fsyncSync(file);
  } catch (error) {
    closeSync(file);
    rmSync(temporary, { force: true });
    throw error;
  }
  closeSync(file);
  renameSync(temporary, path);
}

/** Writes every byte: a plain `writeSync` may stop early, for instance at 2 GiB. */
export function writeFully(file: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.byteLength) done += writeSync(file, bytes, done, Math.min(bytes.byteLength - done, 1 << 30));
}
