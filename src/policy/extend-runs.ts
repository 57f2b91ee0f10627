/** Attention scores of one run of a layer, numbers: 128 MB. */
const MOST_SCORES = 32 << 20;

/** How many tokens a row has in the cache for itself, and how many it reads now. */
export interface RowSizes {
  readonly past: number;
  readonly tokens: number;
  /** The prompt that it shares with others and that prompt's tokens; -1 and 0 when there is none. */
  readonly prompt: number;
  readonly before: number;
}

/**
 * Which rows read together: those that read about as many tokens, as long as the scores of their attention fit.
 * @returns places in `rows`, each once
 */
export function extendRuns(rows: readonly RowSizes[], heads: number): number[][] {
  const order = rows.map((_, place) => place).sort((a, b) => rows[a]!.tokens - rows[b]!.tokens || a - b);
  const runs: number[][] = [];
  for (const place of order) {
    const joined = [...(runs.at(-1) ?? []), place];
    if (runs.length > 0 && scoresOf(joined.map((some) => rows[some]!)) * heads <= MOST_SCORES)
      runs[runs.length - 1] = joined;
    else runs.push([place]);
  }
  return runs;
}

/** Scores of a head: of each row to its own past and among its tokens, and of as many rows a prompt as the fullest prompt has. */
function scoresOf(rows: readonly RowSizes[]): number {
  const most = (of: (row: RowSizes) => number): number => Math.max(...rows.map(of));
  const tokens = most((row) => row.tokens);
  const seats = new Map<number, number>();
  for (const { prompt } of rows) if (prompt >= 0) seats.set(prompt, (seats.get(prompt) ?? 0) + 1);
  const shared = seats.size * Math.max(0, ...seats.values()) * most((row) => row.before);
  return tokens * (rows.length * (most((row) => row.past) + tokens) + shared);
}
