import { Unreadable } from "./budget.ts";
import { BASE_WORDS, IGNORED, RELATIONS, TEXT_COMMANDS } from "./names.ts";
import { scanBased } from "./numerals.ts";
import { bracket, push, type Scan, type TokenKind } from "./scan.ts";
import { scan } from "./tokens.ts";

type Simple = readonly [kind: TokenKind, text: string];

const sign = (text: string): Simple => ["sign", text];

/** Commands that are one token by themselves. */
const SIMPLE: Readonly<Record<string, Simple>> = {
  circ: sign("deg"),
  degree: sign("deg"),
  textdegree: sign("deg"),
  times: sign("*"),
  cdot: sign("*"),
  ast: sign("*"),
  cdotp: sign("*"),
  div: sign("/"),
  pm: sign("pm"),
  mp: sign("mp"),
  prime: sign("'"),
  colon: sign(":"),
  percent: sign("%"),
  cup: sign("union"),
  bigcup: sign("union"),
  cap: sign("intersection"),
  bigcap: sign("intersection"),
  setminus: sign("minus"),
  backslash: sign("minus"),
  smallsetminus: sign("minus"),
  vert: sign("|"),
  lvert: sign("|"),
  rvert: sign("|"),
  Vert: sign("|"),
  lVert: sign("|"),
  rVert: sign("|"),
  lor: ["separator", "or"],
  vee: ["separator", "or"],
  land: ["separator", "and"],
  wedge: ["separator", "and"],
};

/** Commands that are brackets. */
const BRACKETS: Readonly<Record<string, readonly [text: string, side: "open" | "close"]>> = {
  lbrace: ["\\{", "open"],
  rbrace: ["\\}", "close"],
  lbrack: ["[", "open"],
  rbrack: ["]", "close"],
  langle: ["langle", "open"],
  rangle: ["rangle", "close"],
  lfloor: ["lfloor", "open"],
  rfloor: ["rfloor", "close"],
  lceil: ["lceil", "open"],
  rceil: ["rceil", "close"],
};

/** A backslash and what belongs to it. */
export function scanCommand(state: Scan, level: number): void {
  const name = /^[A-Za-z]+/.exec(state.text.slice(state.at + 1, state.at + 40))?.[0];
  if (name === undefined) {
    scanEscape(state);
    return;
  }
  state.at += 1 + name.length;
  if (state.text[state.at] === "*") state.at++;
  if (/^q?quad/.test(name)) scanQuad(state, name);
  else if (IGNORED.has(name)) skipEmptyDelimiter(state, name);
  else if (TEXT_COMMANDS.has(name)) scanText(state, level);
  else if (name === "color" || name === "textcolor") readBraces(state);
  else if (name === "not") scanNot(state);
  else if (Object.hasOwn(SIMPLE, name)) push(state, ...SIMPLE[name]!);
  else if (Object.hasOwn(BRACKETS, name)) bracket(state, ...BRACKETS[name]!);
  else if (Object.hasOwn(RELATIONS, name)) push(state, "relation", RELATIONS[name]!);
  else push(state, "command", name);
}

/** A wide blank parts what stands side by side; letters that were typed right behind it stand for themselves. */
function scanQuad(state: Scan, name: string): void {
  push(state, "separator", ",", { weak: true });
  for (const letter of name.replace(/^q?quad/, "")) push(state, "letter", letter);
}

/** The point of `\left.` and `\right.`. */
function skipEmptyDelimiter(state: Scan, name: string): void {
  const point = /^\s*\./.exec(state.text.slice(state.at, state.at + 5));
  if (point && (name === "left" || name === "right")) state.at += point[0].length;
}

/** `\not=`, `\not\in`. */
function scanNot(state: Scan): void {
  const rest = /^\s*(=|\\in(?![a-z])|\\equiv)/.exec(state.text.slice(state.at, state.at + 12));
  if (!rest) throw new Unreadable("\\not stands before something that is not negated");
  state.at += rest[0].length;
  push(state, "relation", rest[1] === "\\in" ? "notin" : "!=");
}

function scanEscape(state: Scan): void {
  const next = state.text[state.at + 1] ?? "";
  state.at += 2;
  if (",;:! >".includes(next)) state.spaced = true;
  else if (next === "{" || next === "}") bracket(state, `\\${next}`);
  else if (next === "%") push(state, "sign", "%");
  else if (next === "$") push(state, "sign", "money", { upright: true });
  else if (next === "\\") {
    const spacing = /^\s*\[[\d.a-z\s]{1,12}\]/.exec(state.text.slice(state.at, state.at + 20)); // \\[4pt]
    if (spacing) state.at += spacing[0].length;
    push(state, "sign", "\\\\");
  } else if (next === "|") push(state, "sign", "||");
  else if (next === "(" || next === ")" || next === "[" || next === "]" || next === "") state.spaced = true;
  else if (next === "&" || next === "#" || next === "_") push(state, "word", next);
  else throw new Unreadable(`\\${next} is not known`);
}

/** Braces after \text: their content is read as words. */
function scanText(state: Scan, level: number): void {
  const content = readBraces(state);
  const base = Object.hasOwn(BASE_WORDS, content.trim()) && state.out.length > 1 && state.out.at(-1)!.text === "_";
  if (base) {
    push(state, "number", String(BASE_WORDS[content.trim()]!));
    return;
  }
  const based =
    state.text[state.at] === "_" ? scanBased(`${content.trim()}${state.text.slice(state.at, state.at + 8)}`, 0) : null;
  if (based) {
    push(state, "based", based.digits, { base: based.base });
    state.at += based.end - content.trim().length;
    return;
  }
  scan({ ...state, text: content, isText: true, at: 0, spaced: state.spaced || content.startsWith(" ") }, level + 1);
  state.spaced = content.endsWith(" ");
}

/** Content of the braces that open here, or the one character that stands for them. */
function readBraces(state: Scan): string {
  while (state.text[state.at] === " ") state.at++;
  if (state.text[state.at] !== "{") return state.text[state.at++] ?? "";
  let depth = 0;
  for (let i = state.at; i < state.text.length; i++) {
    if (state.text[i] === "\\") i++;
    else if (state.text[i] === "{") depth++;
    else if (state.text[i] === "}" && --depth === 0) {
      const content = state.text.slice(state.at + 1, i);
      state.at = i + 1;
      return content;
    }
  }
  throw new Unreadable("a brace is not closed");
}
