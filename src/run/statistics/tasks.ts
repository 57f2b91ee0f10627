/**
 * Mean of the middle half: a quarter of the values, rounded down, is left out at each end. Less moved by single runs than the mean, and by fewer than half of the
 * tasks than the median. Agarwal et al. 2021, arXiv:2108.13264.
 */
export function interquartileMean(values: Float64Array | readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const cut = Math.floor(sorted.length / 4);
  let sum = 0;
  for (let i = cut; i < sorted.length - cut; i++) sum += sorted[i]!;
  return sum / (sorted.length - 2 * cut);
}

/** Share of values above each threshold: a performance profile (score distribution) of the same paper. */
export function performanceProfile(values: Float64Array | readonly number[], thresholds: readonly number[]): number[] {
  return thresholds.map((threshold) => {
    let above = 0;
    for (const value of values) if (value > threshold) above++;
    return above / values.length;
  });
}
