import { digitsRange, draw, type Family, type Range, times } from "./family.ts";

interface Parameters {
  /** How many factors. */
  readonly terms: Range;
  /** Digits of each factor; one draw for all. */
  readonly digits: Range;
}

/** Products of whole numbers. */
export const products: Family<Parameters> = {
  name: "products",
  defaults: { terms: [2, 2], digits: [1, 5] },
  levels: [
    { terms: [2, 2], digits: [1, 1] },
    { terms: [2, 2], digits: [1, 2] },
    { terms: [2, 2], digits: [2, 2] },
    { terms: [2, 2], digits: [2, 3] },
    { terms: [2, 2], digits: [3, 4] },
    { terms: [2, 3], digits: [4, 5] },
  ],
  generate(random, { terms, digits }) {
    const count = draw(random, terms);
    const size = draw(random, digits);
    const factors = times(count, () => draw(random, digitsRange(size)));
    const expression = factors.join(" * ");
    return {
      question: `Solve the following multiplication: ${expression}. Give only the result as your final answer.`,
      answer: String(factors.reduce((product, factor) => product * BigInt(factor), 1n)),
      metadata: { expression, num_terms: count, num_digits: size },
      key: factors.toSorted((a, b) => a - b).join("*"),
    };
  },
};
