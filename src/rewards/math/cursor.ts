import { type Budget, LIMITS, Unreadable } from "./budget.ts";
import type { Token, TokenKind } from "./scan.ts";

/** A place in a list of tokens, and what the parser knows there. */
export interface Cursor {
  readonly tokens: Token[];
  readonly budget: Budget;
  at: number;
  /** How many constructs are open. */
  depth: number;
  /** How many `|` are open. */
  bars: number;
  /** Whether `:` and `|` end the element of a set such as `{x : x > 0}`. */
  inBuilder: boolean;
  /** Running variables of sums, which may be called i or e. */
  readonly bound: Set<string>;
}

export function cursorOf(tokens: Token[], budget: Budget): Cursor {
  return { tokens, budget, at: 0, depth: 0, bars: 0, inBuilder: false, bound: new Set() };
}

/** The token here, or `ahead` places further. */
export function peek(cursor: Cursor, ahead = 0): Token {
  return cursor.tokens[Math.min(cursor.at + ahead, cursor.tokens.length - 1)]!;
}

/** The token here; goes one further. */
export function take(cursor: Cursor): Token {
  cursor.budget.spend();
  const token = peek(cursor);
  if (token.kind !== "end") cursor.at++;
  return token;
}

export function isAt(cursor: Cursor, kind: TokenKind, text?: string, ahead = 0): boolean {
  const token = peek(cursor, ahead);
  return token.kind === kind && (text === undefined || token.text === text);
}

/** Takes the token when it is this one. */
export function accept(cursor: Cursor, kind: TokenKind, text: string): boolean {
  if (!isAt(cursor, kind, text)) return false;
  take(cursor);
  return true;
}

/** @throws Unreadable when another token stands here */
export function expectToken(cursor: Cursor, kind: TokenKind, text: string): void {
  if (!accept(cursor, kind, text)) throw new Unreadable(`${text} was expected, not ${describe(peek(cursor))}`);
}

export function describe(token: Token): string {
  return token.kind === "end" ? "the end" : JSON.stringify(token.text);
}

/** Runs a part of the parser one level deeper. @throws Unreadable when brackets are nested too deep */
export function nested<T>(cursor: Cursor, parse: () => T): T {
  if (++cursor.depth > LIMITS.depth) throw new Unreadable(`it is nested more than ${LIMITS.depth} deep`);
  const result = parse();
  cursor.depth--;
  return result;
}
