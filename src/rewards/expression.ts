import {
  add,
  divide,
  equals,
  formatRational,
  multiply,
  negate,
  type Rational,
  rational,
  reduce,
} from "../utils/rational.ts";
import type { Verdict } from "./types.ts";
import { correct, unparseable, wrong } from "./verdicts.ts";

/** What an expression says: its exact value in lowest terms and the numbers written in it, in their order. */
export interface Evaluated {
  readonly value: Rational;
  readonly numbers: readonly bigint[];
}

/** Why a text has no value. A division by zero is an expression all the same. */
export interface Problem {
  readonly problem: string;
  readonly kind: "syntax" | "division-by-zero";
}

/** Longest text that is read. Values grow with the text only (there are no powers), so this bounds time and memory. */
const MAX_LENGTH = 2000;

/** Other ways to write the four signs. */
const SIGNS: Readonly<Record<string, string>> = {
  "−": "-",
  "×": "*",
  "·": "*",
  "⋅": "*",
  "∗": "*",
  "÷": "/",
  "∕": "/",
};
const PRECEDENCE: Readonly<Record<string, number>> = { "+": 1, "-": 1, "*": 2, "/": 2, negate: 3 };

/**
 * Works out an expression of whole numbers, + − × ÷ and round brackets over exact fractions. A minus may open an expression or a bracket.
 * There are no powers, no names, no products without a sign. Reads at most 2,000 characters, without recursion.
 */
export function evaluateExpression(text: string): Evaluated | Problem {
  if (text.length > MAX_LENGTH) return syntax(`is longer than ${MAX_LENGTH.toLocaleString("en")} characters`);
  const tokens = tokenize(text);
  if (!Array.isArray(tokens)) return tokens;
  return evaluate(tokens);
}

type Token = bigint | string;

const TOKEN = /[ \t\r\n]*(?:([0-9]+)|([-+*/()−×·⋅∗÷∕]))/y;

function tokenize(text: string): Token[] | Problem {
  const trimmed = text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  if (trimmed === "") return syntax("is empty");
  const tokens: Token[] = [];
  const scanner = new RegExp(TOKEN);
  while (scanner.lastIndex < trimmed.length) {
    const at = scanner.lastIndex;
    const match = scanner.exec(trimmed);
    if (!match)
      return syntax(`${JSON.stringify(trimmed.slice(at).trimStart().slice(0, 12))} is no number, sign or bracket`);
    tokens.push(match[1] === undefined ? (SIGNS[match[2]!] ?? match[2]!) : BigInt(match[1]));
  }
  return tokens;
}

/** Dijkstra's two stacks: values and signs that wait. */
function evaluate(tokens: readonly Token[]): Evaluated | Problem {
  const values: Rational[] = [];
  const waiting: string[] = [];
  const numbers: bigint[] = [];
  let wantsValue = true;
  let problem: Problem | null = null;
  const settle = (least: number): void => {
    while (problem === null && waiting.length > 0 && (PRECEDENCE[waiting.at(-1)!] ?? 0) >= least) {
      problem = apply(waiting.pop()!, values);
    }
  };
  let previous: Token = "(";
  for (const token of tokens) {
    if (typeof token === "bigint" || token === "(") {
      if (!wantsValue) return syntax(`there is no sign before ${token}`);
      if (token === "(") waiting.push(token);
      else {
        values.push(rational(token));
        numbers.push(token);
        wantsValue = false;
      }
    } else if (wantsValue) {
      if (token !== "-" || previous !== "(") return syntax(`a number is missing before ${token}`);
      waiting.push("negate");
    } else if (token === ")") {
      settle(1);
      if (waiting.pop() !== "(" && problem === null) return syntax("a ) has no (");
    } else {
      settle(PRECEDENCE[token]!);
      waiting.push(token);
      wantsValue = true;
    }
    if (problem !== null) return problem;
    previous = token;
  }
  if (wantsValue) return syntax("ends where a number is due");
  settle(1);
  if (problem !== null) return problem;
  if (waiting.length > 0) return syntax("a ( has no )");
  return { value: reduce(values[0]!), numbers };
}

/** Applies one sign to the top of the stack. */
function apply(sign: string, values: Rational[]): Problem | null {
  const right = values.pop()!;
  if (sign === "negate") {
    values.push(negate(right));
    return null;
  }
  const left = values.pop()!;
  const result =
    sign === "+"
      ? add(left, right)
      : sign === "-"
        ? add(left, negate(right))
        : sign === "*"
          ? multiply(left, right)
          : divide(left, right);
  if (result === null) return { problem: "divides by zero", kind: "division-by-zero" };
  values.push(result);
  return null;
}

function syntax(problem: string): Problem {
  return { problem, kind: "syntax" };
}

/** Judges an expression: every given number exactly once, and the target as its value. What is not an expression is unparseable. */
export function judgeExpression(text: string, numbers: readonly number[], target: number): Verdict {
  const result = evaluateExpression(text);
  const shown = text.trim().slice(0, 200);
  if ("problem" in result) {
    return result.kind === "syntax"
      ? unparseable(`not an arithmetic expression: ${result.problem}`)
      : wrong(result.problem, shown);
  }
  const left = numbers.map(BigInt);
  for (const number of result.numbers) {
    const at = left.indexOf(number);
    if (at < 0) {
      const isGiven = numbers.some((given) => BigInt(given) === number);
      return wrong(
        `${brief(number)} is ${isGiven ? "used more often than it is given" : "not one of the numbers"}`,
        shown,
      );
    }
    left.splice(at, 1);
  }
  if (left.length > 0) return wrong(`${left.join(", ")} ${left.length > 1 ? "are" : "is"} not used`, shown);
  return equals(result.value, rational(target))
    ? correct(`makes ${target}`, shown)
    : wrong(`makes ${formatRational(result.value)}, not ${target}`, shown);
}

function brief(number: bigint): string {
  const text = String(number);
  return text.length > 24 ? `${text.slice(0, 20)}… (${text.length} digits)` : text;
}
