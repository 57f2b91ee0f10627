/** An exact fraction. The denominator is positive; the fraction need not be in lowest terms. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** A whole number as a fraction. */
export function rational(numerator: bigint | number, denominator: bigint | number = 1n): Rational {
  const [above, below] = [BigInt(numerator), BigInt(denominator)];
  if (below === 0n) throw new RangeError("rational(): the denominator is 0");
  return below < 0n ? { numerator: -above, denominator: -below } : { numerator: above, denominator: below };
}

/** a + b, not reduced. */
export function add(a: Rational, b: Rational): Rational {
  return {
    numerator: a.numerator * b.denominator + b.numerator * a.denominator,
    denominator: a.denominator * b.denominator,
  };
}

/** −a */
export function negate(a: Rational): Rational {
  return { numerator: -a.numerator, denominator: a.denominator };
}

/** a · b, not reduced. */
export function multiply(a: Rational, b: Rational): Rational {
  return { numerator: a.numerator * b.numerator, denominator: a.denominator * b.denominator };
}

/** a / b, not reduced; null when b is 0. */
export function divide(a: Rational, b: Rational): Rational | null {
  if (b.numerator === 0n) return null;
  return rational(a.numerator * b.denominator, a.denominator * b.numerator);
}

/** Whether two fractions have the same value. */
export function equals(a: Rational, b: Rational): boolean {
  return a.numerator * b.denominator === b.numerator * a.denominator;
}

/** The same value in lowest terms. */
export function reduce({ numerator, denominator }: Rational): Rational {
  let [a, b] = [numerator < 0n ? -numerator : numerator, denominator];
  while (b !== 0n) [a, b] = [b, a % b];
  return { numerator: numerator / a, denominator: denominator / a };
}

/** `7`, `-11/4`: lowest terms. */
export function formatRational(value: Rational): string {
  const { numerator, denominator } = reduce(value);
  return denominator === 1n ? String(numerator) : `${numerator}/${denominator}`;
}

const DECIMAL = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d{1,3}))?$/;

/** Longest decimal text that is read. */
const MAX_LENGTH = 500;

/** A decimal such as `-12.50`, `.5`, `5.` or `1e3` as a fraction; null when the text is none, or is longer than 500 characters. */
export function parseDecimal(text: string): Rational | null {
  if (text.length > MAX_LENGTH) return null;
  const match = DECIMAL.exec(text);
  if (!match) return null;
  const [, sign, whole = "", part = "", exponent = "0"] = match;
  if (whole === "" && part === "") return null;
  const digits = BigInt(whole + part);
  const power = Number(exponent) - part.length;
  const numerator = sign === "-" ? -digits : digits;
  return power >= 0 ? rational(numerator * 10n ** BigInt(power)) : rational(numerator, 10n ** BigInt(-power));
}
