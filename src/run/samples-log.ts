import { existsSync, readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import type { SampleRow } from "../trainers/types.ts";
import { DataError, messageOf } from "../utils/errors.ts";
import { AppendLog } from "./append-log.ts";

/** `samples.jsonl.gz`: one line a completion, one gzip member a step (members one after another are a valid .gz file). */
export class SamplesLog extends AppendLog {
  /** Appends the completions of a step; `step` counts as in `metrics.jsonl`. */
  log(step: number, rows: readonly SampleRow[]): void {
    if (rows.length > 0) this.append(packRows(rows.map((row) => ({ ...row, step }))));
  }
}

/** Rows as one gzip member of JSON lines; equal rows give equal bytes. */
export function packRows(rows: readonly SampleRow[]): Uint8Array {
  return gzipSync(rows.map((row) => `${JSON.stringify(row, rounded)}\n`).join(""), { level: 6 });
}

/** float32 values keep the digits that tell them apart, not the 17 of a double. */
function rounded(this: unknown, key: string, value: unknown): unknown {
  if (key !== "logp" && key !== "entropy") return value;
  return Array.from(value as ArrayLike<number>, (x) => Number(x.toPrecision(9)));
}

/** Reads a file of `packRows` members. @throws DataError when it is no whole gzip file of JSON lines */
export function readSamples(path: string): SampleRow[] {
  if (!existsSync(path)) return [];
  try {
    const text = gunzipSync(readFileSync(path)).toString("utf8");
    return text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as SampleRow);
  } catch (error) {
    throw new DataError(`${path}: not a whole samples file: ${messageOf(error)}`, { cause: error });
  }
}
