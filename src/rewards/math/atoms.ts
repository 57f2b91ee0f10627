import { Unreadable } from "./budget.ts";
import { parseCommand, startsCommand } from "./commands.ts";
import { accept, type Cursor, describe, expectToken, isAt, nested, peek, take } from "./cursor.ts";
import { canonical, type Node } from "./nodes.ts";
import { numberNode } from "./number-node.ts";
import { parseList, parseSum, parseWithOver } from "./parser.ts";
import { parseTextNumber } from "./subscripts.ts";

const CURRENCY_SIGNS = new Set(["money", "€", "£", "¥", "₹"]);

/** Whether a factor can start here, side by side with what stands before. */
export function startsAtom(cursor: Cursor): boolean {
  const { kind, text } = peek(cursor);
  if (kind === "word") return text !== "to"; // 4 to 8
  if (kind === "open") return !isAt(cursor, "command", "bmod", 1); // (mod 7)
  if (kind === "number" || kind === "based" || kind === "letter" || kind === "unit") return true;
  if (kind === "command") return startsCommand(text);
  if (kind !== "sign") return false;
  if (text === "|") return cursor.bars === 0 && !cursor.inBuilder;
  return CURRENCY_SIGNS.has(text) && peek(cursor, 1).kind === "number";
}

/** The smallest unit: a number, a letter, a bracket, a command with its arguments. @throws Unreadable */
export function parseAtom(cursor: Cursor): Node {
  const token = take(cursor);
  switch (token.kind) {
    case "number":
      return parseNumber(cursor, numberNode(token.text, token.digits), token.text);
    case "based":
      return { kind: "based", digits: token.text, base: token.base! };
    case "letter":
      return parseLetter(cursor, token.text, token.upright === true);
    case "word":
      return { kind: "word", text: token.text };
    case "unit":
      return { kind: "unit", name: token.text };
    case "command":
      return nested(cursor, () => parseCommand(cursor, token.text));
    case "open":
      return nested(cursor, () => parseBracket(cursor, token.text));
    case "sign":
      if (token.text === "|") return nested(cursor, () => parseBars(cursor));
      if (CURRENCY_SIGNS.has(token.text))
        return { kind: "money", sign: token.text === "money" ? "$" : token.text, of: parseAmount(cursor) };
  }
  throw new Unreadable(`${describe(token)} was not expected`);
}

function parseAmount(cursor: Cursor): Node {
  const isNegative = accept(cursor, "sign", "-");
  const amount = parseAtom(cursor);
  return isNegative ? { kind: "negative", of: amount } : amount;
}

/** A number; with a fraction behind it a mixed number; with a subscript one in another base. */
function parseNumber(cursor: Cursor, number: Node, text: string): Node {
  if (accept(cursor, "sign", "_")) return based(text, parseTextNumber(cursor));
  if (!/^\d+$/.test(text)) return number;
  const fraction = mixedPart(cursor);
  return fraction ? { kind: "sum", terms: [number, fraction] } : number;
}

function based(digits: string, base: number): Node {
  if (!/^\d+$/.test(digits) || base < 2 || base > 16 || [...digits].some((digit) => Number(digit) >= base))
    throw new Unreadable(`${digits} is not a number in base ${base}`);
  return { kind: "based", digits: digits.replace(/^0+(?=.)/, ""), base };
}

/** `\frac{11}{17}` or ` 11/17` right behind a whole number. */
function mixedPart(cursor: Cursor): Node | null {
  const start = cursor.at;
  if (
    isAt(cursor, "number") &&
    peek(cursor).spaced &&
    isAt(cursor, "sign", "/", 1) &&
    isAt(cursor, "number", undefined, 2)
  ) {
    const [above, , below] = [take(cursor), take(cursor), take(cursor)];
    if (/^\d+$/.test(above.text) && /^\d+$/.test(below.text))
      return { kind: "quotient", above: numberNode(above.text), below: numberNode(below.text) };
  } else if (peek(cursor).kind === "command" && /^[dtc]?frac$/.test(peek(cursor).text)) {
    const tokens = [...cursor.tokens];
    const fraction = parseAtom(cursor);
    if (
      fraction.kind === "quotient" &&
      isWhole(fraction.above) &&
      isWhole(fraction.below) &&
      !(isAt(cursor, "sign", "^") && !isDegree(cursor))
    )
      return fraction;
    cursor.tokens.splice(0, cursor.tokens.length, ...tokens); // \frac12 may have parted a number
  }
  cursor.at = start;
  return null;
}

/** `^\circ` or `^{\circ}` here. */
function isDegree(cursor: Cursor): boolean {
  return isAt(cursor, "sign", "deg", 1) || (isAt(cursor, "open", "{", 1) && isAt(cursor, "sign", "deg", 2));
}

function isWhole(node: Node): boolean {
  return node.kind === "number" && node.value.denominator === 1n && node.digits === undefined;
}

/** A variable with its subscript and primes, a constant, or an unknown function with its arguments. */
function parseLetter(cursor: Cursor, letter: string, upright: boolean): Node {
  const name = withSubscript(cursor, letter);
  if (name === letter && !cursor.bound.has(letter)) {
    if (letter === "e") return { kind: "constant", name: "e" };
    if (letter === "i") return { kind: "constant", name: "i" };
  }
  if ((letter === "f" || letter === "g") && isAt(cursor, "open", "(") && !peek(cursor).spaced)
    return parseApplication(cursor, name);
  return upright && name === letter ? { kind: "variable", name, upright } : { kind: "variable", name };
}

/** `_1`, `_{n+1}`, `'`: part of the name. */
export function withSubscript(cursor: Cursor, letter: string): string {
  let name = letter;
  for (;;) {
    if (accept(cursor, "sign", "'")) name += "'";
    else if (accept(cursor, "sign", "_")) name += `_${canonical(nested(cursor, () => parseAtom(cursor)))}`;
    else return name;
  }
}

function parseApplication(cursor: Cursor, name: string): Node {
  take(cursor);
  const inside = parseList(cursor);
  expectToken(cursor, "close", ")");
  return { kind: "apply", name, args: inside.kind === "list" ? inside.items : [inside] };
}

/** Brackets of all sorts, the first of which has been taken. */
function parseBracket(cursor: Cursor, open: string): Node {
  const { bars, inBuilder } = cursor;
  cursor.bars = 0;
  cursor.inBuilder = false;
  const node = open === "{" ? parseGroup(cursor) : open === "\\{" ? parseSet(cursor) : parsePlainBracket(cursor, open);
  cursor.bars = bars;
  cursor.inBuilder = inBuilder;
  return node;
}

/** `{…}` with `\over` and `\choose` inside. */
function parseGroup(cursor: Cursor): Node {
  const node = parseWithOver(cursor);
  expectToken(cursor, "close", "}");
  return node;
}

function parseSet(cursor: Cursor): Node {
  if (accept(cursor, "close", "\\}")) return { kind: "set", items: [] };
  cursor.inBuilder = true;
  const inside = parseList(cursor);
  cursor.inBuilder = false;
  if (accept(cursor, "sign", ":") || accept(cursor, "sign", "|") || accept(cursor, "relation", "mid")) {
    const condition = parseList(cursor);
    expectToken(cursor, "close", "\\}");
    return { kind: "builder", element: inside, condition };
  }
  expectToken(cursor, "close", "\\}");
  return { kind: "set", items: inside.kind === "list" ? inside.items : [inside] };
}

/** Round, square and pointed brackets, floor and ceiling. */
function parsePlainBracket(cursor: Cursor, open: string): Node {
  const inside = parseList(cursor);
  const close = take(cursor);
  if (close.kind !== "close") throw new Unreadable(`${open} is not closed`);
  if (open === "lfloor" || open === "lceil") {
    if (close.text !== open.replace("l", "r")) throw new Unreadable(`\\${open} is not closed`);
    return { kind: "call", name: open === "lfloor" ? "floor" : "ceil", args: [inside] };
  }
  if (open === "langle" && close.text === "rangle")
    return { kind: "bracket", open: "(", close: ")", items: inside.kind === "list" ? inside.items : [inside] };
  if (close.text !== ")" && close.text !== "]") throw new Unreadable(`${open} is closed by ${close.text}`);
  if (inside.kind !== "list" || inside.separators.some((separator) => separator === "and" || separator === "or")) {
    if ((open === "(") !== (close.text === ")")) throw new Unreadable(`${open} is closed by ${close.text}`);
    if (open === "(" && inside.kind === "number" && accept(cursor, "sign", "_"))
      return based(canonical(inside), parseTextNumber(cursor));
    return inside;
  }
  return { kind: "bracket", open, close: close.text, items: inside.items };
}

/** `|x|`, the first bar of which has been taken. */
function parseBars(cursor: Cursor): Node {
  cursor.bars++;
  const inside = parseSum(cursor);
  expectToken(cursor, "sign", "|");
  cursor.bars--;
  return { kind: "call", name: "abs", args: [inside] };
}

/** The argument of a command: braces, or one sign; a number without braces gives its first digit. */
export function parseArgument(cursor: Cursor): Node {
  const token = peek(cursor);
  if (token.kind === "number" && /^\d{2,}$/.test(token.text)) {
    cursor.tokens[cursor.at] = { ...token, text: token.text.slice(1), spaced: false };
    return numberNode(token.text[0]!);
  }
  if (accept(cursor, "sign", "-")) return { kind: "negative", of: parseArgument(cursor) };
  if (token.kind === "number") {
    take(cursor);
    return numberNode(token.text, token.digits);
  }
  return parseAtom(cursor);
}
