import { ConfigError } from "../../utils/errors.ts";
import { HashTable, textHash } from "./hash-table.ts";
import { ColumnCounts, type ColumnReport } from "./inspect-columns.ts";
import { readRows } from "./load.ts";
import { type ColumnPreset, guessPreset } from "./presets.ts";
import { dataSource } from "./pull.ts";
import { questionText, sameQuestion } from "./question-text.ts";
import { fieldOf, promptField, type Row } from "./rows.ts";

/** What a data file holds. */
export interface FileReport {
  readonly path: string;
  readonly rows: number;
  /** Rows that cannot be read, which `rows` does not count, and the errors of the first of them. */
  readonly malformed: { readonly count: number; readonly first: readonly string[] };
  readonly columns: readonly ColumnReport[];
  /** Fields that were left out because there are too many names. */
  readonly droppedFields: number;
  /** Column of the question, and the preset that the columns fit. */
  readonly question: string | null;
  readonly preset: string | null;
  /** Rows whose question (without one: the whole row) occurred before; blanks and capital letters make no difference. */
  readonly duplicates: { readonly count: number; readonly first: readonly string[] };
}

/** How to look into a file. */
export interface InspectOptions {
  /** Column of the question; guessed from the first row when absent. */
  readonly column?: string;
  /** Counts the tokens of a text. */
  readonly tokensOf?: (text: string) => number;
}

/** Examples of a finding that are kept. */
const EXAMPLES = 5;

/** Looks into a file in one pass. Memory does not grow with the rows, but for 16 to 32 bytes each to find duplicates. @throws DataError when there is no such file */
export async function inspectFile(path: string, { column, tokensOf }: InspectOptions = {}): Promise<FileReport> {
  const columns = new ColumnCounts(tokensOf ?? null);
  const malformed: string[] = [];
  const twice: string[] = [];
  const seen = new HashTable();
  let [rows, bad, duplicates] = [0, 0, 0];
  let question = column ?? null;
  let preset: ColumnPreset | null = null;
  const onBad = (error: Error): void => {
    if (bad++ < EXAMPLES) malformed.push(error.message);
  };
  for await (const row of rowsOf(path, onBad)) {
    if (rows++ === 0) {
      preset = guessPreset(row);
      question ??= preset?.question ?? null;
    }
    columns.add(row);
    const hash = textHash(sameQuestion(questionOf(row, question) ?? JSON.stringify(row.values, withBigint)));
    const before = seen.get(hash);
    if (before === -1) seen.set(hash, rows);
    else if (duplicates++ < EXAMPLES) twice.push(`${row.where} repeats row ${before}`);
  }
  return {
    ...{ path, rows, columns: columns.report(), droppedFields: columns.dropped },
    malformed: { count: bad, first: malformed },
    ...{ question, preset: preset?.name ?? null },
    duplicates: { count: duplicates, first: twice },
  };
}

/** All rows of what a path stands for. A file that breaks off is told like a malformed row, and its rows before that count. */
export async function* rowsOf(path: string, onBad: (error: Error) => void): AsyncGenerator<Row> {
  for (const part of dataSource(path).paths) {
    const rows = readRows(part, "give the path of a file that exists", onBad);
    try {
      yield* rows;
    } catch (error) {
      onBad(error as Error);
    }
  }
}

/** The text of a row's question, or null when it has none. */
export function questionOf(row: Row, column: string | null): string | null {
  if (column === null) return null;
  try {
    return questionText(promptField(row, column));
  } catch {
    return null;
  }
}

/** The column of the question of a file, from its first row. @throws ConfigError when it can't be told, DataError when nothing can be read */
export async function questionColumn(path: string, wanted: string | undefined): Promise<string> {
  for (const part of dataSource(path).paths) {
    for await (const row of readRows(part)) {
      if (wanted !== undefined) {
        fieldOf(row, wanted); // an error that names the columns
        return wanted;
      }
      const preset = guessPreset(row);
      if (preset) return preset.question;
      throw new ConfigError(
        `${row.where}: which column holds the question? The row has ${Object.keys(row.values).slice(0, 20).join(", ")}; name it with --column`,
      );
    }
  }
  throw new ConfigError(`${path}: holds no row`);
}

function withBigint(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
