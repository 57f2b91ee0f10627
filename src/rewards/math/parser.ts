import { parseArgument, parseAtom, startsAtom } from "./atoms.ts";
import { type Budget, LIMITS, Unreadable } from "./budget.ts";
import { accept, type Cursor, cursorOf, describe, expectToken, isAt, nested, peek, take } from "./cursor.ts";
import type { Node } from "./nodes.ts";
import { numberNode } from "./number-node.ts";
import type { Reading } from "./scan.ts";
import { tokenize } from "./tokens.ts";

/**
 * Reads LaTeX or plain text as mathematics.
 * @throws Unreadable saying what was not understood
 */
export function parse(text: string, reading: Reading, budget: Budget): Node {
  const cursor = cursorOf(tokenize(text, reading, budget), budget);
  const node = parseWithOver(cursor);
  if (!isAt(cursor, "end")) throw new Unreadable(`${describe(peek(cursor))} was not expected`);
  return node;
}

/** A list, or two with `\over` or `\choose` between them. */
export function parseWithOver(cursor: Cursor): Node {
  const left = parseList(cursor);
  const isOver = accept(cursor, "command", "over");
  if (!isOver && !accept(cursor, "command", "choose")) return left;
  const right = parseList(cursor);
  return isOver
    ? { kind: "quotient", above: left, below: right }
    : { kind: "call", name: "binom", args: [left, right] };
}

/** Things side by side: `1, 2`, `x = 3 or x = 14`, `p = 5, q = 2; p = 7, q = 2`. */
export function parseList(cursor: Cursor): Node {
  return nested(cursor, () => {
    const items: Node[] = [];
    const separators: string[] = [];
    while (isSeparator(cursor)) take(cursor); // "or 5"
    for (;;) {
      items.push(parseRelation(cursor));
      if (items.length > LIMITS.elements) throw new Unreadable(`it has more than ${LIMITS.elements} elements`);
      let separator: string | null = null;
      while (isSeparator(cursor)) {
        const { text, weak } = take(cursor);
        if (separator === null || separator === "," || weak === undefined) separator = text === "\\\\" ? "," : text;
      }
      if (separator === null || endsList(cursor)) break;
      separators.push(separator);
    }
    return grouped(items, separators);
  });
}

function isSeparator(cursor: Cursor): boolean {
  return peek(cursor).kind === "separator" || isAt(cursor, "sign", "\\\\");
}

function endsList(cursor: Cursor): boolean {
  const { kind, text } = peek(cursor);
  return kind === "end" || kind === "close" || text === "&" || (kind === "command" && text === "end");
}

/** Semicolons part a list that has commas, too. */
function grouped(items: readonly Node[], separators: readonly string[]): Node {
  if (items.length === 1) return items[0]!;
  if (!separators.includes(";") || separators.every((separator) => separator === ";"))
    return { kind: "list", items, separators };
  const groups: Node[] = [];
  let start = 0;
  for (let i = 0; i <= separators.length; i++) {
    if (i < separators.length && separators[i] !== ";") continue;
    groups.push(grouped(items.slice(start, i + 1), separators.slice(start, i)));
    start = i + 1;
  }
  return { kind: "list", items: groups, separators: groups.slice(1).map(() => ";") };
}

/** `a < b ≤ c`, `x = 5`, `> 5`, or what stands without a sign of relation. */
function parseRelation(cursor: Cursor): Node {
  const items: Node[] = [isRelation(cursor) ? { kind: "hole" } : parseRatio(cursor)];
  const signs: string[] = [];
  while (isRelation(cursor)) {
    const { text } = take(cursor);
    if (isAt(cursor, "relation", "=") && text !== "=") take(cursor); // "< ="
    signs.push(text);
    items.push(parseRatio(cursor));
  }
  const modulus = parseModulus(cursor);
  if (modulus) {
    items.push(modulus);
    signs.push("mod");
  }
  return signs.length === 0 ? items[0]! : { kind: "relation", items, signs };
}

/** `\pmod{7}`, `(\bmod 7)`, `(mod 7)` behind a congruence. */
function parseModulus(cursor: Cursor): Node | null {
  if (accept(cursor, "command", "pmod") || accept(cursor, "command", "pod")) return parseArgument(cursor);
  if (!isAt(cursor, "open", "(") || !isAt(cursor, "command", "bmod", 1)) return null;
  cursor.at += 2;
  const modulus = parseSum(cursor);
  expectToken(cursor, "close", ")");
  return modulus;
}

function isRelation(cursor: Cursor): boolean {
  const { kind, text } = peek(cursor);
  return kind === "relation" && !(cursor.inBuilder && text === "mid");
}

/** `4 : 8` */
function parseRatio(cursor: Cursor): Node {
  const start = cursor.at;
  const parts = [parseSetOperations(cursor)];
  while (!cursor.inBuilder && (accept(cursor, "sign", ":") || accept(cursor, "word", "to")))
    parts.push(parseSetOperations(cursor));
  if (parts.length === 1) return parts[0]!;
  const written = cursor.tokens.slice(start, cursor.at).map(({ text }) => text);
  return { kind: "ratio", parts, written: written.join("") };
}

function parseSetOperations(cursor: Cursor): Node {
  let left = parseSum(cursor);
  for (;;) {
    const { kind, text } = peek(cursor);
    if (kind !== "sign" || (text !== "union" && text !== "intersection" && text !== "minus")) return left;
    take(cursor);
    left = { kind: "set-operation", op: text, left, right: parseSum(cursor) };
  }
}

/** Terms with + and −, and ±. */
export function parseSum(cursor: Cursor): Node {
  let terms: Node[] = [parseSigned(cursor)];
  for (;;) {
    const { kind, text } = peek(cursor);
    if (kind !== "sign" || !"+-pmmp".includes(text) || text === "p") break;
    if (text === "+" || text === "-") {
      take(cursor);
      const term = parseSigned(cursor);
      terms.push(text === "-" ? { kind: "negative", of: term } : term);
    } else if (text === "pm" || text === "mp") {
      take(cursor);
      terms = [{ kind: "plus-minus", sign: text === "pm" ? 1 : -1, left: sumOf(terms), right: parseSigned(cursor) }];
    } else break;
  }
  return sumOf(terms);
}

function sumOf(terms: readonly Node[]): Node {
  return terms.length === 1 ? terms[0]! : { kind: "sum", terms };
}

/** A term with signs before it. An even number of minus signs is none. */
function parseSigned(cursor: Cursor): Node {
  let isNegative = false;
  for (;;) {
    if (accept(cursor, "sign", "-")) isNegative = !isNegative;
    else if (!accept(cursor, "sign", "+")) break;
  }
  const { kind, text } = peek(cursor);
  let node: Node;
  if (kind === "sign" && (text === "pm" || text === "mp")) {
    take(cursor);
    node = { kind: "plus-minus", sign: text === "pm" ? 1 : -1, left: null, right: parseProduct(cursor) };
  } else node = parseProduct(cursor);
  return isNegative ? { kind: "negative", of: node } : node;
}

/** Factors with ·, / or side by side. */
export function parseProduct(cursor: Cursor): Node {
  let factors: Node[] = [parsePower(cursor)];
  for (;;) {
    if (accept(cursor, "sign", "*")) factors.push(parseFactor(cursor));
    else if (accept(cursor, "sign", "/"))
      factors = [{ kind: "quotient", above: productOf(factors), below: parseFactor(cursor) }];
    else if (accept(cursor, "command", "bmod") || accept(cursor, "command", "mod"))
      factors = [{ kind: "call", name: "mod", args: [productOf(factors), parseFactor(cursor)] }];
    else if (startsAtom(cursor)) {
      if (peek(cursor).kind === "number" && cursor.tokens[cursor.at - 1]?.kind === "number")
        throw new Unreadable("two numbers stand side by side");
      factors.push(parsePower(cursor));
    } else return productOf(factors);
    if (factors.length > LIMITS.tokens) throw new Unreadable("it has too many factors");
  }
}

export function productOf(factors: readonly Node[]): Node {
  return factors.length === 1 ? factors[0]! : { kind: "product", factors };
}

/** A factor after an explicit sign: it may have its own minus, as in `2 · −3`. */
function parseFactor(cursor: Cursor): Node {
  if (accept(cursor, "sign", "-")) return { kind: "negative", of: parsePower(cursor) };
  accept(cursor, "sign", "+");
  return parsePower(cursor);
}

/** An atom and what is written behind it: powers, !, %, °. */
export function parsePower(cursor: Cursor): Node {
  let node = parseAtom(cursor);
  for (;;) {
    const { kind, text } = peek(cursor);
    if (kind !== "sign") return node;
    if (text === "^") node = parseRaised(cursor, node);
    else if (text === "!") node = parseFactorial(cursor, node);
    else if (text === "%") {
      take(cursor);
      node = { kind: "percent", of: node };
    } else if (text === "deg") {
      take(cursor);
      node = { kind: "degree", of: node };
    } else if (text === "money" && endsAfter(cursor)) {
      take(cursor); // 58$
      node = { kind: "money", sign: "$", of: node };
    } else if ("€£¥₹¢".includes(text)) {
      take(cursor);
      node = { kind: "money", sign: text, of: node };
    } else return node;
  }
}

function endsAfter(cursor: Cursor): boolean {
  const { kind } = peek(cursor, 1);
  return kind === "end" || kind === "separator" || kind === "close";
}

function parseFactorial(cursor: Cursor, of: Node): Node {
  let count = 0;
  while (accept(cursor, "sign", "!")) count++;
  return { kind: "call", name: "factorial", args: count === 1 ? [of] : [of, numberNode(String(count))] };
}

/** `^2`, `^{x+1}`, `^-1`, `^\circ`, `^T`. Towers are read from the right. */
function parseRaised(cursor: Cursor, base: Node): Node {
  take(cursor);
  if (accept(cursor, "sign", "deg")) return { kind: "degree", of: base };
  if (isAt(cursor, "open", "{") && isAt(cursor, "sign", "deg", 1) && isAt(cursor, "close", "}", 2)) {
    cursor.at += 3;
    return { kind: "degree", of: base };
  }
  return nested(cursor, () => {
    const isNegative = accept(cursor, "sign", "-");
    const exponent = isAt(cursor, "sign", "+") ? parseSigned(cursor) : parseTower(cursor);
    return { kind: "power", base, exponent: isNegative ? { kind: "negative", of: exponent } : exponent };
  });
}

function parseTower(cursor: Cursor): Node {
  const atom = parseAtom(cursor);
  return isAt(cursor, "sign", "^") ? parseRaised(cursor, atom) : atom;
}
