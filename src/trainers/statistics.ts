import type { Rng } from "../utils/rng.ts";

/** Arithmetic mean; NaN of nothing. */
export function mean(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Unbiased standard deviation (n − 1); 0 for fewer than two values. */
export function std(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  let sum = 0;
  for (const value of values) sum += (value - centre) ** 2;
  return Math.sqrt(sum / (values.length - 1));
}

/** Quantile at a level in [0, 1] with linear interpolation between order statistics (numpy's default). */
export function quantile(values: readonly number[], level: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = level * (sorted.length - 1);
  const below = Math.floor(at);
  const [x, y] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
  return x + (at - below) * (y - x);
}

/**
 * Unbiased estimate of the chance that at least one of k samples is right: 1 − C(n−c, k)/C(n, k), from c right ones of n.
 * Chen et al., arXiv:2107.03374, as the product that does not overflow.
 * @throws RangeError when k > n
 */
export function passAtK(n: number, c: number, k: number): number {
  if (k > n || c > n || k < 1)
    throw new RangeError(`passAtK(): needs 1 <= k <= n and c <= n, got n=${n}, c=${c}, k=${k}`);
  if (n - c < k) return 1;
  let allWrong = 1;
  for (let i = n - c + 1; i <= n; i++) allWrong *= 1 - k / i;
  return 1 - allWrong;
}

/**
 * Whether the most frequent answer is right. Answers are compared as text; samples without an answer do not vote; at a tie the answer that
 * came first wins. False when nobody answered.
 */
export function majorityCorrect(
  samples: readonly { readonly answer: string | null; readonly correct: boolean }[],
): boolean {
  const votes = new Map<string, { count: number; correct: boolean }>();
  for (const { answer, correct } of samples) {
    if (answer === null) continue;
    const entry = votes.get(answer) ?? { count: 0, correct };
    entry.count++;
    votes.set(answer, entry);
  }
  let best: { count: number; correct: boolean } | undefined;
  for (const entry of votes.values()) if (!best || entry.count > best.count) best = entry;
  return best?.correct ?? false;
}

const RESAMPLES = 2000;

/** 95 % percentile bootstrap interval of the mean of one value per problem. */
export function bootstrapInterval(values: readonly number[], rng: Rng, resamples = RESAMPLES): [number, number] {
  if (values.length === 0) return [Number.NaN, Number.NaN];
  const means = Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[Math.floor(rng.uniform() * values.length)]!;
    return sum / values.length;
  });
  return [quantile(means, 0.025), quantile(means, 0.975)];
}
