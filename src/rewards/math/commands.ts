import { parseArgument, parseAtom, startsAtom, withSubscript } from "./atoms.ts";
import { Unreadable } from "./budget.ts";
import { accept, type Cursor, expectToken, isAt, nested, peek, take } from "./cursor.ts";
import { parseMatrix } from "./matrix-syntax.ts";
import { ACCENTS, FUNCTIONS, GREEK, INVERSES, TRANSPARENT } from "./names.ts";
import { canonical, type Node, variablesOf, wholeNode } from "./nodes.ts";
import { parseList, parsePower, parseProduct, productOf } from "./parser.ts";

const NUMBER_SETS = new Set(["R", "Z", "N", "Q", "C"]);
const FRACTIONS = new Set(["frac", "dfrac", "tfrac", "cfrac"]);
const BINOMIALS = new Set(["binom", "dbinom", "tbinom"]);
const PREFIX_NAMES = new Set(["angle", "triangle", "measuredangle"]);
/** Commands that start no factor. */
const NO_FACTOR = new Set(["over", "choose", "end", "pmod", "bmod", "mod", "pod", "hline"]);

/** Whether a factor can start with this command. */
export function startsCommand(name: string): boolean {
  return !NO_FACTOR.has(name);
}

/** A command that has been taken, with its arguments. @throws Unreadable when it is not known */
export function parseCommand(cursor: Cursor, name: string): Node {
  if (FRACTIONS.has(name)) return { kind: "quotient", above: parseArgument(cursor), below: parseArgument(cursor) };
  if (BINOMIALS.has(name)) return { kind: "call", name: "binom", args: parsePair(cursor) };
  if (name === "sqrt" || name === "surd" || name === "cbrt") return parseRoot(cursor, name);
  if (name === "pi") return { kind: "constant", name: "pi" };
  if (name === "infty" || name === "infin") return { kind: "constant", name: "infinity" };
  if (name === "dots" || /^[lcdv]dots[cmbo]?$|^dots[cmbio]$/.test(name)) return { kind: "dots" };
  if (name === "emptyset" || name === "varnothing") return { kind: "set", items: [] };
  if (name === "mathbb" || name === "Bbb") return parseNumberSet(cursor);
  if (NUMBER_SETS.has(name) || name === "reals" || name === "Reals")
    return { kind: "number-set", name: name.length === 1 ? name : "R" };
  if (Object.hasOwn(FUNCTIONS, name)) return parseFunction(cursor, FUNCTIONS[name]!);
  if (name === "sum" || name === "prod") return parseBig(cursor, name === "sum" ? "sum" : "product");
  if (name === "begin") return parseMatrix(cursor);
  if (GREEK.has(name)) return { kind: "variable", name: withSubscript(cursor, `\\${name}`) };
  if (TRANSPARENT.has(name)) return parseArgument(cursor);
  if (ACCENTS.has(name))
    return { kind: "variable", name: withSubscript(cursor, `\\${name}{${canonical(parseArgument(cursor))}}`) };
  if (PREFIX_NAMES.has(name)) return parsePrefixName(cursor, name);
  throw new Unreadable(`\\${name.slice(0, 20)} is not known`);
}

/** Two arguments in braces, or in brackets as in `binom(5, 2)`. */
function parsePair(cursor: Cursor): readonly [Node, Node] {
  if (!isAt(cursor, "open", "(")) return [parseArgument(cursor), parseArgument(cursor)];
  const pair = parseAtom(cursor);
  if (pair.kind !== "bracket" || pair.items.length !== 2) throw new Unreadable("binom(n, k) has two arguments");
  return [pair.items[0]!, pair.items[1]!];
}

/** `\sqrt{x}`, `\sqrt[3]{x}`; `√12` and `sqrt(12)` take the whole number. */
function parseRoot(cursor: Cursor, name: string): Node {
  let degree: Node = wholeNode(name === "cbrt" ? 3 : 2);
  if (name === "sqrt" && accept(cursor, "open", "[")) {
    degree = parseList(cursor);
    expectToken(cursor, "close", "]");
  }
  const base = name === "sqrt" ? parseArgument(cursor) : parseAtom(cursor);
  return { kind: "power", base, exponent: { kind: "quotient", above: wholeNode(1), below: degree } };
}

function parseNumberSet(cursor: Cursor): Node {
  const argument = parseArgument(cursor);
  if (argument.kind !== "variable" || !NUMBER_SETS.has(argument.name))
    throw new Unreadable("\\mathbb stands before a letter that names no set of numbers");
  if (accept(cursor, "sign", "^")) {
    const power = canonical(nested(cursor, () => parseAtom(cursor)));
    return { kind: "number-set", name: `${argument.name}^${power}` };
  }
  return { kind: "number-set", name: argument.name };
}

/** `\sin^2 x`, `\log_2 8`, `\sin^{-1} x`, `\gcd(12, 18)`. */
function parseFunction(cursor: Cursor, name: string): Node {
  let base: Node | null = null;
  let exponent: Node | null = null;
  for (;;) {
    if (base === null && accept(cursor, "sign", "_")) base = parseArgument(cursor);
    else if (exponent === null && accept(cursor, "sign", "^"))
      exponent = isAt(cursor, "number") ? parseAtom(cursor) : parseArgument(cursor);
    else break;
  }
  if (
    exponent !== null &&
    canonical(exponent) === canonical({ kind: "negative", of: wholeNode(1) }) &&
    Object.hasOwn(INVERSES, name)
  )
    return call(INVERSES[name]!, parseFunctionArgument(cursor), null);
  const value = call(name, parseFunctionArgument(cursor), base);
  return exponent === null ? value : { kind: "power", base: value, exponent };
}

function call(name: string, argument: Node, base: Node | null): Node {
  if (name === "exp") return { kind: "power", base: { kind: "constant", name: "e" }, exponent: argument };
  const args =
    argument.kind === "bracket" && argument.open === "("
      ? argument.items
      : argument.kind === "set"
        ? argument.items
        : [argument];
  if (name === "log") return { kind: "call", name: "log", args: [...args, base ?? wholeNode(10)] };
  return { kind: "call", name, args: base === null ? args : [...args, base] };
}

/** What a function without brackets takes: the factors up to the next function, bracket or sign. */
function parseFunctionArgument(cursor: Cursor): Node {
  return nested(cursor, () => {
    if (accept(cursor, "sign", "-")) return { kind: "negative", of: parseFunctionArgument(cursor) };
    if (isAt(cursor, "open")) return parseAtom(cursor);
    const factors: Node[] = [parsePower(cursor)];
    while (startsAtom(cursor) && !stopsArgument(cursor)) factors.push(parsePower(cursor));
    const product = productOf(factors);
    if (isAt(cursor, "sign", "/") && isAt(cursor, "number", undefined, 1) && variablesOf(product).size === 0) {
      take(cursor); // cos π/3
      return { kind: "quotient", above: product, below: parsePower(cursor) };
    }
    return product;
  });
}

function stopsArgument(cursor: Cursor): boolean {
  const { kind, text } = peek(cursor);
  if (kind === "command") return Object.hasOwn(FUNCTIONS, text) || text === "begin" || text === "sum";
  return kind === "open" || kind === "word" || kind === "unit";
}

/** `\sum_{k=1}^{n} …` */
function parseBig(cursor: Cursor, op: "sum" | "product"): Node {
  let lower: Node | null = null;
  let to: Node | null = null;
  const variable = isAt(cursor, "open", "{", 1) ? peek(cursor, 2) : peek(cursor, 1);
  const isNew = variable.kind === "letter" && !cursor.bound.has(variable.text);
  if (variable.kind === "letter") cursor.bound.add(variable.text);
  while (isAt(cursor, "sign", "_") || isAt(cursor, "sign", "^")) {
    if (take(cursor).text === "_") lower = parseArgument(cursor);
    else to = isAt(cursor, "number") ? parseAtom(cursor) : parseArgument(cursor);
  }
  if (lower?.kind !== "relation" || lower.items[0]!.kind !== "variable" || lower.signs[0] !== "=" || !to)
    throw new Unreadable(`the bounds of the ${op} are not k = a to b`);
  const body = parseProduct(cursor);
  if (isNew) cursor.bound.delete(variable.text);
  return { kind: "big", op, variable: lower.items[0].name, from: lower.items[1]!, to, body };
}

/** `\angle ABC`: one name. */
function parsePrefixName(cursor: Cursor, prefix: string): Node {
  let name = `\\${prefix} `;
  while (isAt(cursor, "letter") || isAt(cursor, "word")) name += take(cursor).text;
  return { kind: "variable", name };
}
