import { draw, type Family, type Range } from "./family.ts";
import { gcd } from "./number-theory.ts";
import type { PythonRandom } from "./python-random.ts";

interface Parameters {
  /** Numerator and denominator in lowest terms; from 1, so that dividing by a common factor stays inside. */
  readonly value: readonly [low: 1, high: number];
  /** What both are multiplied by. */
  readonly factor: Range;
  /** Ways to write the fraction, one is drawn. */
  readonly styles: readonly Style[];
}

const STYLES = {
  plain: (above: number, below: number) => `${above}/${below}`,
  latex_inline: (above: number, below: number) => `$${above}/${below}$`,
  latex_frac: (above: number, below: number) => `$\\frac{${above}}{${below}}$`,
  latex_dfrac: (above: number, below: number) => `$\\dfrac{${above}}{${below}}$`,
};
type Style = keyof typeof STYLES;

const ALL: readonly Style[] = ["plain", "latex_inline", "latex_frac", "latex_dfrac"];

/** Fractions to lowest terms. */
export const fractionSimplification: Family<Parameters> = {
  name: "fraction_simplification",
  defaults: { value: [1, 1000], factor: [1, 100], styles: ALL },
  levels: [
    { value: [1, 9], factor: [2, 5], styles: ["plain"] },
    { value: [1, 20], factor: [2, 9], styles: ["plain"] },
    { value: [1, 50], factor: [2, 20], styles: ALL },
    { value: [1, 200], factor: [2, 50], styles: ALL },
    { value: [1, 1000], factor: [2, 100], styles: ALL },
    { value: [1, 5000], factor: [10, 500], styles: ALL },
  ],
  generate(random, { value, factor: range, styles }) {
    const [above, below] = lowestTerms(random, value);
    const factor = draw(random, range);
    const style = styles[random.randint(0, styles.length - 1)]!;
    const given = STYLES[style](above * factor, below * factor);
    return {
      question: `Simplify the fraction ${given} to its lowest terms. Give only the simplified fraction as your final answer.`,
      answer: STYLES[style](above, below),
      metadata: {
        numerator: above * factor,
        denominator: below * factor,
        simplified_numerator: above,
        simplified_denominator: below,
        factor,
        style,
      },
      key: `${above * factor}/${below * factor}`,
    };
  },
};

/** A fraction of at most 1. */
function lowestTerms(random: PythonRandom, range: Range): [number, number] {
  const [a, b] = [draw(random, range), draw(random, range)];
  const common = gcd(a, b);
  return [Math.min(a, b) / common, Math.max(a, b) / common];
}
