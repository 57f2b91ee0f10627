import { closeSync, fsyncSync, openSync } from "node:fs";
import { messageOf, TrainingError } from "../utils/errors.ts";

/** Runs a write; a full disk becomes an error that says what is lost and how to go on. */
export async function guardDisk<T>(what: string, lastWhole: () => string, write: () => T | Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    throw new TrainingError(`${what}: the disk is full (${messageOf(error)}). ${lastWhole()}`, { cause: error });
  }
}

/** No space, or the user's quota is used up; also when it is the cause of another error. */
export function isDiskFull(error: unknown): boolean {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    const { code } = inner as NodeJS.ErrnoException;
    if (code === "ENOSPC" || code === "EDQUOT") return true;
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
