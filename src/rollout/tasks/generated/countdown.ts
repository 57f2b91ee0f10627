import { type Chain, type ChainSign, writeChain } from "./chain-expression.ts";
import { draw, type Family, type Range, times } from "./family.ts";
import type { PythonRandom } from "./python-random.ts";

interface Parameters {
  /** How many numbers, at most 10. */
  readonly numbers: Range;
  readonly value: Range;
  readonly target: Range;
}

/** Draws of numbers and signs until the target is in its range. */
const TRIES = 100;

/** Combine all numbers into the target. The problem is made from a solution, so it has one. */
export const countdownFamily: Family<Parameters> = {
  name: "countdown",
  defaults: { numbers: [4, 6], value: [1, 100], target: [100, 999] },
  levels: [
    { numbers: [3, 3], value: [1, 9], target: [1, 30] },
    { numbers: [3, 3], value: [1, 20], target: [1, 60] },
    { numbers: [3, 4], value: [1, 20], target: [10, 100] },
    { numbers: [4, 4], value: [1, 50], target: [20, 300] },
    { numbers: [4, 6], value: [1, 100], target: [100, 999] },
    { numbers: [6, 7], value: [1, 100], target: [100, 9999] },
  ],
  generate(random, parameters) {
    const chain = drawChain(random, draw(random, parameters.numbers), parameters);
    if (!chain) return null;
    const expression = writeChain(chain);
    const numbers = random.shuffle(chain.numbers);
    const wording = random.choice(WORDINGS);
    return {
      question: wording(numbers.join(", "), chain.target) + FORMAT,
      answer: expression,
      metadata: { numbers, target: chain.target, expression },
      key: `${numbers.toSorted((a, b) => a - b).join(",")}>${chain.target}`,
    };
  },
};

const WORDINGS: readonly ((numbers: string, target: number) => string)[] = [
  (numbers, target) =>
    `Using all the numbers ${numbers}, create an expression that equals ${target}.\nYou can only use each number once.`,
  (numbers, target) =>
    `Find a way to make ${target} using all of these numbers: ${numbers}.\nEach number can only be used once.`,
  (numbers, target) =>
    `Calculate ${target} using all of these numbers: ${numbers}.\nEach number may be used at most once.`,
];

const FORMAT = `

Final answer format instructions:
1. Provide your solution as a arithmetic expression (no '=' sign).
2. Do not include the target number in the expression.
3. Use '*' for multiplication.
4. Use '/' for division.
5. Do not include any other text or formatting.
`;

/** Numbers combined from left to right into a target in its range; null when none was found. */
function drawChain(
  random: PythonRandom,
  count: number,
  { value, target: [low, high] }: Parameters,
): (Chain & { readonly target: number }) | null {
  for (let i = 0; i < TRIES; i++) {
    const numbers = times(count, () => draw(random, value));
    const signs: ChainSign[] = [];
    let target = numbers[0]!;
    for (let place = 1; place < count; place++) {
      const sign = drawSign(random, target, numbers, place);
      signs.push(sign);
      target = apply(target, sign, numbers[place]!);
    }
    if (target >= low && target <= high) return { numbers, signs, target };
  }
  return null;
}

/** A division takes a number, from here on, that divides the value so far, and puts it here; without one it becomes a subtraction. */
function drawSign(random: PythonRandom, value: number, numbers: number[], place: number): ChainSign {
  const sign = random.choice<ChainSign>(["+", "-", "*", "/"]);
  if (sign !== "/") return sign;
  const divisor = random.shuffle(numbers.slice(place)).find((number) => value % number === 0);
  if (divisor === undefined) return "-";
  numbers[place] = divisor;
  return "/";
}

function apply(value: number, sign: ChainSign, number: number): number {
  if (sign === "+") return value + number;
  if (sign === "-") return value - number;
  return sign === "*" ? value * number : value / number;
}
