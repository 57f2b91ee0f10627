import { createHash } from "node:crypto";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

/**
 * A seeded random stream. `fork` derives an independent stream from a name, so that adding a consumer never shifts the numbers of
 * another: `rng.fork("sampling", step, promptId)`. Streams are a function of (seed, names) alone, so a resumed run needs no stored state.
 */
export interface Rng {
  /** Uniform integer in [0, 2^32). */
  uint32(): number;
  /** Uniform in (0, 1), a multiple of 2^-24 that float32 holds exactly: never 0, never 1. */
  uniform(): number;
  /** Uniform integer in [low, high], both included. */
  int(low: number, high: number): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** One element, uniformly. */
  pick<T>(items: readonly T[]): T;
  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /** An independent stream named by the path of names. */
  fork(...names: (string | number)[]): Rng;
}

/** Creates the stream of a seed. */
export function createRng(seed: number | string): Rng {
  return fromPath([`seed:${seed}`]);
}

function fromPath(path: readonly string[]): Rng {
  const digest = createHash("sha256").update(path.join("\u0000")).digest();
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => digest.readInt32LE(offset)));
  const uint32 = (): number => generator.next() >>> 0;
  const below = (size: number): number => {
    const limit = Math.floor(2 ** 32 / size) * size; // rejection keeps every value equally likely
    let value = uint32();
    while (value >= limit) value = uint32();
    return value % size;
  };
  const rng: Rng = {
    uint32,
    uniform: () => ((uint32() >>> 9) + 0.5) / 2 ** 23,
    int: (low, high) => low + below(high - low + 1),
    normal: () => Math.sqrt(-2 * Math.log(rng.uniform())) * Math.cos(2 * Math.PI * rng.uniform()),
    pick: (items) => {
      if (items.length === 0) throw new RangeError("rng.pick(): the list is empty");
      return items[below(items.length)]!;
    },
    shuffle: (items) => {
      const copy = [...items];
      for (let i = copy.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [copy[i], copy[j]] = [copy[j]!, copy[i]!];
      }
      return copy;
    },
    fork: (...names) => fromPath([...path, ...names.map((name) => `${typeof name}:${name}`)]),
  };
  return rng;
}
