import type { Json } from "../../types.ts";
import type { PythonRandom } from "./python-random.ts";

/** Names of the families, as in reasoning-gym. */
export const FAMILY_NAMES = [
  "chain_sum",
  "decimal_chain_sum",
  "products",
  "basic_arithmetic",
  "gcd",
  "lcm",
  "count_bits",
  "base_conversion",
  "fraction_simplification",
  "prime_factorization",
  "letter_counting",
  "spell_backward",
  "word_sorting",
  "number_sorting",
  "countdown",
  "simple_equations",
] as const;
export type FamilyName = (typeof FAMILY_NAMES)[number];

/** Lowest and highest value, both included. */
export type Range = readonly [low: number, high: number];

/** One problem with its gold answer. */
export interface Item {
  readonly question: string;
  readonly answer: string;
  /** What the scorer needs, under reasoning-gym's names. */
  readonly metadata: { readonly [key: string]: Json };
  /** What makes the problem what it is, wording and order aside: problems with equal keys are never in both splits. */
  readonly key: string;
  /** Why the problem should not be posed although reasoning-gym poses it: its gold answer is not the mathematical one. */
  readonly flaw?: string;
}

/** Every family has so many levels: difficulty 0 is the first, 1 the last. */
export const LEVELS = 6;

/** A kind of problem: how one is made from random numbers and parameters. */
export interface Family<Parameters = never> {
  readonly name: FamilyName;
  /** reasoning-gym's default configuration: with it seed and index give reasoning-gym's problem, where no word list is involved. */
  readonly defaults: Parameters;
  /** From the smallest problems to ones beyond the default configuration. */
  readonly levels: readonly [Parameters, Parameters, Parameters, Parameters, Parameters, Parameters];
  /** null when these random numbers lead to no problem. */
  generate(random: PythonRandom, parameters: Parameters): Item | null;
}

/** Draws from a range. */
export function draw(random: PythonRandom, [low, high]: Range): number {
  return random.randint(low, high);
}

/** A list of `count` draws. */
export function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** Whole numbers of exactly so many digits; 0 counts as one digit. */
export function digitsRange(digits: number): Range {
  return [digits === 1 ? 0 : 10 ** (digits - 1), 10 ** digits - 1];
}
