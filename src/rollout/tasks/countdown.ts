import { z } from "zod";
import { createRng } from "../../utils/rng.ts";
import type { Task, TaskSet, TaskSetDef } from "../types.ts";
import { type CountdownPair, isHeldOut, solvablePairs } from "./countdown-steps.ts";

const Options = z.strictObject({
  split: z
    .enum(["train", "test"])
    .default("train")
    .describe("disjoint by (numbers, target), decided by a hash of the content"),
  format: z
    .enum(["steps", "question"])
    .default("question")
    .describe(
      "steps: the shipped seedling's notation `4,8,2>16:`; question: a chat message that asks for an expression",
    ),
  triesAreTurns: z
    .boolean()
    .default(false)
    .describe("for format steps: every try is a turn of its own, for methods that look at turns"),
  numbers: z.int().min(2).max(4).default(3).describe("how many numbers to combine"),
  maxNumber: z.int().min(2).max(20).default(9).describe("numbers are from 1 to this"),
  maxTarget: z.int().min(1).max(999).default(99).describe("targets and all values on the way are at most this"),
  holdOut: z.number().gt(0).lt(1).default(0.15).describe("share of all (numbers, target) pairs in the test split"),
  limit: z.int().min(1).nullable().default(null).describe("use only so many problems"),
});
type Options = z.infer<typeof Options>;

/** Different orders in which a problem's numbers are given; each is a task of its own in the train split. */
const ORDERS = 6;

/**
 * Countdown: combine all numbers, each once, with + − × ÷ into the target. Every problem has a solution whose values are all integers from 0
 * to `maxTarget`.
 */
export const countdown: TaskSetDef<typeof Options> = {
  name: "countdown",
  options: Options,
  open: (options) => Promise.resolve(openCountdown(options)),
};

function openCountdown(options: Options): TaskSet {
  const { split, numbers, maxNumber, maxTarget, holdOut, limit } = options;
  const pairs = solvablePairs(numbers, maxNumber, maxTarget).filter(
    (pair) => isHeldOut(pair, holdOut) === (split === "test"),
  );
  // in a fixed random order, so that a limit takes a fair sample
  const order = createRng("countdown-order").shuffle(pairs);
  const orders = split === "train" ? ORDERS : 1;
  const size = Math.min(limit ?? Number.POSITIVE_INFINITY, order.length * orders);
  return {
    name: "countdown",
    split,
    size,
    get(index) {
      if (!Number.isInteger(index) || index < 0 || index >= size) {
        throw new RangeError(`countdown ${split}: index ${index} is outside 0..${size - 1}`);
      }
      return toTask(order[index % order.length]!, Math.floor(index / order.length), options);
    },
  };
}

function toTask(pair: CountdownPair, variant: number, { format, triesAreTurns }: Options): Task {
  const key = `${pair.numbers.join(",")}>${pair.target}`;
  const numbers = createRng("countdown-numbers").fork(key, variant).shuffle(pair.numbers);
  const given = numbers.join(",");
  return {
    id: `countdown/${given}>${pair.target}/${variant}`,
    set: "countdown",
    prompt: format === "steps" ? stepsPrompt(numbers, pair.target) : question(numbers, pair.target),
    answer: null,
    ...(format === "steps" && triesAreTurns ? { turnMark: " no" } : {}),
    data: { numbers, target: pair.target, format },
  };
}

/** `4,8,2>16:` as in the demonstrations that seedling was made from. */
export function stepsPrompt(numbers: readonly number[], target: number): string {
  return `${numbers.join(",")}>${target}:`;
}

function question(numbers: readonly number[], target: number): Task["prompt"] {
  const content =
    `Use the numbers ${numbers.join(", ")}, each exactly once, with +, -, *, / and brackets to make ${target}. ` +
    "Give the expression inside <answer> and </answer>.";
  return [{ role: "user", content }];
}
