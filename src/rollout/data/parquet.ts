import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { DataError, messageOf } from "../../utils/errors.ts";
import { type Row, toRow } from "./rows.ts";

/** Rows of a Parquet file, one row group in memory at a time. Whole numbers of 64 bits come as numbers where they fit exactly. */
export async function* readParquet(path: string): AsyncGenerator<Row> {
  const file = await asyncBufferFromFile(path);
  const metadata = await guarded(path, "its footer", () => parquetMetadataAsync(file));
  let rowStart = 0;
  for (const [i, size] of groupSizes(metadata, path).entries()) {
    const rowEnd = rowStart + size;
    const rows = await guarded(path, `row group ${i + 1}`, () =>
      parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors }),
    );
    if (rows.length !== size) {
      throw new DataError(`${path}: row group ${i + 1} holds ${rows.length} rows, its header says ${size}`);
    }
    for (const [j, values] of rows.entries()) {
      yield toRow(
        Object.fromEntries(Object.entries(values).map(([key, value]) => [key, plain(value)])),
        `${path}, row ${rowStart + j + 1}`,
      );
    }
    rowStart = rowEnd;
  }
}

function groupSizes(metadata: FileMetaData, path: string): number[] {
  return metadata.row_groups.map(({ num_rows }, i) => {
    const size = Number(num_rows);
    if (!Number.isSafeInteger(size) || size < 0)
      throw new DataError(`${path}: row group ${i + 1} claims ${num_rows} rows`);
    return size;
  });
}

async function guarded<T>(path: string, part: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new DataError(`${path}: is not a readable Parquet file, ${part} is damaged: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
