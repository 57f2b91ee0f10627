import { digitsRange, draw, type Family, type Range, times } from "./family.ts";

interface Parameters {
  /** How many numbers. */
  readonly terms: Range;
  /** Digits before the point; one draw for all numbers. */
  readonly digits: Range;
  /** Digits after the point, from 1 to 6; one draw a number. */
  readonly decimals: Range;
}

/** Sums and differences of decimals. The answer has as many decimals as the longest number. */
export const decimalChainSum: Family<Parameters> = {
  name: "decimal_chain_sum",
  defaults: { terms: [2, 6], digits: [1, 4], decimals: [1, 4] },
  levels: [
    { terms: [2, 2], digits: [1, 1], decimals: [1, 1] },
    { terms: [2, 3], digits: [1, 2], decimals: [1, 1] },
    { terms: [2, 3], digits: [2, 2], decimals: [1, 2] },
    { terms: [3, 4], digits: [2, 3], decimals: [2, 2] },
    { terms: [4, 6], digits: [3, 4], decimals: [2, 4] },
    { terms: [6, 8], digits: [4, 6], decimals: [3, 5] },
  ],
  generate(random, { terms, digits, decimals }) {
    const count = draw(random, terms);
    const size = draw(random, digits);
    const wholes = times(count, () => draw(random, digitsRange(size)));
    const places = times(count, () => draw(random, decimals));
    const parts = places.map((n) => draw(random, decimalRange(n)));
    const signs = ["+", ...times(count - 1, () => random.choice(["+", "-"]))];
    const numbers = wholes.map((whole, i) => writeDecimal(BigInt(whole * 10 ** places[i]! + parts[i]!), places[i]!));
    const longest = Math.max(...places);
    const result = numbers.reduce((sum, number, i) => {
      const units = BigInt(number.replace(".", "")) * 10n ** BigInt(longest - places[i]!);
      return signs[i] === "+" ? sum + units : sum - units;
    }, 0n);
    const expression = numbers.map((number, i) => (i === 0 ? number : `${signs[i]} ${number}`)).join(" ");
    return {
      question: `State the final answer to the following arithmetic problem: ${expression} =`,
      answer: writeDecimal(result, longest),
      metadata: { expression, num_terms: count, num_digits: size },
      key: expression,
    };
  },
};

/** Decimal parts do not begin with 0. */
function decimalRange(places: number): Range {
  return [10 ** (places - 1), 10 ** places - 1];
}

/** `units` · 10^−places with all its places, 1 at least. */
function writeDecimal(units: bigint, places: number): string {
  const digits = String(units < 0n ? -units : units).padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  return `${units < 0n ? "-" : ""}${whole}.${digits.slice(digits.length - places)}`;
}
