import { closeSync, fsyncSync, openSync } from "node:fs";
import { messageOf, TrainingError } from "../utils/errors.ts";

const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** Runs a write; a full disk becomes an error that says what is lost and how to go on. */
export async function guardDisk<T>(what: string, lastWhole: () => string, write: () => T | Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    const text = messageOf(error);
    const reason = text.startsWith("EFBIG") ? "a file reached the size limit of this shell" : "the disk is full";
    throw new TrainingError(`${what}: ${reason} (${text}). ${lastWhole()}`, { cause: error });
  }
}

/** No space left, the user's quota used up, or a limit on the size of files reached; also when it is the cause of another error. */
export function isDiskFull(error: unknown): boolean {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    const { code } = inner as NodeJS.ErrnoException;
    if (code !== undefined && FULL.has(code)) return true;
  }
  return false;
}

/** Forces a file or a folder's entries to the disk. Folders cannot be opened on Windows: there it does nothing. */
export function sync(path: string, isFolder = false): void {
  if (isFolder && process.platform === "win32") return;
  const file = openSync(path, isFolder ? "r" : "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
