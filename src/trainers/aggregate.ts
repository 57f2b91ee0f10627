import { liveSlots, type TokenBatch } from "../entropy-control/index.ts";
import type { AggregateConfig } from "./config.ts";

/**
 * Weights of an aggregation: the aggregate of x is Σ weight · x. They depend on the live tokens alone.
 *
 * `mini-batch` counts tokens, or rows with a live token, over the whole mini-batch. `micro-batch` averages within each micro-batch, where rows
 * without a live token count as 0, and weighs it by its share of the rows.
 * @param tokens [n] which tokens count; the live ones when absent
 * @param inBase [rows] rows that are left out are not there at all
 * @returns [n]; 0 where a token does not count
 */
export function aggregationWeights(
  batch: TokenBatch,
  config: AggregateConfig,
  { tokens = batch.live, inBase }: { tokens?: Uint8Array; inBase?: readonly boolean[] } = {},
): Float64Array {
  const weights = new Float64Array(batch.live.length);
  const counted: TokenBatch = { ...batch, live: tokens };
  const isBase = (i: number): boolean => inBase?.[i] ?? true;
  const rows = batch.rows.flatMap((_, i) => (isBase(i) ? [i] : []));
  const slotsOf = new Map(rows.map((i) => [i, liveSlots(counted, [i])]));
  const spread = (members: readonly number[], denominatorRows: number, share: number): void => {
    const total = members.reduce((sum, i) => sum + slotsOf.get(i)!.length, 0);
    for (const i of members) {
      const slots = slotsOf.get(i)!;
      for (const t of slots) weights[t] = share * tokenWeight(config, total, denominatorRows, slots.length);
    }
  };
  if (config.denominator === "mini-batch") {
    spread(rows, rows.filter((i) => slotsOf.get(i)!.length > 0).length, 1);
  } else {
    for (const micro of batch.microBatches) {
      const members = micro.filter(isBase);
      spread(members, members.length, members.length / rows.length);
    }
  }
  return weights;
}

function tokenWeight(config: AggregateConfig, tokens: number, rows: number, rowTokens: number): number {
  switch (config.name) {
    case "token-mean":
      return 1 / tokens;
    case "seq-mean-token-mean":
      return 1 / (rows * rowTokens);
    case "seq-mean-token-sum":
      return 1 / rows;
    case "constant":
      return 1 / (rows * config.length);
  }
}
