import { draw, type Family, type Range, times } from "./family.ts";

interface Parameters {
  /** How many numbers. */
  readonly numbers: Range;
  /** Digits after the point; one draw a number. A whole number is written with `.0`. */
  readonly decimals: Range;
  readonly value: Range;
}

/** Sorting of decimals. */
export const numberSorting: Family<Parameters> = {
  name: "number_sorting",
  defaults: { numbers: [3, 10], decimals: [0, 2], value: [-100, 100] },
  levels: [
    { numbers: [3, 3], decimals: [0, 0], value: [0, 20] },
    { numbers: [3, 4], decimals: [0, 0], value: [-50, 50] },
    { numbers: [4, 6], decimals: [0, 1], value: [-100, 100] },
    { numbers: [5, 8], decimals: [0, 2], value: [-100, 100] },
    { numbers: [8, 12], decimals: [0, 2], value: [-100, 100] },
    { numbers: [12, 20], decimals: [1, 3], value: [-1000, 1000] },
  ],
  generate(random, { numbers: range, decimals, value: [low, high] }) {
    const numbers = times(draw(random, range), () => {
      const number = random.uniform(low, high);
      return roundTo(number, draw(random, decimals));
    });
    const direction = random.choice([true, false]) ? "ascending" : "descending";
    const sorted = numbers.toSorted((a, b) => (direction === "ascending" ? a - b : b - a)).map(write);
    return {
      question: `Sort these numbers in ${direction} order: ${numbers.map(write).join(", ")}${FORMAT}`,
      answer: `[${sorted.map((number) => `'${number}'`).join(", ")}]`,
      metadata: { original_numbers: numbers.map(write), direction, sorted_numbers: sorted, numbers: numbers.length },
      key: sorted.toSorted().join(","),
    };
  },
};

const FORMAT = `
Please follow the instruction below:
## 1. Let all your answers be a list of numbers. Instead of reporting your answer as -69, -13, 1, 7, 11, 43, 59, 61, use ['-69', '-13', '1', '7', '11', '43', '59', '61'] instead
## 2. Convert all numbers in the square brackets as strings. For example, ['-69', '-13', '1', '7', '11', '43', '59', '61']
`;

/** To so many decimals; halves go to the even neighbour. */
function roundTo(number: number, decimals: number): number {
  const scaled = number * 10 ** decimals;
  const down = Math.floor(scaled);
  const rest = scaled - down;
  const rounded = rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1;
  return (rounded === 0 && scaled < 0 ? -0 : rounded) / 10 ** decimals;
}

/** As Python writes floats: `72.0`, `-0.0`. */
function write(number: number): string {
  const text = Object.is(number, -0) ? "-0" : String(number);
  return text.includes(".") ? text : `${text}.0`;
}
