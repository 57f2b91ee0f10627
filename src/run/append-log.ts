import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, statSync, truncateSync } from "node:fs";
import { DataError } from "../utils/errors.ts";
import { writeFully } from "../utils/files.ts";

/** A file that only grows, one whole record at a time, and can be cut back to a length that a checkpoint remembers. */
export class AppendLog {
  readonly path: string;
  #length: number;

  constructor(path: string) {
    this.path = path;
    this.#length = existsSync(path) ? statSync(path).size : 0;
  }

  /** Length in bytes. */
  get bytes(): number {
    return this.#length;
  }

  /** Appends one record; when that fails halfway the file is as before. */
  append(record: Uint8Array): void {
    const file = openSync(this.path, "a");
    try {
      writeFully(file, record);
      this.#length += record.byteLength;
    } catch (error) {
      this.#undo(file);
      throw error;
    } finally {
      closeSync(file);
    }
  }

  /** Takes half a record back; when even that fails, a resumed run cuts the file back. */
  #undo(file: number): void {
    try {
      ftruncateSync(file, this.#length);
    } catch {
      // the error that matters is the one of the write
    }
  }

  /** Forces everything written so far to the disk. */
  sync(): void {
    if (!existsSync(this.path)) return;
    const file = openSync(this.path, "r+");
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  /** Cuts the file back. @throws DataError when it is shorter than that */
  cutTo(bytes: number): void {
    if (bytes > this.#length)
      throw new DataError(
        `${this.path}: has ${this.#length} bytes, the checkpoint was written when it had ${bytes}; it was changed since`,
      );
    if (bytes === this.#length) return;
    truncateSync(this.path, bytes);
    this.#length = bytes;
  }
}
