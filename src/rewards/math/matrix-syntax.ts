import { LIMITS, Unreadable } from "./budget.ts";
import { accept, type Cursor, expectToken, isAt, peek, take } from "./cursor.ts";
import type { Node } from "./nodes.ts";
import { parseList } from "./parser.ts";

const MATRICES = new Set(["matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix", "smallmatrix", "array"]);
/** Environments that only arrange what they hold. */
const LAYOUTS = new Set(["aligned", "align", "gathered", "gather", "split", "equation"]);

/** `\begin{pmatrix} … & … \\ … \end{pmatrix}`; `\begin` has been taken. A `vmatrix` is its determinant. */
export function parseMatrix(cursor: Cursor): Node {
  const name = environmentName(cursor);
  if (!MATRICES.has(name)) {
    if (!LAYOUTS.has(name)) throw new Unreadable(`the environment ${name.slice(0, 20)} is not known`);
    const inside = parseList(cursor);
    closeEnvironment(cursor, name);
    return inside;
  }
  if (name === "array") skipBraces(cursor);
  const rows = parseRows(cursor);
  closeEnvironment(cursor, name);
  if (rows.some((row) => row.length !== rows[0]!.length))
    throw new Unreadable("the rows of a matrix have different lengths");
  if (rows.length * rows[0]!.length > LIMITS.elements)
    throw new Unreadable(`a matrix has more than ${LIMITS.elements} elements`);
  const matrix: Node = { kind: "matrix", rows };
  return name === "vmatrix" ? { kind: "call", name: "det", args: [matrix] } : matrix;
}

function parseRows(cursor: Cursor): Node[][] {
  const rows: Node[][] = [];
  for (;;) {
    while (accept(cursor, "command", "hline")) cursor.budget.spend();
    if (isAt(cursor, "command", "end")) break;
    const row = [parseCell(cursor)];
    while (accept(cursor, "sign", "&")) row.push(parseCell(cursor));
    rows.push(row);
    if (!accept(cursor, "sign", "\\\\")) break;
  }
  if (rows.length === 0) throw new Unreadable("a matrix is empty");
  return rows;
}

/** One element. Lists have no place in a matrix, so that `\\` ends it. */
function parseCell(cursor: Cursor): Node {
  const stop = cellEnd(cursor);
  const inner: Cursor = {
    ...cursor,
    tokens: [...cursor.tokens.slice(cursor.at, stop), { kind: "end", text: "", spaced: false }],
    at: 0,
  };
  const cell = parseList(inner);
  if (!isAt(inner, "end")) throw new Unreadable("an element of a matrix was not understood");
  cursor.at = stop;
  return cell;
}

/** Place of the `&`, `\\` or `\end` that ends a cell. */
function cellEnd(cursor: Cursor): number {
  let depth = 0;
  for (let at = cursor.at; at < cursor.tokens.length; at++) {
    cursor.budget.spend();
    const { kind, text } = cursor.tokens[at]!;
    if (kind === "open") depth++;
    else if (kind === "close") depth--;
    else if (kind === "command" && text === "begin") depth++;
    else if (kind === "command" && text === "end") {
      if (depth <= 0) return at;
      depth--;
    } else if (depth === 0 && kind === "sign" && (text === "&" || text === "\\\\")) return at;
  }
  throw new Unreadable("a matrix is not closed");
}

function environmentName(cursor: Cursor): string {
  expectToken(cursor, "open", "{");
  let name = "";
  while (!isAt(cursor, "close", "}") && !isAt(cursor, "end")) name += take(cursor).text;
  expectToken(cursor, "close", "}");
  return name.replace(/\*$/, "");
}

function closeEnvironment(cursor: Cursor, name: string): void {
  expectToken(cursor, "command", "end");
  const closing = environmentName(cursor);
  if (closing !== name) throw new Unreadable(`\\begin{${name}} is closed by \\end{${closing.slice(0, 20)}}`);
}

/** The column marks of an array. */
function skipBraces(cursor: Cursor): void {
  if (!accept(cursor, "open", "{")) return;
  while (!isAt(cursor, "close", "}") && peek(cursor).kind !== "end") take(cursor);
  expectToken(cursor, "close", "}");
}
