import type { CodeLanguage, Wire } from "./types.ts";

/** Deepest nesting that is read. */
const MAX_DEPTH = 64;
const MAX_CODE_POINT = 0x10ffff;
const WORDS: Record<CodeLanguage, Readonly<Record<string, Wire>>> = {
  python: { None: null, True: true, False: false },
  javascript: { null: null, undefined: null, true: true, false: false, NaN: { n: "nan" }, Infinity: { n: "inf" } },
};
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ["b", "\b"],
  ["f", "\f"],
  ["v", "\v"],
  ["\n", ""],
  ["\\", "\\"],
  ["'", "'"],
  ['"', '"'],
  ["`", "`"],
]);
/** Escapes with a code of so many hexadecimal digits. */
const HEX: Record<CodeLanguage, ReadonlyMap<string, number>> = {
  python: new Map([
    ["x", 2],
    ["u", 4],
    ["U", 8],
  ]),
  javascript: new Map([
    ["x", 2],
    ["u", 4],
  ]),
};

/** Reads literals of a language from a text, from `at` on: numbers, strings, lists, tuples, sets, dictionaries, objects. Nothing is run. */
export class LiteralReader {
  readonly text: string;
  at: number;
  readonly #language: CodeLanguage;

  constructor(text: string, language: CodeLanguage, at = 0) {
    this.text = text;
    this.#language = language;
    this.at = at;
  }

  /** @throws SyntaxError where no literal stands */
  value(depth = 0): Wire {
    if (depth > MAX_DEPTH) throw new SyntaxError("nested too deeply");
    this.blanks();
    const c = this.text[this.at];
    if (c === "[") return this.#items("[", "]", depth);
    if (c === "(" && this.#language === "python") return this.#parenthesised(depth);
    if (c === "{") return this.#braced(depth);
    if (c === '"' || c === "'" || (c === "`" && this.#language === "javascript")) return this.#strings();
    return this.#number() ?? this.#word();
  }

  blanks(): void {
    while (/\s/.test(this.text[this.at] ?? "")) this.at++;
  }

  /** Takes a text if it stands here, after blanks. */
  take(expected: string): boolean {
    this.blanks();
    if (!this.text.startsWith(expected, this.at)) return false;
    this.at += expected.length;
    return true;
  }

  /** Values between brackets, with an optional comma at the end. */
  list(close: string, depth: number): { items: Wire[]; commas: number } {
    const items: Wire[] = [];
    let commas = 0;
    while (!this.take(close)) {
      if (items.length > commas) throw new SyntaxError(`a comma or ${close} is missing`);
      items.push(this.value(depth + 1));
      if (this.take(",")) commas++;
    }
    return { items, commas };
  }

  #items(open: string, close: string, depth: number): Wire[] {
    this.take(open);
    return this.list(close, depth).items;
  }

  #parenthesised(depth: number): Wire {
    this.take("(");
    const { items, commas } = this.list(")", depth);
    return items.length === 1 && commas === 0 ? items[0]! : { t: items };
  }

  #braced(depth: number): Wire {
    this.take("{");
    const pairs: [Wire, Wire][] = [];
    const members: Wire[] = [];
    while (!this.take("}")) {
      const key = this.#language === "javascript" ? this.#key(depth) : this.value(depth + 1);
      if (this.take(":")) pairs.push([key, this.value(depth + 1)]);
      else members.push(key);
      if (!this.take(",") && !this.text.slice(this.at).trimStart().startsWith("}"))
        throw new SyntaxError("a comma or } is missing");
    }
    if (members.length > 0 && (pairs.length > 0 || this.#language === "javascript"))
      throw new SyntaxError("a key has no value");
    return members.length > 0 ? { s: members } : { d: pairs };
  }

  #key(depth: number): Wire {
    this.blanks();
    const name = /^[A-Za-z_$][\w$]*/.exec(this.text.slice(this.at, this.at + 200))?.[0];
    if (name === undefined) {
      const key = this.value(depth + 1);
      return typeof key === "number" ? String(key) : key;
    }
    this.at += name.length;
    return name;
  }

  #strings(): string {
    let text = this.#string();
    // adjacent strings are one in Python
    for (this.blanks(); this.#language === "python" && /["']/.test(this.text[this.at] ?? ""); this.blanks())
      text += this.#string();
    return text;
  }

  #string(): string {
    const quote = this.text[this.at]!;
    let result = "";
    for (this.at++; this.text[this.at] !== quote; this.at++) {
      const c = this.text[this.at];
      if (c === undefined || c === "\n") throw new SyntaxError("a string does not end");
      if (quote === "`" && this.text.startsWith("${", this.at)) throw new SyntaxError("a template is no literal");
      result += c === "\\" ? this.#escape() : c;
    }
    this.at++;
    return result;
  }

  #escape(): string {
    const c = this.text[++this.at] ?? "";
    const digits = HEX[this.#language].get(c);
    if (digits !== undefined) return this.#coded(this.text.slice(this.at + 1, this.at + 1 + digits), digits);
    const isPython = this.#language === "python";
    const octal = /^[0-7]{1,3}/.exec(this.text.slice(this.at, this.at + 3))?.[0];
    if (octal !== undefined && (isPython || octal === "0")) {
      this.at += octal.length - 1;
      return String.fromCharCode(Number.parseInt(octal, 8));
    }
    if (octal !== undefined || (isPython && c === "N"))
      throw new SyntaxError("a string has an escape that is not read");
    if (isPython && c === "a") return "\x07";
    return ESCAPES.get(c) ?? (isPython ? `\\${c}` : c);
  }

  #coded(hex: string, digits: number): string {
    const code = Number.parseInt(hex, 16);
    if (!/^[\da-fA-F]+$/.test(hex) || hex.length < digits || code > MAX_CODE_POINT)
      throw new SyntaxError("a string has a broken escape");
    this.at += digits;
    return String.fromCodePoint(code);
  }

  #number(): Wire | undefined {
    const match = /^([+-]?\s*)(\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)(n?)/.exec(
      this.text.slice(this.at, this.at + 2000),
    );
    if (!match || (match[3] && this.#language === "python")) return undefined;
    this.at += match[0].length;
    const digits = `${match[1]!.startsWith("-") ? "-" : ""}${match[2]!.replaceAll("_", "")}`;
    const value = Number(digits);
    const isWhole = /^-?\d+$/.test(digits);
    if (isWhole && !Number.isSafeInteger(value) && (this.#language === "python" || match[3])) return { i: digits };
    if (match[3]) return { i: digits };
    return !isWhole && Number.isInteger(value) && this.#language === "python" ? { f: String(value) } : value;
  }

  #word(): Wire {
    const sign = this.take("-");
    const word = /^[A-Za-z_$][\w$]*/.exec(this.text.slice(this.at, this.at + 200))?.[0] ?? "";
    const value = Object.hasOwn(WORDS[this.#language], word) ? WORDS[this.#language][word]! : undefined;
    const isNumber = typeof value === "object" && value !== null && "n" in value;
    if (word === "set" && /^set\(\s*\)/.test(this.text.slice(this.at, this.at + 50)) && this.#language === "python") {
      this.at = this.text.indexOf(")", this.at) + 1;
      return { s: [] };
    }
    if (value === undefined || (sign && !isNumber))
      throw new SyntaxError(`no literal stands at ${JSON.stringify(this.text.slice(this.at, this.at + 20))}`);
    this.at += word.length;
    return sign && word === "Infinity" ? { n: "-inf" } : value;
  }
}
