import { z } from "zod";
import { ConfigError } from "../../utils/errors.ts";
import { createRng, type Rng } from "../../utils/rng.ts";
import type { TaskSet, TaskSetDef } from "../types.ts";
import { listTaskSet } from "./list.ts";
import { isTestContent } from "./split.ts";

const Operation = z.enum(["+", "-", "*"]);

const Options = z.strictObject({
  split: z.enum(["train", "test"]).default("train").describe("disjoint, decided by a hash of the problem"),
  operations: z.array(Operation).min(1).default(["+", "-"]).describe("signs that occur; * binds before + and -"),
  operands: z.int().min(2).max(6).default(2).describe("numbers in a problem"),
  maxNumber: z.int().min(2).max(1_000_000).default(20).describe("numbers are from 1 to this"),
  negative: z.boolean().default(false).describe("whether results below zero occur"),
  instruction: z
    .string()
    .default("Answer with the number only.")
    .describe("follows the question: how the answer is to be written"),
  size: z.int().min(1).default(2000).describe("different problems in the split"),
  holdOut: z.number().gt(0).lt(1).default(0.2).describe("share of all problems in the test split"),
  seed: z.int().min(0).default(0).describe("which problems are drawn"),
  limit: z.int().min(1).nullable().default(null).describe("use only so many problems"),
});
type Options = z.infer<typeof Options>;

interface Problem {
  /** `17 + 5` */
  readonly text: string;
  readonly value: number;
}

const TRIES = 2000; // draws without a new problem after which the space counts as used up

/** Sums, differences and products of whole numbers, as a chat question. Problems are drawn with a seed and differ from each other. */
export const arithmetic: TaskSetDef<typeof Options> = {
  name: "arithmetic",
  options: Options,
  open: async (options) => openArithmetic(options),
};

function openArithmetic(options: Options): TaskSet {
  const { split, size, limit, instruction } = options;
  const problems = drawProblems(options, Math.min(size, limit ?? size));
  if (problems.length === 0) throw new ConfigError(`arithmetic: no problem fits these options in the ${split} split`);
  return listTaskSet("arithmetic", split, problems, ({ text, value }) => ({
    id: `arithmetic/${text}`,
    set: "arithmetic",
    prompt: [{ role: "user", content: `What is ${text}? ${instruction}`.trim() }],
    answer: String(value),
    data: { expression: text },
  }));
}

function drawProblems(options: Options, wanted: number): Problem[] {
  const { split, holdOut, seed, negative } = options;
  const rng = createRng(seed).fork("arithmetic", split);
  const found = new Map<string, Problem>();
  for (let misses = 0; found.size < wanted && misses < TRIES; ) {
    const problem = drawProblem(rng, options);
    const fits = negative || problem.value >= 0;
    const mine = isTestContent("arithmetic", problem.text, holdOut) === (split === "test");
    if (!fits || !mine || found.has(problem.text)) misses++;
    else {
      found.set(problem.text, problem);
      misses = 0;
    }
  }
  return [...found.values()];
}

function drawProblem(rng: Rng, { operands, operations, maxNumber }: Options): Problem {
  const numbers = Array.from({ length: operands }, () => rng.int(1, maxNumber));
  const signs = Array.from({ length: operands - 1 }, () => rng.pick(operations));
  const text = numbers.map((n, i) => (i === 0 ? String(n) : `${signs[i - 1]} ${n}`)).join(" ");
  return { text, value: evaluate(numbers, signs) };
}

/** Products first, then sums from left to right. */
function evaluate(numbers: readonly number[], signs: readonly string[]): number {
  let sum = 0;
  let term = numbers[0]!;
  signs.forEach((sign, i) => {
    const n = numbers[i + 1]!;
    if (sign === "*") term *= n;
    else {
      sum += term;
      term = sign === "+" ? n : -n;
    }
  });
  return sum + term;
}
