/** Attention scores of one run of a layer, numbers: 128 MB. */
const MOST_SCORES = 32 << 20;

/** How many tokens a row has in the cache, and how many it reads now. */
export interface RowSizes {
  readonly past: number;
  readonly tokens: number;
}

/**
 * Which rows read together: those that read about as many tokens, as long as the scores of their attention fit.
 * @returns places in `rows`, each once
 */
export function extendRuns(rows: readonly RowSizes[], heads: number): number[][] {
  const order = rows.map((_, place) => place).sort((a, b) => rows[a]!.tokens - rows[b]!.tokens || a - b);
  const runs: number[][] = [];
  let past = 0;
  for (const place of order) {
    const { tokens, past: own } = rows[place]!; // tokens rise
    past = Math.max(past, own);
    const current = runs.at(-1);
    if (current && (current.length + 1) * heads * tokens * (past + tokens) <= MOST_SCORES) current.push(place);
    else {
      runs.push([place]);
      past = own;
    }
  }
  return runs;
}
