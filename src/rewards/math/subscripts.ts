import { Unreadable } from "./budget.ts";
import { accept, type Cursor, expectToken, isAt, take } from "./cursor.ts";
import { BASE_WORDS } from "./names.ts";

/** The base behind `_`: a number or its word, with or without braces. @throws Unreadable */
export function parseTextNumber(cursor: Cursor): number {
  const hasBraces = accept(cursor, "open", "{");
  if (!isAt(cursor, "number") && !isAt(cursor, "word")) throw new Unreadable("a base was expected behind _");
  const { kind, text } = take(cursor);
  if (hasBraces) expectToken(cursor, "close", "}");
  const base = kind === "number" ? Number(text) : BASE_WORDS[text.toLowerCase()];
  if (base === undefined || !Number.isInteger(base)) throw new Unreadable(`${text} is not the base of a number system`);
  return base;
}
