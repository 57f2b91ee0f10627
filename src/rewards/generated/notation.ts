import { z } from "zod";
import { correct, unparseable, wrong } from "../verdicts.ts";
import { metadataOf } from "./metadata.ts";
import { bare, brief } from "./read.ts";
import type { Scorer } from "./scorer.ts";

const Conversion = z.object({ decimal_value: z.int().min(0), target_base: z.int().min(2).max(36) });

/** Digits of the target base, small letters above 9. Leading zeros are free. */
export const scoreBaseConversion: Scorer = (answer, problem) => {
  const { decimal_value: value, target_base: base } = metadataOf(problem, Conversion);
  const text = bare(answer);
  if (text === null || !/^[0-9a-z]+$/.test(text)) {
    return unparseable(`${JSON.stringify(brief(text ?? answer))} is not a row of digits 0-9 and small letters`);
  }
  const expected = value.toString(base);
  const digits = text.replace(/^0+(?=.)/, "");
  if (digits === expected) return correct(`is ${value} in base ${base}`, digits);
  return wrong(`${value} in base ${base} is ${expected}`, digits);
};

const Fraction = z.object({ simplified_numerator: z.int(), simplified_denominator: z.int().positive() });

const SLASHED = /^([-+−]?\d{1,30})\s*[/⁄∕]\s*(\d{1,30})$/;
const LATEX = /^([-+−]?)\s*\\[dt]?frac\s*(?:\{\s*([-−]?\d{1,30})\s*\}\s*\{\s*(\d{1,30})\s*\}|\s?(\d)\s*(\d))$/;
const WHOLE = /^([-+−]?\d{1,30})$/;

/** Numerator and denominator in lowest terms: equal in value is not enough. A whole number has the denominator 1. */
export const scoreFraction: Scorer = (answer, problem) => {
  const gold = metadataOf(problem, Fraction);
  const text = bare(answer);
  const read = text === null ? null : readFraction(text);
  if (!read) return unparseable(`${JSON.stringify(brief(text ?? answer))} is not a fraction`);
  const seen = `${read.above}/${read.below}`;
  const [above, below] = [BigInt(gold.simplified_numerator), BigInt(gold.simplified_denominator)];
  if (read.above === above && read.below === below) return correct("is the fraction in lowest terms", seen);
  const isEqual = read.below !== 0n && read.above * below === above * read.below;
  return wrong(isEqual ? "is not in lowest terms" : `expected ${above}/${below}`, seen);
};

function readFraction(text: string): { above: bigint; below: bigint } | null {
  const integer = (digits: string): bigint => BigInt(digits.replace("−", "-").replace(/^\+/, ""));
  const slashed = SLASHED.exec(text);
  if (slashed) return { above: integer(slashed[1]!), below: BigInt(slashed[2]!) };
  const latex = LATEX.exec(text);
  if (latex) {
    const above = integer(latex[2] ?? latex[4]!);
    const isNegative = latex[1] === "-" || latex[1] === "−";
    return { above: isNegative ? -above : above, below: BigInt(latex[3] ?? latex[5]!) };
  }
  const whole = WHOLE.exec(text);
  return whole ? { above: integer(whole[1]!), below: 1n } : null;
}

const Factorization = z.object({ number: z.int().min(2) });

const SEPARATOR = /\s*(?:×|\*|·|⋅|x|X|\\times|\\cdot)\s*/;
const FACTOR = /^(\d{1,15})(?:\s*\^\s*(?:\{\s*(\d{1,2})\s*\}|(\d{1,2})))?$/;

/** Primes whose product is the number, in any order; powers may be written `2^4`. The number itself counts only when it is prime. */
export const scorePrimeFactorization: Scorer = (answer, problem) => {
  const { number } = metadataOf(problem, Factorization);
  const text = bare(answer)?.replace(new RegExp(`^${number}\\s*=\\s*`), "") ?? null;
  const factors = text === null ? null : readFactors(text);
  if (!factors) return unparseable(`${JSON.stringify(brief(text ?? answer))} is not a list of factors separated by ×`);
  const seen = factors.join(" × ");
  const composite = factors.find((factor) => !isPrime(factor));
  if (composite !== undefined) return wrong(`${composite} is not prime`, seen);
  const product = factors.reduce((result, factor) => result * BigInt(factor), 1n);
  return product === BigInt(number) ? correct(`primes with product ${number}`, seen) : wrong(`makes ${product}`, seen);
};

/** Factors that are larger than this, or more of them, belong to no problem. */
const MAX_FACTOR = 1e9;
const MAX_FACTORS = 64;

function readFactors(text: string): number[] | null {
  const factors: number[] = [];
  for (const part of text.split(SEPARATOR)) {
    const match = FACTOR.exec(part);
    if (!match) return null;
    const power = Number(match[2] ?? match[3] ?? 1);
    if (factors.length + power > MAX_FACTORS || Number(match[1]) > MAX_FACTOR) return null;
    for (let i = 0; i < power; i++) factors.push(Number(match[1]));
  }
  return factors.length > 0 ? factors : null;
}

function isPrime(n: number): boolean {
  if (n < 2) return false;
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
}
