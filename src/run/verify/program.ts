import type { LossSource, TokenLoss } from "../../policy/index.ts";

/** Per token: log-prob of the most probable one, and how far the second lies below it (the gap between the two best logits). */
export function bestTwo(): TokenLoss {
  return {
    features: [],
    scalars: [],
    build(g, { logProbabilities }) {
      const { values } = g.topK(logProbabilities, 2); // [c, 2]
      const column = (at: number) => g.squeeze(g.slice(values, 1, at, at + 1), [1]);
      const [best, second] = [column(0), column(1)];
      return { terms: {}, perToken: { best, gap: g.sub(best, second) } };
    },
  };
}

/** Where the policy's thread finds {@link bestTwo}. */
export const BEST_TWO: LossSource = { module: import.meta.url, exportName: "bestTwo", options: null };
