import { type Stats, statSync } from "node:fs";
import { extname } from "node:path";
import { DataError, messageOf } from "../../utils/errors.ts";
import { readCsv, readTsv } from "./csv.ts";
import { readJsonArray } from "./json-array.ts";
import { readJsonLines } from "./jsonl.ts";
import { readParquet } from "./parquet.ts";
import type { OnBadRow, Row } from "./rows.ts";

/** Readers by the end of the file's name. */
const READERS: Readonly<Record<string, (path: string, onBad?: OnBadRow) => AsyncGenerator<Row>>> = {
  ".jsonl": readJsonLines,
  ".ndjson": readJsonLines,
  ".json": readJsonArray,
  ".parquet": readParquet,
  ".csv": readCsv,
  ".tsv": readTsv,
};

/**
 * Streams the rows of a data file: `.jsonl` (one object a line), `.json` (an array of objects), `.parquet`, `.csv` or `.tsv` (with a header line).
 * @param next what to do when the file is missing, as a sentence for the message
 * @param onBad told about rows that can't be read, which are then passed over; without it they end the reading
 * @throws DataError at once when the file is missing or of another kind; while reading, naming file and line, when a row is malformed
 */
export function readRows(
  path: string,
  next = "give the path of a file that exists",
  onBad?: OnBadRow,
): AsyncGenerator<Row> {
  const stats = statOf(path, next);
  if (stats.isDirectory()) throw new DataError(`${path}: is a folder, a data file was expected; ${next}`);
  const reader = READERS[extname(path).toLowerCase()];
  if (!reader) {
    throw new DataError(`${path}: unknown kind of data file; readable are ${Object.keys(READERS).join(", ")}`);
  }
  return reader(path, onBad);
}

/** Whether a name ends like that of a data file. */
export function isDataFile(path: string): boolean {
  return Object.hasOwn(READERS, extname(path).toLowerCase());
}

function statOf(path: string, next: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const problem = isMissing ? "there is no such file" : `cannot be read (${messageOf(error)})`;
    throw new DataError(`${path}: ${problem}; ${next}`, { cause: error });
  }
}
