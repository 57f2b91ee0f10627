import { createRng } from "../utils/rng.ts";
import { compareScores } from "./statistics/index.ts";

/** Difference of two evaluations on the same problems, as shares. */
export interface PairedDifference {
  /** Mean over problems of (share correct in b - share correct in a). */
  readonly mean: number;
  /** 95 % interval: Student's t over problems, cut to what differences of shares can be. */
  readonly low: number;
  readonly high: number;
  /** Two-sided, by flipping the sign of each problem's difference at random (10,000 draws, fixed stream). */
  readonly p: number;
  readonly problems: number;
}

/** Samples per problem and how many of them were correct. */
export interface Scores {
  readonly samples: number;
  readonly correct: readonly number[];
}

/**
 * Compares two evaluations problem by problem: what both find easy or hard cancels out.
 * @returns null when they are not on the same number of problems, or on fewer than 2
 */
export function pairedDifference(a: Scores, b: Scores): PairedDifference | null {
  const problems = a.correct.length;
  if (problems !== b.correct.length || problems < 2) return null;
  const shares = ({ correct, samples }: Scores): number[] => correct.map((count) => count / samples);
  const [before, after] = [shares(a), shares(b)];
  const { difference: mean, low, high } = compareScores([before], [after], [0, 1]);
  const differences = after.map((share, i) => share - before[i]!);
  return { mean, low, high, p: signFlip(differences, mean), problems };
}

function signFlip(differences: readonly number[], mean: number): number {
  const nonzero = differences.filter((d) => d !== 0);
  if (nonzero.length === 0) return 1;
  const rng = createRng("paired sign-flip");
  const draws = 10_000;
  const limit = Math.abs(mean) * differences.length - 1e-9;
  let asExtreme = 1; // the observed one counts, so that p is never 0
  for (let draw = 0; draw < draws; draw++) {
    let sum = 0;
    for (let i = 0; i < nonzero.length; i += 32) {
      const bits = rng.uint32();
      const end = Math.min(32, nonzero.length - i);
      for (let j = 0; j < end; j++) sum += (bits >>> j) & 1 ? nonzero[i + j]! : -nonzero[i + j]!;
    }
    if (Math.abs(sum) >= limit) asExtreme++;
  }
  return asExtreme / (draws + 1);
}
