/** Chance that |T| of Student's t with `degrees` (> 0, need not be whole) is at least |t|: the two-sided p-value. */
export function studentTail(t: number, degrees: number): number {
  if (!Number.isFinite(t)) return Number.isNaN(t) ? Number.NaN : 0;
  return incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
}

/** Quantile of Student's t at a level in (0, 1), by Newton's method on {@link studentTail} between bounds; infinite degrees give the normal one to 1e-6. */
export function studentQuantile(level: number, degrees: number): number {
  if (!(level > 0 && level < 1 && degrees > 0))
    throw new RangeError(`studentQuantile(): needs a level in (0, 1) and degrees > 0, got ${level} and ${degrees}`);
  if (level < 0.5) return -studentQuantile(1 - level, degrees);
  const tail = 2 * (1 - level);
  const finite = Math.min(degrees, 1e7);
  let [low, high] = [0, 1];
  while (studentTail(high, finite) > tail) [low, high] = [high, 2 * high];
  const scale = Math.exp(logGamma((finite + 1) / 2) - logGamma(finite / 2)) / Math.sqrt(finite * Math.PI);
  let t = (low + high) / 2;
  for (let i = 0; i < 100; i++) {
    const excess = studentTail(t, finite) - tail;
    if (excess > 0) low = t;
    else high = t;
    const density = scale * Math.exp(-((finite + 1) / 2) * Math.log1p((t * t) / finite));
    const step = t + excess / (2 * density);
    const next = step > low && step < high ? step : (low + high) / 2;
    if (Math.abs(next - t) <= 1e-13 * (1 + t)) return next;
    t = next;
  }
  return t;
}

/** Regularised incomplete beta function I_x(a, b), by its continued fraction (Abramowitz and Stegun 26.5.8). */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return (front * fraction(x, a, b)) / a;
}

/** 1 / (1 + d1 / (1 + d2 / …)), evaluated from the front by Lentz's method. */
function fraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const away = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m <= 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    value *= c * d;
    const odd = -((a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return value;
}

/** ln Γ(x) for x > 0: Stirling's series, after the recurrence has brought x above 10. */
export function logGamma(x: number): number {
  let [shift, z] = [0, x];
  for (; z < 10; z++) shift -= Math.log(z);
  const r = 1 / (z * z);
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r / 1188)))) / z;
  return shift + (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series;
}
