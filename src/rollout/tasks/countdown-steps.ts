/**
 * The small world of countdown in steps: combine numbers pairwise, one operation a step, every value an integer in [0, limit].
 * A try is written `8*4=32,32/2=16`.
 */
import { createRng } from "../../utils/rng.ts";

/** One solvable problem: numbers in rising order and a target. */
export interface CountdownPair {
  readonly numbers: readonly number[];
  readonly target: number;
}

/** One operation on two of the values at hand. */
export interface Operation {
  readonly left: number;
  readonly sign: "+" | "-" | "*" | "/";
  readonly right: number;
  readonly value: number;
}

/** All legal operations on two values, in both orders where the order matters or can be written. */
export function operationsOn(a: number, b: number, limit: number): Operation[] {
  const all: Operation[] = [];
  const add = (left: number, sign: Operation["sign"], right: number, value: number): void => {
    if (Number.isInteger(value) && value >= 0 && value <= limit) all.push({ left, sign, right, value });
  };
  const orders = a === b ? [[a, b] as const] : [[a, b] as const, [b, a] as const];
  for (const [x, y] of orders) {
    add(x, "+", y, x + y);
    add(x, "-", y, x - y);
    add(x, "*", y, x * y);
    if (y !== 0) add(x, "/", y, x / y);
  }
  return all;
}

/** Calls `visit` with every complete sequence of operations that uses all numbers. */
export function visitTries(
  numbers: readonly number[],
  limit: number,
  visit: (operations: readonly Operation[]) => void,
): void {
  const path: Operation[] = [];
  const go = (values: readonly number[]): void => {
    if (values.length === 1) {
      visit(path);
      return;
    }
    const seen = new Set<string>();
    for (let i = 0; i < values.length; i++) {
      for (let j = i + 1; j < values.length; j++) {
        const key = [values[i]!, values[j]!].sort((x, y) => x - y).join();
        if (seen.has(key)) continue; // equal values are one choice
        seen.add(key);
        const rest = values.filter((_, k) => k !== i && k !== j);
        for (const operation of operationsOn(values[i]!, values[j]!, limit)) {
          path.push(operation);
          go([...rest, operation.value]);
          path.pop();
        }
      }
    }
  };
  go(numbers);
}

/** `8*4=32,32/2=16` */
export function writeTry(operations: readonly Operation[]): string {
  return operations.map(({ left, sign, right, value }) => `${left}${sign}${right}=${value}`).join(",");
}

/** All multisets of `count` numbers from 1 to `maxNumber`, in rising order. */
export function multisets(count: number, maxNumber: number): number[][] {
  if (count === 0) return [[]];
  return multisets(count - 1, maxNumber).flatMap((head) => {
    const from = head.at(-1) ?? 1;
    return Array.from({ length: maxNumber - from + 1 }, (_, i) => [...head, from + i]);
  });
}

/** Targets from 1 to `limit` that a multiset can reach. */
export function reachableTargets(numbers: readonly number[], limit: number): number[] {
  const reached = new Set<number>();
  visitTries(numbers, limit, (operations) => reached.add(operations.at(-1)!.value));
  return [...reached].filter((value) => value >= 1 && value <= limit).sort((a, b) => a - b);
}

/** Every solvable (multiset, target) pair, in a fixed order. Three numbers of 1–9 with limit 99 give 2,144. */
export function solvablePairs(count: number, maxNumber: number, limit: number): CountdownPair[] {
  return multisets(count, maxNumber).flatMap((numbers) =>
    reachableTargets(numbers, limit).map((target) => ({ numbers, target })),
  );
}

/**
 * Whether a pair belongs to the test split: a hash of its content decides, so that the splits can't overlap whatever their options.
 * @param share of all pairs that are held out
 */
export function isHeldOut({ numbers, target }: CountdownPair, share: number): boolean {
  return createRng("countdown-split").fork(numbers.join(","), target).uniform() < share;
}
