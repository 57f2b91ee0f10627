import { draw, type Family, type Item, type Range } from "./family.ts";
import { divisorPairs, gcd } from "./number-theory.ts";
import type { PythonRandom } from "./python-random.ts";

interface Parameters {
  /** How many numbers; a division adds some at times. */
  readonly terms: Range;
  /** Digits of the numbers, at most; one draw for all. */
  readonly digits: Range;
}

type Sign = "+" | "-" | "*" | "/";
type Token = Sign | "(" | "-(" | ")" | bigint;

/** Divisors are looked for in numbers up to this: more takes too long, and there are problems enough. */
const MAX_DIVIDEND = 10n ** 12n;

/** Expressions of whole numbers with brackets, negation and division. */
export const basicArithmetic: Family<Parameters> = {
  name: "basic_arithmetic",
  defaults: { terms: [2, 6], digits: [1, 4] },
  levels: [
    { terms: [2, 2], digits: [1, 1] },
    { terms: [2, 3], digits: [1, 1] },
    { terms: [3, 3], digits: [1, 2] },
    { terms: [3, 5], digits: [2, 2] },
    { terms: [4, 6], digits: [2, 3] },
    { terms: [6, 8], digits: [3, 4] },
  ],
  generate(random, parameters) {
    const terms = draw(random, parameters.terms);
    const digits = draw(random, parameters.digits);
    const writer = expressionWriter(random, digits);
    const tokens = withoutZeroDivisors(writer.write(terms));
    return writer.gaveUp() ? null : toItem(tokens, { num_terms: terms, num_digits: digits });
  },
};

function toItem(tokens: readonly Token[], sizes: { num_terms: number; num_digits: number }): Item | null {
  const expression = tokens.join(" ");
  const result = evaluate(tokens);
  if (!result.isDefined) return null;
  return {
    question: `Calculate ${expression}.`,
    answer: String(result.value),
    metadata: { expression, ...sizes },
    key: expression,
    ...(result.isExact ? {} : { flaw: "a division on the way leaves a remainder, which the gold answer drops" }),
  };
}

/** Writes random expressions whose divisors divide, mostly. */
function expressionWriter(random: PythonRandom, digits: number) {
  const largest = 10 ** digits - 1;
  let tooLarge = false;

  /** So many numbers: a group, then a sign and the rest. */
  const write = (terms: number): Token[] => {
    const inGroup = random.randint(1, terms);
    const group = writeGroup(inGroup);
    const rest = terms - inGroup;
    if (rest === 0) return group;
    const sign = random.choice<Sign>(["+", "-", "*", "/"]);
    return [...group, sign, ...(sign === "/" ? writeDivisor(group, rest) : write(rest))];
  };

  /** A bracket, or numbers in a row without a division. */
  const writeGroup = (terms: number): Token[] => {
    if (terms > 1 && random.random() > 0.5) {
      return [random.random() > 0.5 ? "-(" : "(", ...write(terms), ")"];
    }
    const row: Token[] = [];
    for (let i = 0; i < terms; i++) {
      if (i > 0) row.push(random.choice<Sign>(["+", "-", "*"]));
      row.push(BigInt(random.randint(-largest, largest)));
    }
    return row;
  };

  /** What comes after a division sign: a divisor of the last operand before it, and the other numbers. */
  const writeDivisor = (group: readonly Token[], terms: number): Token[] => {
    const last = group.at(-1)!;
    const dividend = typeof last === "bigint" ? last : evaluate(group).value;
    if (terms === 1) return [divisorOf(dividend)];
    const rest = write(terms - 1);
    if (rest.at(-1) !== ")") return [divisorOf(dividend), "+", ...rest];
    const { value } = evaluate(rest);
    const correction = value === 0n ? 1n : commonDivisor(dividend, value) - value;
    return [...rest.slice(0, -1), "+", correction, ")"];
  };

  const divisorOf = (dividend: bigint): bigint =>
    dividend === 0n ? BigInt(random.randint(1, largest)) : commonDivisor(dividend, 0n);

  const commonDivisor = (a: bigint, b: bigint): bigint => {
    if (abs(a) > MAX_DIVIDEND || abs(b) > MAX_DIVIDEND) {
      tooLarge = true;
      return 1n;
    }
    return BigInt(random.choice(divisorPairs(gcd(Number(abs(a)), Number(abs(b))))));
  };

  return { write, gaveUp: () => tooLarge };
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function withoutZeroDivisors(tokens: readonly Token[]): Token[] {
  return tokens.map((token, i) => (token === 0n && tokens[i - 1] === "/" ? 1n : token));
}

/** Value with quotients rounded down, as Python's `//` does. */
interface Value {
  readonly value: bigint;
  /** No quotient had to be rounded. */
  readonly isExact: boolean;
  /** Nothing was divided by zero. */
  readonly isDefined: boolean;
}

function evaluate(tokens: readonly Token[]): Value {
  let [at, isExact, isDefined] = [0, true, true];
  const divide = (a: bigint, b: bigint): bigint => {
    if (b === 0n) {
      isDefined = false;
      return 0n;
    }
    if (a % b === 0n) return a / b;
    isExact = false;
    return a / b - (a < 0n !== b < 0n ? 1n : 0n);
  };
  const sum = (): bigint => {
    let value = product();
    for (let sign = tokens[at]; sign === "+" || sign === "-"; sign = tokens[at]) {
      at++;
      value = sign === "+" ? value + product() : value - product();
    }
    return value;
  };
  const product = (): bigint => {
    let value = operand();
    for (let sign = tokens[at]; sign === "*" || sign === "/"; sign = tokens[at]) {
      at++;
      value = sign === "*" ? value * operand() : divide(value, operand());
    }
    return value;
  };
  const operand = (): bigint => {
    const token = tokens[at++];
    if (typeof token === "bigint") return token;
    const inner = sum();
    at++; // the closing bracket
    return token === "-(" ? -inner : inner;
  };
  const value = sum();
  return { value, isExact, isDefined };
}
