/** An object that the JVM holds for us until it is freed. */
export interface JavaReference {
  readonly kind: "object" | "list" | "map" | "set" | "array" | "iterator";
  readonly id: string;
}

/** What an argument may be. A whole number is an int (a long when it is too big), any other number a double. */
export type JavaArgument =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | JavaReference
  | { readonly double: number };

/** What a reply may hold; `undefined` is void. A long that a number can't hold is a bigint, a BigDecimal is its text. */
export type JavaValue = string | number | bigint | boolean | null | undefined | Uint8Array | JavaReference;

const KINDS: Readonly<Record<string, JavaReference["kind"]>> = {
  r: "object",
  l: "list",
  a: "map",
  h: "set",
  t: "array",
  g: "iterator",
};

/** A text on one line: a backslash before backslash, CR and LF. */
export function escapeText(text: string): string {
  return text.replace(/[\\\r\n]/g, (sign) => (sign === "\\" ? "\\\\" : sign === "\r" ? "\\r" : "\\n"));
}

/** Reads what {@link escapeText} wrote. */
export function unescapeText(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\([\s\S])/g, (_, sign: string) => (sign === "n" ? "\n" : sign === "r" ? "\r" : sign));
}

/** One argument as the protocol writes it: a letter for the type and a text. */
export function encodeArgument(value: JavaArgument): string {
  if (value === null) return "n";
  if (typeof value === "string") return `s${escapeText(value)}`;
  if (typeof value === "boolean") return `b${value}`;
  if (typeof value === "bigint") return `L${value}`;
  if (typeof value === "number") return Number.isSafeInteger(value) ? `i${value}` : `d${value}`;
  if (value instanceof Uint8Array) return `j${Buffer.from(value).toString("base64")}`;
  return "double" in value ? `d${value.double}` : `r${value.id}`;
}

/** Reads the value of a reply, its letter first. @throws SyntaxError when it is none */
export function decodeValue(text: string): JavaValue {
  const rest = text.slice(1);
  switch (text[0]) {
    case "v":
      return undefined;
    case "n":
      return null;
    case "s":
      return unescapeText(rest);
    case "b":
      if (!/^(true|false)$/i.test(rest)) throw new SyntaxError("a boolean is true or false");
      return rest.toLowerCase() === "true";
    case "i":
    case "L":
      return decodeInteger(rest);
    case "d":
      return decodeDouble(rest);
    case "D":
      return rest;
    case "j":
      return Buffer.from(rest, "base64");
    default:
      return decodeReference(text);
  }
}

function decodeInteger(text: string): number | bigint {
  if (!/^-?\d+$/.test(text)) throw new SyntaxError("an integer has digits only");
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

function decodeDouble(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || (Number.isNaN(value) && text !== "NaN")) throw new SyntaxError("a double is a number");
  return value;
}

function decodeReference(text: string): JavaReference {
  const kind = KINDS[text[0] ?? ""];
  if (!kind) throw new SyntaxError("no type of value has this letter");
  if (text.length === 1) throw new SyntaxError("a reference has an id");
  return { kind, id: text.slice(1) };
}
