import { finished } from "node:stream/promises";
import { type CsvError, parse } from "csv-parse";
import { DataError, messageOf } from "../../utils/errors.ts";
import { type OnBadRow, type Row, rowOr, toRow } from "./rows.ts";
import { MAX_ROW_LENGTH, textChunks } from "./text-chunks.ts";

/** Rows of a comma-separated file with a header line, quoted as RFC 4180 says. Every value is text. */
export function readCsv(path: string, onBad?: OnBadRow): AsyncGenerator<Row> {
  return readSeparated(path, ",", onBad);
}

/** The same with tabs between the fields. */
export function readTsv(path: string, onBad?: OnBadRow): AsyncGenerator<Row> {
  return readSeparated(path, "\t", onBad);
}

/** A record, and the line on which it begins. */
interface Parsed {
  readonly fields: readonly string[];
  readonly line: number;
}

async function* readSeparated(path: string, delimiter: string, onBad?: OnBadRow): AsyncGenerator<Row> {
  const records = new RecordQueue(delimiter);
  let names: readonly string[] | null = null;
  const rows = function* (): Generator<Row> {
    for (const { fields, line } of records.take()) {
      const where = `${path}, line ${line}`;
      if (names === null) {
        names = columnNames(fields, where);
        continue;
      }
      const header = names;
      const row = rowOr(() => toRow(namedFields(header, fields, where), where), onBad);
      if (row) yield row;
    }
  };
  const checked = (error: CsvError | null): void => {
    if (error) throw asDataError(error, path, names ?? [], records);
  };
  for await (const chunk of textChunks(path)) {
    const error = await records.push(chunk);
    yield* rows(); // those before the error
    checked(error);
  }
  const error = await records.end();
  yield* rows();
  checked(error);
  if (names === null) {
    throw new DataError(`${path}, line 1: is empty; a line with the names of the columns was expected`);
  }
}

/** Text in, whole records out. The parser's stream would lose the records of a chunk with an error in it. */
class RecordQueue {
  #records: Parsed[] = [];
  /** How many lines csv-parse has counted too many: carriage returns inside quotes. */
  #excess = 0;
  /** Last line of the last whole record. */
  lastLine = 0;
  readonly #parser;

  constructor(delimiter: string) {
    this.#parser = parse({
      delimiter,
      bom: true,
      record_delimiter: ["\r\n", "\n"],
      skip_empty_lines: true,
      relax_column_count: true, // counted below, so that the message can name the columns
      max_record_size: MAX_ROW_LENGTH,
      on_record: (fields: string[], { lines }) => {
        this.#excess += count(fields, "\r");
        this.lastLine = lines - this.#excess;
        this.#records.push({ fields, line: this.lastLine - count(fields, "\n") });
        return null;
      },
    });
    this.#parser.on("error", () => {}); // it comes back from push or end
    this.#parser.resume();
  }

  push(chunk: string): Promise<CsvError | null> {
    return new Promise((resolve) => this.#parser.write(chunk, (error) => resolve((error as CsvError) ?? null)));
  }

  async end(): Promise<CsvError | null> {
    this.#parser.end();
    return finished(this.#parser).then(
      () => null,
      (error: CsvError) => error,
    );
  }

  /** The records since the last call. */
  take(): readonly Parsed[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }

  /** A line by csv-parse's count as a line of the file. */
  lineOf(lines: number): number {
    return lines - this.#excess;
  }
}

function count(fields: readonly string[], char: string): number {
  return fields.reduce((sum, field) => sum + field.split(char).length - 1, 0);
}

/** The header. A column without a name, as some programs write for row numbers, is called after its place. */
function columnNames(header: readonly string[], where: string): readonly string[] {
  const names = header.map((name, i) => name.trim() || `column ${i + 1}`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new DataError(`${where}: two columns have the name "${twice}"; rename one of them`);
  return names;
}

function namedFields(names: readonly string[], record: readonly string[], where: string): Record<string, string> {
  if (record.length === names.length) return Object.fromEntries(names.map((name, i) => [name, record[i]!]));
  const last = JSON.stringify(record.at(-1)!.slice(0, 40));
  throw new DataError(
    `${where}: has ${record.length} field${record.length === 1 ? "" : "s"}, the header names ${names.length} (${names.slice(0, 8).join(", ")}); the last one is ${last}. A field with a separator or line break in it needs quotes around it`,
  );
}

const PROBLEMS: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: "its quote is never closed",
  INVALID_OPENING_QUOTE: 'has a quote inside a field without quotes; write it as "…""…"',
  CSV_INVALID_CLOSING_QUOTE: 'goes on after its closing quote; a quote inside quotes is written twice ("")',
  CSV_MAX_RECORD_SIZE: "is in a row longer than 64 MB; is a quote missing?",
};

function asDataError(error: CsvError, path: string, names: readonly string[], records: RecordQueue): DataError {
  const { lines, index = 0 } = error as CsvError & { readonly lines?: number; readonly index?: number };
  const isOpen = error.code === "CSV_QUOTE_NOT_CLOSED" || error.code === "CSV_MAX_RECORD_SIZE";
  // an open quote is looked for where its row begins
  const line = isOpen || lines === undefined ? records.lastLine + 1 : records.lineOf(lines);
  const problem = PROBLEMS[error.code] ?? messageOf(error);
  return new DataError(`${path}, line ${line}, field "${names[index] ?? `column ${index + 1}`}": ${problem}`, {
    cause: error,
  });
}
