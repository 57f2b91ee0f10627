import type { KindScores } from "../trainers/types.ts";
import { type PairedDifference, pairedDifference } from "./compare.ts";

/** pass@1 as a share with its 95 % interval. */
export type Share = Pick<KindScores, "value" | "low" | "high">;

/** One kind of problem in two evaluations. */
export interface KindChange {
  readonly kind: string;
  readonly problems: number;
  readonly before: Share;
  readonly after: Share;
  /** Paired over the problems of the kind; null with fewer than two of them. */
  readonly difference: PairedDifference | null;
}

interface Evaluated {
  readonly byKind?: readonly KindScores[];
}

/** Every kind of two evaluations on the same problems; empty where they were not measured by kind. */
export function compareByKind(before: Evaluated | undefined, after: Evaluated | undefined): KindChange[] {
  const later = new Map((after?.byKind ?? []).map((scores) => [scores.kind, scores]));
  return (before?.byKind ?? []).flatMap((first) => {
    const second = later.get(first.kind);
    if (!second) return [];
    const { kind, problems } = first;
    return [
      { kind, problems, before: share(first), after: share(second), difference: pairedDifference(first, second) },
    ];
  });
}

function share({ value, low, high }: KindScores): Share {
  return { value, low, high };
}
