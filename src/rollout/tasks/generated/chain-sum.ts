import { digitsRange, draw, type Family, type Range, times } from "./family.ts";

interface Parameters {
  /** How many numbers. */
  readonly terms: Range;
  /** Digits of each number; one draw for all. */
  readonly digits: Range;
}

/** Sums and differences of whole numbers. */
export const chainSum: Family<Parameters> = {
  name: "chain_sum",
  defaults: { terms: [2, 6], digits: [1, 4] },
  levels: [
    { terms: [2, 2], digits: [1, 1] },
    { terms: [2, 3], digits: [1, 2] },
    { terms: [3, 4], digits: [2, 2] },
    { terms: [3, 5], digits: [2, 3] },
    { terms: [4, 6], digits: [3, 4] },
    { terms: [6, 8], digits: [4, 6] },
  ],
  generate(random, { terms, digits }) {
    const count = draw(random, terms);
    const size = draw(random, digits);
    const numbers = times(count, () => draw(random, digitsRange(size)));
    const signs = times(count - 1, () => random.choice(["+", "-"]));
    const result = numbers.reduce((sum, number, i) => (i === 0 || signs[i - 1] === "+" ? sum + number : sum - number));
    const expression = numbers.map((number, i) => (i === 0 ? number : `${signs[i - 1]} ${number}`)).join(" ");
    return {
      question: `State the final answer to the following arithmetic problem: ${expression} =`,
      answer: String(result),
      metadata: { expression, num_terms: count, num_digits: size },
      key: expression,
    };
  },
};
