import { draw, type Family, type Range, times } from "./family.ts";
import { gcd } from "./number-theory.ts";

interface Parameters {
  /** How many numbers. */
  readonly numbers: Range;
  readonly value: Range;
  /** A factor that all numbers are multiplied by; without it "1" is the right answer rather often. */
  readonly common?: Range;
}

/** Up to so many draws until the numbers share a factor. */
const TRIES = 3;

/** Greatest common divisors. */
export const gcdFamily: Family<Parameters> = {
  name: "gcd",
  defaults: { numbers: [2, 2], value: [1, 1000] },
  levels: [
    { numbers: [2, 2], value: [1, 6], common: [1, 4] },
    { numbers: [2, 2], value: [1, 12], common: [1, 9] },
    { numbers: [2, 2], value: [2, 30], common: [1, 12] },
    { numbers: [2, 2], value: [5, 60], common: [1, 24] },
    { numbers: [2, 3], value: [10, 100], common: [1, 60] },
    { numbers: [3, 4], value: [20, 400], common: [1, 150] },
  ],
  generate(random, { numbers: range, value, common }) {
    let [numbers, result] = [[] as number[], 1];
    for (let i = 0; i < TRIES && result === 1; i++) {
      numbers = times(draw(random, range), () => draw(random, value));
      result = numbers.reduce(gcd);
    }
    const factor = common ? draw(random, common) : 1;
    numbers = numbers.map((number) => number * factor);
    const list = numbers.join(", ");
    return {
      question: `Find the Greatest Common Divisor (GCD) of these numbers: ${list}. Give only the GCD as your final answer.`,
      answer: String(result * factor),
      metadata: { numbers, result: result * factor },
      key: numbers.toSorted((a, b) => a - b).join(","),
    };
  },
};
