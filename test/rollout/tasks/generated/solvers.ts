/** Solves generated problems from the text of their question alone, by other ways than the generators. Answers are read by the scorers. */

import type { FamilyName } from "../../../../src/rollout/tasks/generated/index.ts";
import {
  add,
  divide,
  formatRational,
  multiply,
  negate,
  type Rational,
  rational,
} from "../../../../src/utils/rational.ts";

/** The answer that a question asks for; null for countdown, which needs a search. */
export function solve(family: FamilyName, question: string): string | null {
  return SOLVERS[family](question);
}

const SOLVERS: Readonly<Record<FamilyName, (question: string) => string | null>> = {
  chain_sum: (question) => exactValue(between(question, "problem: ", " =")),
  decimal_chain_sum: (question) => decimalOf(between(question, "problem: ", " =")),
  products: (question) => exactValue(between(question, "multiplication: ", ". Give")),
  basic_arithmetic: (question) => exactValue(between(question, "Calculate ", ".")),
  gcd: (question) => String(largestDivisor(integers(between(question, "numbers: ", ".")))),
  lcm: (question) => String(smallestMultiple(integers(question))),
  count_bits: (question) => String(bits(integers(question)[1]!)),
  base_conversion: convert,
  fraction_simplification: simplify,
  prime_factorization: (question) => factor(integers(question)[0]!).join("×"),
  letter_counting: (question) => {
    const [, letter, text] = /letter "(.)" appear in the text: "([^"]*)"/.exec(question)!;
    return String(text!.toLowerCase().split(letter!).length - 1);
  },
  spell_backward: (question) => {
    let answer = "";
    for (const letter of question.slice(question.lastIndexOf(" ") + 1)) answer = letter + answer;
    return answer;
  },
  word_sorting: (question) =>
    sort(question.split("list: ")[1]!.trim().split(", "), question, (a, b) => a > b).join(","),
  number_sorting: (question) => {
    const numbers = between(question, "order: ", "\n").split(", ");
    return JSON.stringify(sort(numbers, question, (a, b) => Number(a) > Number(b)));
  },
  countdown: () => null,
  simple_equations: solveEquation,
};

function between(text: string, before: string, after: string): string {
  const start = text.indexOf(before) + before.length;
  return text.slice(start, text.indexOf(after, start));
}

function integers(text: string): number[] {
  return (text.match(/\d+/g) ?? []).map(Number);
}

function exactValue(expression: string): string {
  return formatRational(evaluate(expression));
}

/** A finite decimal, with as many places as it takes. */
function decimalOf(expression: string): string {
  const { numerator, denominator } = evaluate(expression);
  const scaled = (numerator * 10n ** 12n) / denominator;
  const digits = String(scaled < 0n ? -scaled : scaled).padStart(13, "0");
  return `${scaled < 0n ? "-" : ""}${digits.slice(0, -12)}.${digits.slice(-12)}`;
}

/** Exact value of an expression with signs before any operand, by recursive descent. @throws RangeError on a division by zero */
export function evaluate(expression: string): Rational {
  const tokens = expression.match(/\d+(?:\.\d+)?|[-+*/()]/g) ?? [];
  let at = 0;
  const sum = (): Rational => {
    let value = product();
    while (tokens[at] === "+" || tokens[at] === "-")
      value = tokens[at++] === "+" ? add(value, product()) : add(value, negate(product()));
    return value;
  };
  const product = (): Rational => {
    let value = operand();
    while (tokens[at] === "*" || tokens[at] === "/") {
      const next = tokens[at++] === "*" ? multiply(value, operand()) : divide(value, operand());
      if (!next) throw new RangeError(`${expression} divides by zero`);
      value = next;
    }
    return value;
  };
  const operand = (): Rational => {
    const token = tokens[at++]!;
    if (token === "-") return negate(operand());
    if (token !== "(") {
      const [whole, part = ""] = token.split(".");
      return rational(BigInt(whole! + part), 10n ** BigInt(part.length));
    }
    const value = sum();
    at++;
    return value;
  };
  const value = sum();
  if (at !== tokens.length) throw new RangeError(`${expression} goes on after its end`);
  return value;
}

function largestDivisor(numbers: readonly number[]): number {
  let divisor = Math.min(...numbers);
  while (!numbers.every((number) => number % divisor === 0)) divisor--;
  return divisor;
}

function smallestMultiple(numbers: readonly number[]): number {
  let multiple = 1;
  for (const number of numbers) {
    const step = multiple;
    while (multiple % number !== 0) multiple += step;
  }
  return multiple;
}

function bits(number: number): number {
  return number === 0 ? 0 : (number % 2) + bits(Math.floor(number / 2));
}

function convert(question: string): string {
  const [, from, digits, to] = /convert the (\S+) number (\w+) to (\S+)/.exec(question)!;
  const base = (name: string): number => ({ binary: 2, hexadecimal: 16 })[name] ?? Number(name.replace("base-", ""));
  let value = Number.parseInt(digits!, base(from!));
  let answer = "";
  do {
    answer = "0123456789abcdefghijklmnopqrstuvwxyz"[value % base(to!)] + answer;
    value = Math.floor(value / base(to!));
  } while (value > 0);
  return answer;
}

/** The smallest denominator that will do. */
function simplify(question: string): string {
  const [above, below] = integers(question) as [number, number];
  let denominator = 1;
  while ((above * denominator) % below !== 0) denominator++;
  return `${(above * denominator) / below}/${denominator}`;
}

function factor(number: number): number[] {
  for (let prime = 2; prime < number; prime++) if (number % prime === 0) return [prime, ...factor(number / prime)];
  return [number];
}

/** Bubble sort in the direction that the question names. */
function sort(items: readonly string[], question: string, isAfter: (a: string, b: string) => boolean): string[] {
  const sorted = [...items];
  for (let end = sorted.length - 1; end > 0; end--) {
    for (let i = 0; i < end; i++) {
      const [a, b] = [sorted[i]!, sorted[i + 1]!];
      if (isAfter(a, b)) [sorted[i], sorted[i + 1]] = [b, a];
    }
  }
  return question.includes(" in descending order") ? sorted.reverse() : sorted;
}

/** From the values at 0 and 1: a line has one root unless it is flat. */
function solveEquation(question: string): string | null {
  const [left, right] = question.split(": ")[1]!.split(" = ") as [string, string];
  const at = (x: number): bigint => evaluate(left.replace(/(?<![a-z])[a-z](?![a-z])/, `(${x})`)).numerator;
  const [start, slope] = [at(0), at(1) - at(0)];
  return slope === 0n ? null : formatRational(rational(BigInt(right) - start, slope));
}

/** Whether all numbers can be combined into the target: every pair, every operation, until one is left. */
export function canMake(numbers: readonly Rational[], target: Rational): boolean {
  if (numbers.length === 1)
    return numbers[0]!.numerator * target.denominator === target.numerator * numbers[0]!.denominator;
  for (let i = 0; i < numbers.length; i++) {
    for (let j = 0; j < numbers.length; j++) {
      if (i === j) continue;
      const rest = numbers.filter((_, k) => k !== i && k !== j);
      const [a, b] = [numbers[i]!, numbers[j]!];
      for (const value of [i < j ? add(a, b) : null, add(a, negate(b)), i < j ? multiply(a, b) : null, divide(a, b)]) {
        if (value && canMake([...rest, value], target)) return true;
      }
    }
  }
  return false;
}
