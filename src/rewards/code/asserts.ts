import { LiteralReader } from "./literal.ts";
import type { CodeLanguage, FunctionCall, Wire } from "./types.ts";

/** A call and what it must return. */
export interface ExpectedCall {
  readonly call: FunctionCall;
  readonly expected: Wire;
}

/** Ways to write the comparison: what stands before the call, between it and the literal, and after. */
const FORMS: Record<
  CodeLanguage,
  readonly { readonly before: RegExp; readonly between: readonly string[]; readonly close: string }[]
> = {
  python: [
    { before: /^assert\s*\(/, between: ["==", "is"], close: ")" },
    { before: /^assert\s+/, between: ["==", "is"], close: "" },
  ],
  javascript: [
    { before: /^(?:console\.)?assert(?:\.ok)?\s*\(/, between: ["===", "=="], close: ")" },
    { before: /^assert\.(?:equal|strictEqual|deepEqual|deepStrictEqual)\s*\(/, between: [","], close: ")" },
  ],
};

/**
 * Reads `assert f(1, [2]) == 3`, `assert.equal(f(1), 2)` and the like as a call with literal arguments and a literal result, so that the result
 * can be compared outside of the sandbox. `assert f(1)` and `assert not f(1)` expect True and False.
 * @returns null when the line is of no such form
 */
export function parseAssert(line: string, language: CodeLanguage): ExpectedCall | null {
  const text = line.trim();
  for (const form of FORMS[language]) {
    const before = form.before.exec(text)?.[0];
    if (before === undefined) continue;
    try {
      return read(new LiteralReader(text, language, before.length), form.between, form.close);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return null;
}

function read(reader: LiteralReader, between: readonly string[], close: string): ExpectedCall {
  const negated = reader.take("not ") || (close === ")" && reader.take("!"));
  const call = readCall(reader);
  let expected: Wire = !negated;
  if (between.some((sign) => reader.take(sign))) {
    if (negated) throw new SyntaxError("a negated comparison");
    expected = reader.value();
  }
  skipMessage(reader, close);
  return { call, expected };
}

function readCall(reader: LiteralReader): FunctionCall {
  reader.blanks();
  const name = /^[A-Za-z_$][\w$]*(?:(?:\(\))?\.[A-Za-z_$][\w$]*)*/.exec(
    reader.text.slice(reader.at, reader.at + 200),
  )?.[0];
  if (name === undefined) throw new SyntaxError("no call");
  reader.at += name.length;
  if (!reader.take("(")) throw new SyntaxError("no call");
  return { name: name.replaceAll("()", "").replace(/^new\s+/, ""), args: reader.list(")", 0).items };
}

/** After the comparison: an optional message, the closing bracket, a comment. */
function skipMessage(reader: LiteralReader, close: string): void {
  if (reader.take(",")) {
    reader.blanks();
    if (!reader.text.startsWith(close, reader.at) || close === "") reader.value();
  }
  if (close !== "" && !reader.take(close)) throw new SyntaxError("no closing bracket");
  reader.take(";");
  if (close === ")" && reader.take(",")) reader.value();
  const rest = reader.text.slice(reader.at).trim();
  if (rest !== "" && !/^(#|\/\/)/.test(rest)) throw new SyntaxError("more follows");
}
