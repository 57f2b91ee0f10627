import { type Budget, LIMITS, Unreadable } from "./budget.ts";
import { RELATIONS } from "./names.ts";
import { scanBased, scanNumber } from "./numerals.ts";
import { bracket, push, type Reading, type Scan, type Token } from "./scan.ts";
import { scanCommand } from "./scan-commands.ts";
import { scanLetters } from "./scan-letters.ts";
import { CURRENCIES } from "./units.ts";

/** Splits LaTeX or plain mathematics into tokens. @throws Unreadable when a character or command is none of mathematics, or there are too many */
export function tokenize(text: string, reading: Reading, budget: Budget): Token[] {
  const out: Token[] = [];
  scan({ text, isText: false, reading, out, budget, at: 0, depth: 0, spaced: false });
  out.push({ kind: "end", text: "", spaced: false });
  return out;
}

/** Reads the rest of a text. */
export function scan(state: Scan, level = 0): void {
  if (level > 8) throw new Unreadable("texts stand inside texts");
  while (state.at < state.text.length) {
    state.budget.spend();
    if (state.out.length > LIMITS.tokens) throw new Unreadable(`it has more than ${LIMITS.tokens} signs`);
    const character = state.text[state.at]!;
    if (character === " " || character === "~") {
      state.at++;
      state.spaced = true;
    } else if (character === "\\") scanCommand(state, level);
    else if (/[0-9.]/.test(character)) scanDigits(state);
    else if (/[A-Za-z]/.test(character)) scanLetters(state);
    else scanSign(state, character);
  }
}

function scanDigits(state: Scan): void {
  const based = scanBased(state.text, state.at);
  if (based) {
    push(state, "based", based.digits, { base: based.base });
    state.at = based.end;
    return;
  }
  const number = scanNumber(state.text, state.at, state.reading.joinCommas && state.depth === 0);
  if (number) {
    push(state, "number", number.text, number.digits === undefined ? {} : { digits: number.digits });
    state.at = number.end;
  } else if (/^\.{3}|^\.\.$/.test(state.text.slice(state.at, state.at + 3))) {
    push(state, "command", "dots");
    while (state.text[state.at] === ".") state.at++;
  } else if (state.isText || state.at >= state.text.length - 1 || state.text[state.at + 1] === " ") {
    state.at++; // a full stop
    state.spaced = true;
  } else throw new Unreadable("a point stands alone");
}

const SIGNS = "+-*/^_!%'|:&";

function scanSign(state: Scan, character: string): void {
  const two = state.text.slice(state.at, state.at + 2);
  if (Object.hasOwn(RELATIONS, two) && !/^[a-z]/.test(two) && !(two === "!=" && state.text[state.at + 2] === "=")) {
    state.at += 2;
    push(state, "relation", RELATIONS[two]!);
    return;
  }
  state.at++;
  if (two === "**") {
    state.at++;
    push(state, "sign", "^");
  } else if (Object.hasOwn(RELATIONS, character)) push(state, "relation", RELATIONS[character]!);
  else if (character === "(" || character === "[" || character === ")" || character === "]") bracket(state, character);
  else if (character === "{") scanBrace(state);
  else if (character === "}") push(state, "close", "}");
  else if (character === "," || character === ";") push(state, "separator", character);
  else if (character === "$") push(state, "sign", "money");
  else if (Object.hasOwn(CURRENCIES, character)) push(state, "sign", character);
  else if (SIGNS.includes(character)) push(state, "sign", character);
  else if (character === '"' || character === "`" || (state.isText && "?-".includes(character))) state.spaced = true;
  else if (/\p{L}/u.test(character)) scanOtherScript(state);
  else throw new Unreadable(`the sign ${JSON.stringify(character)} has no meaning here`);
}

/** An opening brace; `{}` by itself and the braces of `{,}` say nothing. */
function scanBrace(state: Scan): void {
  const [, sign] = /^\s*([,;]?)\s*\}/.exec(state.text.slice(state.at, state.at + 12)) ?? [];
  const before = state.out.at(-1);
  const isArgument = before?.kind === "command" || before?.text === "^" || before?.text === "_" || before?.text === "}";
  if (sign === undefined || isArgument) {
    push(state, "open", "{");
    return;
  }
  state.at = state.text.indexOf("}", state.at) + 1;
  if (sign !== "") push(state, "separator", sign);
}

/** A word in letters of another script. */
function scanOtherScript(state: Scan): void {
  const start = state.at - 1;
  while (state.at < state.text.length && /[\p{L}\p{M}]/u.test(state.text[state.at]!)) state.at++;
  push(state, "word", state.text.slice(start, state.at));
}
