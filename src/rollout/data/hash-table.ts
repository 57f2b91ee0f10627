/** A growing table from whole numbers of 53 bits to whole numbers of 31 bits, 12 bytes a place and at most three quarters full. */
export class HashTable {
  #keys = new Float64Array(1024).fill(-1);
  #values = new Int32Array(1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The value, or -1. */
  get(key: number): number {
    const place = this.#place(key);
    return this.#keys[place] === key ? this.#values[place]! : -1;
  }

  set(key: number, value: number): void {
    const place = this.#place(key);
    this.#values[place] = value;
    if (this.#keys[place] === key) return;
    this.#keys[place] = key;
    this.#size++;
    if (this.#size > 0.75 * this.#keys.length) this.#rebuild(this.#keys.length * 2, () => true);
  }

  /** Keeps only some keys. */
  filter(keeps: (key: number) => boolean): void {
    this.#rebuild(this.#keys.length, keeps);
  }

  /** Where a key is, or where it would be put. */
  #place(key: number): number {
    const mask = this.#keys.length - 1;
    let place = (key % 0x1_0000_0000) & mask;
    while (this.#keys[place] !== -1 && this.#keys[place] !== key) place = (place + 1) & mask;
    return place;
  }

  #rebuild(capacity: number, keeps: (key: number) => boolean): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Float64Array(capacity).fill(-1);
    this.#values = new Int32Array(capacity);
    this.#size = 0;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      if (key === -1 || !keeps(key)) continue;
      const place = this.#place(key);
      this.#keys[place] = key;
      this.#values[place] = values[i]!;
      this.#size++;
    }
  }
}

/** Two independent 32-bit states of a running hash. */
interface Lanes {
  a: number;
  b: number;
}

const START: Lanes = { a: 0x811c9dc5 | 0, b: 0x2545f491 };

function feed(lanes: Lanes, value: number): void {
  lanes.a = Math.imul(lanes.a ^ value, 0x01000193); // FNV-1a
  lanes.b = Math.imul(((lanes.b << 13) | (lanes.b >>> 19)) ^ value, 0x5bd1e995);
}

function finish({ a, b }: Lanes): number {
  return mixed(a) * 0x20_0000 + (mixed(b ^ a) >>> 11);
}

/** The last step of MurmurHash3, which spreads every bit over all. */
function mixed(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A 53-bit hash of a text. Not against attackers: two of 10 million texts share one with a chance of about 0.6 %. */
export function textHash(text: string): number {
  const lanes = { ...START };
  for (let i = 0; i < text.length; i++) feed(lanes, text.charCodeAt(i));
  return finish(lanes);
}

/** The hashes of all runs of `n` words; of the whole text when it has fewer. */
export function ngramHashes(words: readonly string[], n: number): number[] {
  if (words.length === 0) return [];
  const hashes = words.map(textHash);
  const length = Math.min(n, words.length);
  return Array.from({ length: words.length - length + 1 }, (_, start) => {
    const lanes = { ...START };
    for (let i = start; i < start + length; i++) {
      feed(lanes, hashes[i]! / 0x20_0000);
      feed(lanes, hashes[i]!);
    }
    return finish(lanes);
  });
}
