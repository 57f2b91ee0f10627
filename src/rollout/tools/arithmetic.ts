import {
  add,
  divide,
  equals,
  multiply,
  negate,
  parseDecimal,
  type Rational,
  rational,
  reduce,
} from "../../utils/rational.ts";
import { formatValue } from "./number-format.ts";

/** A number and whether it is what the expression says, to the last digit. */
export interface Value {
  readonly value: Rational;
  readonly isExact: boolean;
}

/** Longest expression, characters, and deepest brackets. */
const [MAX_LENGTH, MAX_DEPTH] = [1000, 50];
/** Largest value, bits of numerator or denominator: bounds time and memory. */
const MAX_BITS = 16_384;
/** Digits of roots that are no fractions. */
const ROOT_DIGITS = 30;

const TOKEN = /\s*(?:((?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?)|([a-z]+)|(\*\*|[-+*/%^(),−×·⋅÷]))/y;
const SIGNS: Readonly<Record<string, string>> = { "**": "^", "−": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/" };

/**
 * Works out an expression over exact fractions.
 * @returns the value as text: `7`, `0.125`, `7/3 ≈ 2.33333333333`, or `≈ …` where a root is no fraction
 * @throws RangeError that says what is wrong with it
 */
export function calculate(text: string): string {
  if (text.length > MAX_LENGTH) throw new RangeError(`the expression is longer than ${MAX_LENGTH} characters`);
  const reader = new Reader(tokenize(text));
  const value = sum(reader, 0);
  if (reader.peek() !== null) throw new RangeError(`${JSON.stringify(reader.peek())} is not expected here`);
  return formatValue(value);
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  const scanner = new RegExp(TOKEN);
  const trimmed = text.trimEnd();
  while (scanner.lastIndex < trimmed.length) {
    const at = scanner.lastIndex;
    const match = scanner.exec(trimmed);
    if (!match)
      throw new RangeError(
        `${JSON.stringify(trimmed.slice(at).trimStart().slice(0, 12))} is no number, sign or function`,
      );
    const token = match[1] ?? match[2] ?? match[3]!;
    tokens.push(Object.hasOwn(SIGNS, token) ? SIGNS[token]! : token);
  }
  return tokens;
}

class Reader {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  peek(): string | null {
    return this.#tokens[this.#at] ?? null;
  }

  next(): string | null {
    return this.#tokens[this.#at++] ?? null;
  }

  take(...tokens: readonly string[]): string | null {
    const token = this.peek();
    if (token === null || !tokens.includes(token)) return null;
    this.#at++;
    return token;
  }

  expect(token: string): void {
    if (this.take(token) === null) throw new RangeError(`${JSON.stringify(token)} is missing before ${this.#where()}`);
  }

  #where(): string {
    const token = this.peek();
    return token === null ? "the end" : JSON.stringify(token);
  }
}

function sum(reader: Reader, depth: number): Value {
  let left = product(reader, depth);
  for (let sign = reader.take("+", "-"); sign !== null; sign = reader.take("+", "-")) {
    const right = product(reader, depth);
    left = both(left, right, (a, b) => add(a, sign === "+" ? b : negate(b)));
  }
  return left;
}

function product(reader: Reader, depth: number): Value {
  let left = signed(reader, depth);
  for (let sign = reader.take("*", "/", "%"); sign !== null; sign = reader.take("*", "/", "%")) {
    const right = signed(reader, depth);
    const apply = { "*": multiply, "/": quotient, "%": remainder }[sign as "*" | "/" | "%"];
    left = both(left, right, apply);
  }
  return left;
}

function signed(reader: Reader, depth: number): Value {
  let isNegative = false;
  for (let sign = reader.take("+", "-"); sign !== null; sign = reader.take("+", "-"))
    isNegative = isNegative !== (sign === "-");
  return isNegative ? one(power(reader, depth), negate) : power(reader, depth);
}

/** Binds to the right and tighter than a sign before it: -2^2 = -4, 2^-1 = 0.5, 2^3^2 = 512. */
function power(reader: Reader, depth: number): Value {
  const base = primary(reader, depth);
  if (reader.take("^") === null) return base;
  return both(base, signed(reader, deeper(depth)), raise);
}

function primary(reader: Reader, depth: number): Value {
  const token = reader.next();
  if (token === null) throw new RangeError("the expression ends where a number is due");
  if (token === "(") {
    const value = sum(reader, deeper(depth));
    reader.expect(")");
    return value;
  }
  if (/^[a-z]/.test(token)) return call(token, reader, depth);
  const number = parseDecimal(token);
  if (number === null) throw new RangeError(`a number is missing before ${JSON.stringify(token)}`);
  return { value: bounded(number), isExact: true };
}

const FUNCTIONS: Readonly<Record<string, (values: readonly Value[]) => Value>> = {
  abs: ([x]) => one(x!, (a) => (a.numerator < 0n ? negate(a) : a)),
  floor: ([x]) => one(x!, floor),
  ceil: ([x]) => one(x!, (a) => negate(floor(negate(a)))),
  round: ([x]) => one(x!, (a) => floor(add(a, rational(1, 2)))),
  sqrt: ([x]) => root(x!),
  min: (values) => values.reduce((a, b) => (isLess(b.value, a.value) ? b : a)),
  max: (values) => values.reduce((a, b) => (isLess(a.value, b.value) ? b : a)),
};

function call(name: string, reader: Reader, depth: number): Value {
  const apply = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name]! : null;
  if (apply === null)
    throw new RangeError(
      `there is no function ${JSON.stringify(name)}; there are ${Object.keys(FUNCTIONS).join(", ")}`,
    );
  reader.expect("(");
  const values = [sum(reader, deeper(depth))];
  while (reader.take(",") !== null) values.push(sum(reader, deeper(depth)));
  reader.expect(")");
  if (values.length > 1 && name !== "min" && name !== "max") throw new RangeError(`${name} takes one number`);
  return apply(values);
}

function deeper(depth: number): number {
  if (depth >= MAX_DEPTH) throw new RangeError(`the expression is nested deeper than ${MAX_DEPTH} brackets`);
  return depth + 1;
}

function one(x: Value, apply: (a: Rational) => Rational): Value {
  return { value: bounded(apply(x.value)), isExact: x.isExact };
}

function both(x: Value, y: Value, apply: (a: Rational, b: Rational) => Rational): Value {
  return { value: bounded(apply(x.value, y.value)), isExact: x.isExact && y.isExact };
}

function quotient(a: Rational, b: Rational): Rational {
  const result = divide(a, b);
  if (result === null) throw new RangeError("division by zero");
  return result;
}

/** With the sign of the divisor, as in Python. */
function remainder(a: Rational, b: Rational): Rational {
  return add(a, negate(multiply(b, floor(quotient(a, b)))));
}

function raise(base: Rational, exponent: Rational): Rational {
  const { numerator, denominator } = reduce(exponent);
  if (denominator !== 1n) throw new RangeError("an exponent must be a whole number; sqrt gives square roots");
  const { numerator: above, denominator: below } = reduce(base);
  const size = numerator < 0n ? -numerator : numerator;
  if (BigInt(Math.max(bitsOf(above), bitsOf(below)) - 1) * size > MAX_BITS) throw tooLarge();
  if (numerator >= 0n) return rational(above ** size, below ** size);
  if (above === 0n) throw new RangeError("division by zero");
  return rational(below ** size, above ** size);
}

function root({ value, isExact }: Value): Value {
  const { numerator, denominator } = reduce(value);
  if (numerator < 0n) throw new RangeError("the square root of a negative number is not real");
  const [above, below] = [wholeRoot(numerator), wholeRoot(denominator)];
  const exact = rational(above, below);
  if (equals(multiply(exact, exact), value)) return { value: exact, isExact };
  const scale = 10n ** BigInt(ROOT_DIGITS);
  // sqrt(n / d) = sqrt(n · d) / d
  return {
    value: bounded(rational(wholeRoot(numerator * denominator * scale * scale), denominator * scale)),
    isExact: false,
  };
}

/** Largest whole number whose square is not above, by Newton's method. */
function wholeRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let guess = 1n << BigInt(Math.ceil(bitsOf(value) / 2));
  for (;;) {
    const better = (guess + value / guess) >> 1n;
    if (better >= guess) return guess;
    guess = better;
  }
}

function floor({ numerator, denominator }: Rational): Rational {
  const whole = numerator / denominator;
  return rational(numerator < 0n && whole * denominator !== numerator ? whole - 1n : whole);
}

function isLess(a: Rational, b: Rational): boolean {
  return a.numerator * b.denominator < b.numerator * a.denominator;
}

function bounded(value: Rational): Rational {
  const lowest = reduce(value);
  if (Math.max(bitsOf(lowest.numerator), bitsOf(lowest.denominator)) > MAX_BITS) throw tooLarge();
  return lowest;
}

function tooLarge(): RangeError {
  return new RangeError(`a number in it has more than ${MAX_BITS} bits`);
}

function bitsOf(value: bigint): number {
  return (value < 0n ? -value : value).toString(16).length * 4;
}
