import { draw, type Family, type Range, times } from "./family.ts";
import type { PythonRandom } from "./python-random.ts";

interface Parameters {
  /** How many terms before the equals sign, as drawn; they are combined before they are shown. */
  readonly terms: Range;
  /** Constants, the coefficient and the solution. */
  readonly value: Range;
}

/** constant + coefficient · x */
interface Linear {
  readonly constant: number;
  readonly coefficient: number;
}

const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"];
const SIGNS = ["+", "-", "*"] as const;
const WEIGHTS = [0.4, 0.4, 0.2];

/** Linear equations in one unknown. */
export const simpleEquations: Family<Parameters> = {
  name: "simple_equations",
  defaults: { terms: [2, 4], value: [1, 100] },
  levels: [
    { terms: [2, 2], value: [1, 9] },
    { terms: [2, 2], value: [1, 20] },
    { terms: [2, 3], value: [2, 40] },
    { terms: [2, 4], value: [2, 100] },
    { terms: [3, 4], value: [10, 150] },
    { terms: [4, 5], value: [20, 200] },
  ],
  generate(random, { terms, value }) {
    const variable = random.choice(LETTERS);
    const left = drawLinear(random, draw(random, terms), value);
    const solution = draw(random, value);
    const right = left.constant + left.coefficient * solution;
    const equation = `${writeLinear(left, variable)} = ${right}`;
    const wording = random.choice(WORDINGS);
    return {
      question: wording(variable, equation),
      answer: String(solution),
      metadata: { equation, variable },
      key: `${left.coefficient},${left.constant},${right}`,
      ...(left.coefficient === 0 ? { flaw: "the unknown drops out: every number is a solution" } : {}),
    };
  },
};

const WORDINGS: readonly ((variable: string, equation: string) => string)[] = [
  (variable, equation) => `Find the value of ${variable} in the equation: ${equation}`,
  (variable, equation) => `Solve for ${variable}: ${equation}`,
  (variable, equation) => `Determine the value of ${variable} that satisfies: ${equation}`,
];

/** Terms combined from left to right; one of them holds the unknown. */
function drawLinear(random: PythonRandom, count: number, value: Range): Linear {
  const constants = times(count, () => draw(random, value));
  const unknownAt = random.randint(0, count - 1);
  const coefficient = draw(random, value);
  const terms = constants.map((constant, i) =>
    i === unknownAt ? { constant: 0, coefficient } : { constant, coefficient: 0 },
  );
  return terms.reduce((left, right) => combine(left, random.weighted(SIGNS, WEIGHTS), right));
}

function combine(left: Linear, sign: (typeof SIGNS)[number], right: Linear): Linear {
  if (sign === "*") {
    return {
      constant: left.constant * right.constant,
      coefficient: left.coefficient * right.constant + left.constant * right.coefficient,
    };
  }
  const factor = sign === "+" ? 1 : -1;
  return {
    constant: left.constant + factor * right.constant,
    coefficient: left.coefficient + factor * right.coefficient,
  };
}

/** `1248*r - 66`; a positive constant comes before a negative coefficient: `4 - 24*p`. */
function writeLinear({ constant, coefficient }: Linear, variable: string): string {
  if (coefficient === 0) return String(constant);
  const size = Math.abs(coefficient);
  const unknown = size === 1 ? variable : `${size}*${variable}`;
  if (coefficient < 0 && constant > 0) return `${constant} - ${unknown}`;
  const tail = constant === 0 ? "" : constant < 0 ? ` - ${-constant}` : ` + ${constant}`;
  return (coefficient < 0 ? "-" : "") + unknown + tail;
}
