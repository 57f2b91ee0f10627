import { draw, type Family, type Range } from "./family.ts";
import { primeFactors } from "./number-theory.ts";

interface Parameters {
  readonly value: Range;
}

/** Prime factors of a number. */
export const primeFactorization: Family<Parameters> = {
  name: "prime_factorization",
  defaults: { value: [2, 1000] },
  levels: [
    { value: [2, 20] },
    { value: [10, 60] },
    { value: [30, 200] },
    { value: [100, 1000] },
    { value: [500, 5000] },
    { value: [4000, 50_000] },
  ],
  generate(random, { value }) {
    const number = draw(random, value);
    const factors = primeFactors(number);
    return {
      question:
        `Find the prime factorization of ${number}. Write the factors separated by × ` +
        "(Example: for 12 the answer would be: 2 × 2 × 3)",
      answer: factors.join(" × "),
      metadata: { number, factors },
      key: String(number),
    };
  },
};
