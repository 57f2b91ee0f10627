import { draw, type Family, type Range, times } from "./family.ts";
import { lcm } from "./number-theory.ts";

interface Parameters {
  /** How many numbers. */
  readonly numbers: Range;
  readonly value: Range;
}

/** Up to so many draws until the multiple is less than the product. */
const TRIES = 3;

/** Least common multiples. */
export const lcmFamily: Family<Parameters> = {
  name: "lcm",
  defaults: { numbers: [2, 2], value: [1, 100] },
  levels: [
    { numbers: [2, 2], value: [1, 10] },
    { numbers: [2, 2], value: [2, 20] },
    { numbers: [2, 2], value: [4, 50] },
    { numbers: [2, 2], value: [10, 120] },
    { numbers: [2, 3], value: [20, 200] },
    { numbers: [3, 4], value: [20, 300] },
  ],
  generate(random, { numbers: range, value }) {
    let [numbers, result, product] = [[] as number[], 0, 0];
    for (let i = 0; i < TRIES && result === product; i++) {
      numbers = times(draw(random, range), () => draw(random, value));
      result = numbers.reduce(lcm);
      product = numbers.reduce((a, b) => a * b);
    }
    return {
      question: `Find the Least Common Multiple (LCM) of these numbers: ${numbers.join(", ")}`,
      answer: String(result),
      metadata: { numbers, result },
      key: numbers.toSorted((a, b) => a - b).join(","),
    };
  },
};
