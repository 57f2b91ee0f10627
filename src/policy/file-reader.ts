import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { DataError, messageOf } from "../utils/errors.ts";

/** An open file whose parts are read in place. */
export interface FileReader {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Fills `into` from `offset`. @throws DataError naming file, offset and `what` when the file ends before. */
  readAt(offset: number, into: Uint8Array, what: string): void;
  close(): void;
}

/** Opens a regular file for reading. @throws DataError when it is missing or not a file */
export function openFile(path: string): FileReader {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    throw new DataError(`${path}: cannot be opened: ${messageOf(error)}`, { cause: error });
  }
  const stat = fstatSync(file);
  if (!stat.isFile()) {
    closeSync(file);
    throw new DataError(`${path}: is not a regular file`);
  }
  let isOpen = true;
  return {
    path,
    size: stat.size,
    readAt(offset, into, what) {
      if (!isOpen) throw new DataError(`${path}: ${what} was asked for after the file was closed`);
      let done = 0;
      while (done < into.byteLength) {
        const got = readSync(file, into, done, Math.min(into.byteLength - done, 1 << 30), offset + done);
        if (got === 0)
          throw new DataError(
            `${path}: the file ends at offset ${offset + done} within ${what}, which needs ${into.byteLength} bytes from offset ${offset}: copy it again`,
          );
        done += got;
      }
    },
    close() {
      if (isOpen) closeSync(file);
      isOpen = false;
    },
  };
}

/** A byte range that a file's header claims for one tensor. */
export interface Claim {
  readonly name: string;
  /** Offsets into the file, in bytes; `end` is exclusive. */
  readonly begin: number;
  readonly end: number;
}

/**
 * Checks that claimed ranges lie in [begin, file size] and do not overlap; returns them in file order.
 * @throws DataError naming the tensor and the offset
 */
export function checkClaims<T extends Claim>(claims: Iterable<T>, file: FileReader, begin: number): T[] {
  const sorted = [...claims].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let previous: T | undefined;
  for (const claim of sorted) {
    if (claim.begin < begin || claim.end < claim.begin || claim.end > file.size)
      throw new DataError(
        `${file.path}: tensor ${claim.name} claims bytes ${claim.begin} to ${claim.end}, but data lie from offset ${begin} to ${file.size}: the file is cut off or corrupt`,
      );
    if (previous && claim.begin < previous.end)
      throw new DataError(
        `${file.path}: tensor ${claim.name} at offset ${claim.begin} overlaps tensor ${previous.name}, which ends at ${previous.end}`,
      );
    if (claim.end > claim.begin) previous = claim;
  }
  return sorted;
}

/** Number of elements of a shape. @throws DataError when it is not an exact integer */
export function elementCount(shape: readonly number[], where: string): number {
  const count = shape.reduce((product, size) => product * size, 1);
  if (!Number.isSafeInteger(count)) throw new DataError(`${where}: shape [${shape}] is impossibly large`);
  return count;
}
