import { majorityCorrect, passAtK } from "../../trainers/statistics.ts";
import type { Rng } from "../../utils/rng.ts";

/** pass@k of each problem for all k from 1 to n: `curve[k - 1][problem]`, from the right ones among n samples. */
export function passAtAllK(correct: readonly number[], samples: number): number[][] {
  return Array.from({ length: samples }, (_, i) => correct.map((count) => passAtK(samples, count, i + 1)));
}

/** One answer and whether it is right; null for no answer, which has no vote. */
export interface Vote {
  readonly answer: string | null;
  readonly correct: boolean;
}

/** More subsets than this are drawn in the place of enumerated. */
const MOST_SUBSETS = 1000;

/**
 * Chance that the most frequent answer of k of n samples is right: the mean of {@link majorityCorrect} over all subsets of k, in the order of the samples; over 1000
 * drawn ones where there are more.
 * @throws RangeError when k > n
 */
export function majorityAtK(votes: readonly Vote[], k: number, rng: Rng): number {
  const n = votes.length;
  if (k < 1 || k > n) throw new RangeError(`majorityAtK(): needs 1 <= k <= n, got n=${n}, k=${k}`);
  const subsets = countSubsets(n, k) <= MOST_SUBSETS ? allSubsets(n, k) : drawnSubsets(n, k, rng);
  const right = subsets.filter((subset) => majorityCorrect(subset.map((i) => votes[i]!))).length;
  return right / subsets.length;
}

function countSubsets(n: number, k: number): number {
  let count = 1;
  for (let i = 1; i <= Math.min(k, n - k); i++) count = (count * (n - i + 1)) / i;
  return Math.round(count);
}

function allSubsets(n: number, k: number, from = 0): number[][] {
  if (k === 0) return [[]];
  const all: number[][] = [];
  for (let first = from; first <= n - k; first++)
    for (const rest of allSubsets(n, k - 1, first + 1)) all.push([first, ...rest]);
  return all;
}

function drawnSubsets(n: number, k: number, rng: Rng): number[][] {
  const indexes = Array.from({ length: n }, (_, i) => i);
  return Array.from({ length: MOST_SUBSETS }, () =>
    rng
      .shuffle(indexes)
      .slice(0, k)
      .sort((a, b) => a - b),
  );
}
