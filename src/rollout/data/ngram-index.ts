import { HashTable, ngramHashes } from "./hash-table.ts";

/** How much of a text occurs in the indexed ones. */
export interface Overlap {
  /** n-grams that were looked for: those in the sample that no large part of the indexed texts shares. */
  readonly total: number;
  /** Those of them that occur. */
  readonly hits: number;
  /** Number of the indexed text that most of them are of, -1 without hits. */
  readonly source: number;
}

/** n-grams that more than this share of the texts have are instructions, not questions. */
const COMMON_SHARE = 0.05;
const COMMON_LEAST = 3;

/**
 * Which n-grams of words occur in a collection of texts, in bounded memory: when there are too many, only those are kept whose hash falls
 * into one of so many classes, in all texts alike, so that shares stay comparable.
 */
export class NgramIndex {
  readonly n: number;
  readonly #limit: number;
  readonly #first = new HashTable();
  readonly #count = new HashTable();
  readonly #last = new HashTable();
  #stride = 1;
  #texts = 0;

  /** @param limit n-grams that are kept at most */
  constructor(n: number, limit = 2 ** 20) {
    this.n = n;
    this.#limit = limit;
  }

  /** One of so many n-grams is looked at. */
  get stride(): number {
    return this.#stride;
  }

  /** Adds a text; `source` is its number, from 0. */
  add(words: readonly string[], source: number): void {
    this.#texts++;
    for (const hash of ngramHashes(words, this.n)) {
      if (!this.#isSampled(hash) || this.#last.get(hash) === source) continue;
      if (this.#first.get(hash) === -1) this.#first.set(hash, source);
      this.#count.set(hash, Math.max(0, this.#count.get(hash)) + 1);
      this.#last.set(hash, source);
    }
    while (this.#first.size > this.#limit) {
      this.#stride *= 2;
      for (const table of [this.#first, this.#count, this.#last]) table.filter((hash) => this.#isSampled(hash));
    }
  }

  /** By the upper bits: the tables use the lower ones. */
  #isSampled(hash: number): boolean {
    return Math.floor(hash / 2 ** 33) % this.#stride === 0;
  }

  /** Looks for a text's n-grams. */
  overlap(words: readonly string[]): Overlap {
    const common = Math.max(COMMON_LEAST, COMMON_SHARE * this.#texts);
    const votes = new Map<number, number>();
    let [total, hits] = [0, 0];
    for (const hash of ngramHashes(words, this.n)) {
      if (!this.#isSampled(hash)) continue;
      const count = this.#count.get(hash);
      if (count > common) continue;
      total++;
      if (count <= 0) continue;
      hits++;
      const source = this.#first.get(hash);
      votes.set(source, (votes.get(source) ?? 0) + 1);
    }
    const [best] = [...votes].sort(([, left], [, right]) => right - left);
    return { total, hits, source: best?.[0] ?? -1 };
  }
}
