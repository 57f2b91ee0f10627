/** The random numbers of CPython's `random.Random`, so that a seed gives the same problem as in reasoning-gym. */

/** One seeded stream. Equal seeds give the numbers of `random.Random(seed)` of CPython 3.11 and 3.12. */
export interface PythonRandom {
  /** Uniform in [0, 1), a multiple of 2^-53. */
  random(): number;
  /** Uniform integer of so many bits, at most 53. */
  getrandbits(bits: number): number;
  /** Uniform integer in [low, high], both included; the range may hold up to 2^53 values. */
  randint(low: number, high: number): number;
  /** low + (high − low) · random() */
  uniform(low: number, high: number): number;
  /** One element. @throws RangeError for an empty list */
  choice<T>(items: readonly T[]): T;
  /** One element with probability in proportion to its weight: `choices(items, weights)[0]`. */
  weighted<T>(items: readonly T[], weights: readonly number[]): T;
  /** A shuffled copy. */
  shuffle<T>(items: readonly T[]): T[];
  /** Distinct places, in random order. @throws RangeError when more are asked for than there are */
  sample<T>(items: readonly T[], count: number): T[];
}

/** The stream of an integer seed; like CPython it takes the absolute value. */
export function pythonRandom(seed: number | bigint): PythonRandom {
  const uint32 = mt19937(words(seed));
  const getrandbits = (bits: number): number => {
    if (bits < 0 || bits > 53) throw new RangeError(`getrandbits(): ${bits} bits are outside 0..53`);
    if (bits === 0) return 0;
    const low = bits >= 32 ? uint32() : uint32() >>> (32 - bits);
    return bits <= 32 ? low : (uint32() >>> (64 - bits)) * 2 ** 32 + low;
  };
  const below = (size: number): number => {
    const bits = bitLength(size);
    let value = getrandbits(bits);
    while (value >= size) value = getrandbits(bits);
    return value;
  };
  const random = (): number => {
    const high = uint32() >>> 5;
    return (high * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53;
  };
  return {
    random,
    getrandbits,
    randint(low, high) {
      if (!(high >= low)) throw new RangeError(`randint(): ${low}..${high} is empty`);
      return low + below(high - low + 1);
    },
    uniform: (low, high) => low + (high - low) * random(),
    choice(items) {
      if (items.length === 0) throw new RangeError("choice(): the list is empty");
      return items[below(items.length)]!;
    },
    weighted: (items, weights) => items[weightedIndex(weights, random)]!,
    shuffle(items) {
      const copy = [...items];
      for (let i = copy.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [copy[i], copy[j]] = [copy[j]!, copy[i]!];
      }
      return copy;
    },
    sample(items, count) {
      if (count > items.length) throw new RangeError(`sample(): ${count} of ${items.length} items`);
      return samplePlaces(items.length, count, below).map((place) => items[place]!);
    },
  };
}

/** First place whose cumulated weight is above a uniform number. */
function weightedIndex(weights: readonly number[], random: () => number): number {
  let total = 0;
  const sums = weights.map((weight) => {
    total += weight;
    return total;
  });
  const at = random() * total;
  const found = sums.findIndex((sum) => at < sum);
  return found < 0 ? weights.length - 1 : Math.min(found, weights.length - 1);
}

/** CPython draws from a shrinking pool when that is smaller than a set of the places taken, and rejects places taken otherwise. */
function samplePlaces(size: number, count: number, below: (size: number) => number): number[] {
  const setSize = 21 + (count > 5 ? 4 ** Math.ceil(Math.log(count * 3) / Math.log(4)) : 0);
  if (size > setSize) {
    const taken = new Set<number>();
    while (taken.size < count) taken.add(below(size)); // a place drawn twice is drawn anew
    return [...taken];
  }
  const pool = Array.from({ length: size }, (_, i) => i);
  return Array.from({ length: count }, (_, i) => {
    const at = below(size - i);
    const place = pool[at]!;
    pool[at] = pool[size - i - 1]!;
    return place;
  });
}

function bitLength(value: number): number {
  return value < 2 ** 32 ? 32 - Math.clz32(value) : 64 - Math.clz32(Math.floor(value / 2 ** 32));
}

/** 32-bit words of |seed|, lowest first; one word for 0. */
function words(seed: number | bigint): number[] {
  let rest = BigInt(seed);
  if (rest < 0n) rest = -rest;
  const list: number[] = [];
  do {
    list.push(Number(rest & 0xffffffffn));
    rest >>= 32n;
  } while (rest > 0n);
  return list;
}

const SIZE = 624;
const SHIFT = 397;

/** Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998), seeded by an array of words: a function that returns 32 random bits. */
function mt19937(key: readonly number[]): () => number {
  const state = seedByArray(key);
  let at = SIZE;
  return () => {
    if (at === SIZE) {
      twist(state);
      at = 0;
    }
    let word = state[at++]!;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  };
}

/** Replaces all words of the state by the next ones. */
function twist(state: Uint32Array): void {
  for (let i = 0; i < SIZE; i++) {
    const joined = (state[i]! & 0x80000000) | (state[(i + 1) % SIZE]! & 0x7fffffff);
    const next = state[(i + SHIFT) % SIZE]! ^ (joined >>> 1);
    state[i] = joined & 1 ? next ^ 0x9908b0df : next;
  }
}

function seedByArray(key: readonly number[]): Uint32Array {
  const state = new Uint32Array(SIZE);
  const scrambled = (i: number): number => state[i]! ^ (state[i]! >>> 30);
  state[0] = 19650218;
  for (let i = 1; i < SIZE; i++) state[i] = Math.imul(1812433253, scrambled(i - 1)) + i;
  let i = 1;
  const step = (factor: number, added: number): void => {
    state[i] = (state[i]! ^ Math.imul(scrambled(i - 1), factor)) + added;
    if (++i === SIZE) {
      state[0] = state[SIZE - 1]!;
      i = 1;
    }
  };
  for (let k = 0; k < Math.max(SIZE, key.length); k++) {
    const j = k % key.length;
    step(1664525, key[j]! + j);
  }
  for (let k = 0; k < SIZE - 1; k++) step(1566083941, -i);
  state[0] = 0x80000000;
  return state;
}
