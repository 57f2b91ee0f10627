import { z } from "zod";
import type { Rng } from "../../utils/rng.ts";
import { stepsPrompt } from "../tasks/countdown.ts";
import {
  type CountdownPair,
  isHeldOut,
  type Operation,
  operationsOn,
  solvablePairs,
  visitTries,
  writeTry,
} from "../tasks/countdown-steps.ts";
import type { Demonstration, DemonstrationDef, DemonstrationSet } from "./types.ts";

const share = (value: number, what: string) => z.number().min(0).max(1).default(value).describe(what);

const Options = z.strictObject({
  solve: share(0.8, "chance that a try is a right solution (else random legal operations)"),
  giveUp: share(0.1, "chance of ending after a wrong try"),
  tries: z.int().min(1).default(4).describe("most tries in one trace"),
  fourNumbers: share(0.12, "share of problems with four numbers (never part of the three-number test split)"),
  arithmetic: share(0.1, "share of bracketed expressions to work out instead of a search: `?8*(7-6):`"),
  maxNumber: z.int().min(2).max(20).default(9).describe("numbers are from 1 to this"),
  maxTarget: z.int().min(1).max(999).default(99).describe("targets and all values on the way are at most this"),
  holdOut: z.number().gt(0).lt(1).default(0.15).describe("share of pairs held out; must be that of the task set"),
});
type Options = z.infer<typeof Options>;

/**
 * Reasoning traces for countdown in steps: tries made of single operations, ` no` starts another try, ` yes` ends, the last try is the answer.
 * `4,7,3>14:` → `7-4=3,3+3=6 no7*3=21,4*21=84 no3+4=7,7+7=14 yes`. Held-out problems never occur.
 */
export const countdownTraces: DemonstrationDef<typeof Options> = {
  name: "countdown-traces",
  options: Options,
  open: (options) => Promise.resolve(openTraces(options)),
};

function openTraces(options: Options): DemonstrationSet {
  const { maxNumber, maxTarget, holdOut } = options;
  const pairsOf = (count: number): CountdownPair[] =>
    solvablePairs(count, maxNumber, maxTarget).filter((pair) => !isHeldOut(pair, holdOut));
  const three = pairsOf(3);
  const four = options.fourNumbers > 0 ? pairsOf(4) : [];
  const solutions = new Map<string, readonly string[]>();
  const solve = (pair: CountdownPair): readonly string[] => {
    const key = `${pair.numbers.join(",")}>${pair.target}`;
    let found = solutions.get(key);
    if (!found) {
      found = solutionsOf(pair, maxTarget);
      solutions.set(key, found);
    }
    return found;
  };
  return {
    name: "countdown-traces",
    hasEpisodes: false,
    draw(rng) {
      if (rng.uniform() < options.arithmetic) return arithmetic(rng, options);
      const pair = rng.pick(rng.uniform() < options.fourNumbers ? four : three);
      return trace(pair, solve(pair), rng, options);
    },
  };
}

function solutionsOf({ numbers, target }: CountdownPair, limit: number): string[] {
  const found: string[] = [];
  visitTries(numbers, limit, (operations) => {
    if (operations.at(-1)!.value === target) found.push(writeTry(operations));
  });
  return found;
}

function trace(
  pair: CountdownPair,
  solutions: readonly string[],
  rng: Rng,
  { solve, giveUp, tries, maxTarget }: Options,
): Demonstration {
  const prompt = stepsPrompt(rng.shuffle(pair.numbers), pair.target);
  let completion = "";
  for (let attempt = 1; ; attempt++) {
    const isSolved = rng.uniform() < solve;
    const operations = isSolved ? null : randomTry(pair.numbers, maxTarget, rng);
    completion += operations ? writeTry(operations) : rng.pick(solutions);
    if (!operations || operations.at(-1)!.value === pair.target) return { prompt, completion: `${completion} yes` };
    completion += " no";
    if (attempt === tries || rng.uniform() < giveUp) return { prompt, completion };
  }
}

/** Random legal operations until one value is left. */
function randomTry(numbers: readonly number[], limit: number, rng: Rng): Operation[] {
  for (;;) {
    let values = [...numbers];
    const operations: Operation[] = [];
    while (values.length > 1) {
      const [a, b, ...rest] = rng.shuffle(values);
      const legal = operationsOn(a!, b!, limit);
      if (legal.length === 0) break;
      const operation = rng.pick(legal);
      operations.push(operation);
      values = [...rest, operation.value];
    }
    if (values.length === 1) return operations;
  }
}

/** A bracketed expression and its steps: `?8*(7-6):` → `7-6=1,8*1=8 yes`. */
function arithmetic(rng: Rng, { maxNumber, maxTarget }: Options): Demonstration {
  const count = rng.int(2, 4);
  const numbers = Array.from({ length: count }, () => rng.int(1, maxNumber));
  let values = numbers.map((value) => ({ value, text: String(value) }));
  const operations: Operation[] = [];
  while (values.length > 1) {
    const at = rng.int(0, values.length - 2);
    const [a, b] = [values[at]!, values[at + 1]!];
    const legal = operationsOn(a.value, b.value, maxTarget).filter(
      ({ left, right }) => left === a.value && right === b.value,
    );
    if (legal.length === 0) return arithmetic(rng, { maxNumber, maxTarget } as Options);
    const operation = rng.pick(legal);
    operations.push(operation);
    const joined = { value: operation.value, text: `(${a.text}${operation.sign}${b.text})` };
    values = [...values.slice(0, at), joined, ...values.slice(at + 2)];
  }
  return { prompt: `?${values[0]!.text.slice(1, -1)}:`, completion: `${writeTry(operations)} yes` };
}
