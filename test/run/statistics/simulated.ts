import type { Scores } from "../../../src/run/statistics/index.ts";
import type { Rng } from "../../../src/utils/rng.ts";

/** A world of made-up runs in which the truth is known: every value of a method has mean 0.5. */
export interface World {
  readonly seeds: number;
  readonly problems: number;
  readonly samples: number;
  /** Chances of problems lie within 0.5 ± this. */
  readonly problemSpread: number;
  /** What a seed adds to the chance of every problem lies within ± this. */
  readonly seedSpread: number;
}

/** Chances of the problems of an evaluation. */
export function drawProblems({ problems, problemSpread }: World, rng: Rng): number[] {
  return Array.from({ length: problems }, () => 0.5 + problemSpread * (2 * rng.uniform() - 1));
}

/** Shares of right samples by seed and problem: the chance of the problem plus what the seed adds, and the noise of sampling. */
export function drawScores({ seeds, samples, seedSpread }: World, chances: readonly number[], rng: Rng): Scores {
  return Array.from({ length: seeds }, () => {
    const added = seedSpread * (2 * rng.uniform() - 1);
    return chances.map((chance) => {
      let right = 0;
      for (let i = 0; i < samples; i++) if (rng.uniform() < chance + added) right++;
      return right / samples;
    });
  });
}
