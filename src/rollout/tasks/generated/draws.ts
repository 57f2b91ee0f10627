import { type FamilyName, LEVELS } from "./family.ts";

/** Whole numbers in proportion to the weights that add up to `size`; the largest remainders are rounded up. */
export function quotas(weights: readonly [FamilyName, number][], size: number): [FamilyName, number][] {
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  const exact = weights.map(([, weight]) => (size * weight) / total);
  const counts = exact.map(Math.floor);
  const byRemainder = exact.map((value, i) => ({ i, rest: value - counts[i]! })).sort((a, b) => b.rest - a.rest);
  const missing = size - counts.reduce((a, b) => a + b, 0);
  for (const { i } of byRemainder.slice(0, missing)) counts[i]!++;
  return weights.map(([family], i) => [family, counts[i]!]);
}

/** Between two levels the nearer one is the likelier, so that difficulty moves in small steps. */
export function drawLevel(difficulty: number, uniform: number): number {
  const place = difficulty * (LEVELS - 1);
  const below = Math.min(Math.floor(place), LEVELS - 2);
  return uniform < place - below ? below + 1 : below;
}
