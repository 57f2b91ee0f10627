import { formatRational, type Rational, reduce } from "../../utils/rational.ts";

/** Significant digits of what is not shown exactly. */
const DIGITS = 12;
/** Longest whole number and most decimals that are shown in full. */
const [MAX_WHOLE, MAX_DECIMALS] = [60, 20];

/** `7`, `0.125`, `7/3 ≈ 2.33333333333`; what is not exact, or too long, only rounded. */
export function formatValue({ value, isExact }: { readonly value: Rational; readonly isExact: boolean }): string {
  const lowest = reduce(value);
  if (!isExact) return `≈ ${rounded(lowest)}`;
  const fraction = formatRational(lowest);
  if (fraction.length > MAX_WHOLE) return `≈ ${rounded(lowest)}`;
  if (lowest.denominator === 1n) return fraction;
  return decimal(lowest) ?? `${fraction} ≈ ${rounded(lowest)}`;
}

/** All decimals, where they end. */
function decimal({ numerator, denominator }: Rational): string | null {
  for (let places = 1; places <= MAX_DECIMALS; places++) {
    const scale = 10n ** BigInt(places);
    if ((numerator * scale) % denominator === 0n) return placed((numerator * scale) / denominator, places);
  }
  return null;
}

function placed(scaled: bigint, places: number): string {
  const digits = String(scaled < 0n ? -scaled : scaled).padStart(places + 1, "0");
  return `${scaled < 0n ? "-" : ""}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** To {@link DIGITS} significant digits, half up; very large and very small ones with an exponent. */
function rounded({ numerator, denominator }: Rational): string {
  const size = numerator < 0n ? -numerator : numerator;
  if (size === 0n) return "0";
  const sign = numerator < 0n ? "-" : "";
  let exponent = String(size).length - String(denominator).length;
  const scaledTo = (power: number): bigint => {
    const [above, below] =
      power >= 0 ? [size * 10n ** BigInt(power), denominator] : [size, denominator * 10n ** BigInt(-power)];
    return (2n * above + below) / (2n * below);
  };
  if (String(scaledTo(DIGITS - 1 - exponent)).length < DIGITS) exponent--;
  let digits = String(scaledTo(DIGITS - 1 - exponent));
  if (digits.length > DIGITS) {
    exponent++;
    digits = digits.slice(0, DIGITS);
  }
  const tidy = (text: string): string => text.replace(/\.?0+$/, "");
  if (exponent >= DIGITS || exponent < -6)
    return `${sign}${tidy(`${digits[0]}.${digits.slice(1)}`)}e${exponent >= 0 ? "+" : ""}${exponent}`;
  if (exponent < 0) return `${sign}${tidy(`0.${"0".repeat(-exponent - 1)}${digits}`)}`;
  const whole = digits.slice(0, exponent + 1);
  return sign + (exponent + 1 < DIGITS ? tidy(`${whole}.${digits.slice(exponent + 1)}`) : whole);
}
