import { DataError, messageOf } from "../../utils/errors.ts";
import { type OnBadRow, type Row, rowOr, toRow } from "./rows.ts";
import { MAX_ROW_LENGTH, textChunks } from "./text-chunks.ts";

/** Rows of a file with one JSON object a line; blank lines are passed over. Only line feeds end a line, whatever else a string may hold. */
export async function* readJsonLines(path: string, onBad?: OnBadRow): AsyncGenerator<Row> {
  const read = (text: string, line: number): Row | null => rowOr(() => parseRow(text, `${path}, line ${line}`), onBad);
  let line = 0;
  let rest = "";
  for await (const chunk of textChunks(path)) {
    const lines = chunk.split("\n");
    lines[0] = rest + lines[0]!;
    rest = lines.pop()!;
    if (rest.length > MAX_ROW_LENGTH) throw new DataError(`${path}, line ${line + 1}: is longer than 64 MB`);
    for (const text of lines) {
      line++;
      const row = text.trim() === "" ? null : read(text, line);
      if (row) yield row;
    }
  }
  const last = rest.trim() === "" ? null : read(rest, line + 1);
  if (last) yield last;
}

/** Reads one row. @throws DataError with the parser's words and the start of the text */
export function parseRow(text: string, where: string): Row {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const start = JSON.stringify(text.trim().slice(0, 60));
    throw new DataError(`${where}: is not valid JSON (${messageOf(error)}); it starts with ${start}`, { cause: error });
  }
  return toRow(value, where);
}
