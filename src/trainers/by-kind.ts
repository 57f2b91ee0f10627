import type { Rng } from "../utils/rng.ts";
import { bootstrapInterval, mean } from "./statistics.ts";
import type { EvaluationOutput, KindScores, Metrics } from "./types.ts";

/**
 * pass@1 of each kind of problem, kinds in alphabetical order. Nothing where there are fewer than two kinds: the total says it then.
 * @param kinds kind of each problem; problems without one are left out
 * @param rng draws of the bootstrap; every kind has its own stream
 */
export function scoresByKind(
  kinds: readonly (string | undefined)[],
  { correct, samples }: Pick<EvaluationOutput, "correct" | "samples">,
  rng: Rng,
): KindScores[] {
  const names = [...new Set(kinds)].filter((kind) => kind !== undefined).sort();
  if (names.length < 2) return [];
  return names.map((kind) => {
    const counts = correct.filter((_, i) => kinds[i] === kind);
    const shares = counts.map((count) => count / samples);
    const [low, high] = bootstrapInterval(shares, rng.fork(kind));
    return { kind, problems: counts.length, samples, value: mean(shares), low, high, correct: counts };
  });
}

/** The same as metrics: `val-aux/{set}/{kind}/acc/mean@{n}` with its interval. See {@link kindWord}. */
export function kindMetrics(set: string, scores: readonly KindScores[]): Metrics {
  return Object.fromEntries(
    scores.flatMap(({ kind, samples, value, low, high }) => {
      const name = `val-aux/${set}/${kindWord(kind)}/acc/mean@${samples}`;
      return [
        [name, value],
        [`${name}/ci95_low`, low],
        [`${name}/ci95_high`, high],
      ];
    }),
  );
}

/** A kind as one word of a metric's name, different for different kinds: a slash, which would end the word, becomes `:`; a colon of its own `~:`, and `~` `~~`. */
function kindWord(kind: string): string {
  return kind.replace(/[~:]/g, "~$&").replaceAll("/", ":");
}
