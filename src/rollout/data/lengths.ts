/** Smallest, middle, 95th hundredth and largest of some lengths. */
export interface LengthSummary {
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

/** Lengths below this are counted one by one; above, in classes 1 % wide. */
const EXACT = 8192;

/** Counts lengths in constant memory. Quantiles are exact below 8192, and at most 1 % too small above; smallest and largest are always exact. */
export class LengthCounts {
  readonly #counts = new Map<number, number>();
  #min = Number.POSITIVE_INFINITY;
  #max = 0;
  #total = 0;

  add(length: number): void {
    const bin = length < EXACT ? length : EXACT + Math.floor(Math.log(length / EXACT) / Math.log(1.01));
    this.#counts.set(bin, (this.#counts.get(bin) ?? 0) + 1);
    this.#min = Math.min(this.#min, length);
    this.#max = Math.max(this.#max, length);
    this.#total++;
  }

  /** null when there is none. */
  summary(): LengthSummary | null {
    if (this.#total === 0) return null;
    const bins = [...this.#counts].sort(([left], [right]) => left - right);
    const quantile = (share: number): number => {
      let left = Math.ceil(share * this.#total); // the smallest length that at least this share does not exceed
      for (const [bin, count] of bins) {
        left -= count;
        if (left <= 0) return bin < EXACT ? bin : Math.max(this.#min, Math.ceil(EXACT * 1.01 ** (bin - EXACT)));
      }
      return this.#max;
    };
    return { min: this.#min, median: quantile(0.5), p95: quantile(0.95), max: this.#max };
  }
}
