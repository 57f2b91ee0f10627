import type { Budget } from "./budget.ts";

export type TokenKind =
  | "number"
  | "based"
  | "letter"
  | "word"
  | "unit"
  | "command"
  | "sign"
  | "relation"
  | "separator"
  | "open"
  | "close"
  | "end";

/** One token. `spaced`: a blank stands before it. `weak`: a separator that may be dropped (`\quad`). */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly spaced: boolean;
  readonly upright?: boolean;
  readonly weak?: boolean;
  readonly base?: number;
  /** Of a decimal. */
  readonly digits?: number;
}

/** How commas between groups of three digits are read outside brackets. */
export interface Reading {
  readonly joinCommas: boolean;
}

/** What the tokenizer keeps while it goes through a text. */
export interface Scan {
  readonly text: string;
  readonly isText: boolean;
  readonly reading: Reading;
  readonly out: Token[];
  readonly budget: Budget;
  at: number;
  /** Open brackets other than braces. */
  depth: number;
  spaced: boolean;
}

/** Adds a token at this place. */
export function push(state: Scan, kind: TokenKind, text: string, rest: Partial<Token> = {}): void {
  state.out.push({ kind, text, spaced: state.spaced, ...rest });
  state.spaced = false;
}

/** Adds a bracket and counts how many are open. */
export function bracket(state: Scan, text: string, side?: "open" | "close"): void {
  const kind = side ?? ("([\\{".includes(text) ? "open" : "close");
  state.depth += kind === "open" ? 1 : -1;
  push(state, kind, text);
}
