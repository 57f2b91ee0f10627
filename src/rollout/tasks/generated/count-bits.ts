import { draw, type Family, type Range } from "./family.ts";

interface Parameters {
  readonly value: Range;
}

/** How many ones a number has in binary. */
export const countBits: Family<Parameters> = {
  name: "count_bits",
  defaults: { value: [1, 2 ** 31 - 1] },
  levels: [
    { value: [1, 15] },
    { value: [8, 127] },
    { value: [64, 1023] },
    { value: [512, 2 ** 14 - 1] },
    { value: [2 ** 13, 2 ** 22 - 1] },
    { value: [2 ** 21, 2 ** 31 - 1] },
  ],
  generate(random, { value }) {
    const number = draw(random, value);
    const binary = number.toString(2);
    const ones = binary.replaceAll("0", "").length;
    return {
      question: `How many 1 bits are there in the binary representation of the number ${number}?`,
      answer: String(ones),
      metadata: { number, binary, solution: ones },
      key: String(number),
    };
  },
};
