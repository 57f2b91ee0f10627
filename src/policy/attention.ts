import { type Dim, dimMul, type Graph, type Shape, type Value } from "../graph/index.ts";
import { chunkedAttention } from "./attention-chunks.ts";
import type { ModelConfig } from "./config.ts";

/** Sizes of heads that every attention needs. */
export type HeadSizes = Pick<ModelConfig, "heads" | "kvHeads" | "headDim">;

/** Which token stands where in blocks of equal length; int32. Queries have `heads` rows a token, keys and values `kvHeads`. */
export interface BlockPlaces {
  /** Rows of the tokens that fill the block. */
  readonly querySlots: Value;
  readonly keySlots: Value;
  /** [n, heads] and [n, kvHeads]: where each row of a token is in the block. */
  readonly queryPlaces: Value;
  readonly keyPlaces: Value;
  /** Added to the scores among the tokens of one row of the block; in chunks those of the last chunk [R, T]. */
  readonly causal: Value;
  /** Where queries go in chunks (slots are [n, .., R] then): how many keys each of them sees [n]; else null. */
  readonly ends: Value | null;
}

/** Places of tails: slots are [P, kvHeads, S, ..], and `past` [P, 1, 1, L] closes what is beyond the end of each prefix. */
export interface TailPlaces extends BlockPlaces {
  readonly past: Value;
}

/**
 * Attention of packed sequences (`packing.ts`): each prefix sees itself; each tail sees its prefix, which is there once for all its tails, and itself.
 * The first n tokens are those of prefixes, the others those of tails.
 * @param q [N, heads*headDim], k and v [N, kvHeads*headDim]
 * @returns [N, heads*headDim]
 */
export function packedAttention(
  g: Graph,
  sizes: HeadSizes,
  { q, k, v }: { q: Value; k: Value; v: Value },
  { prefix, tail }: { prefix: BlockPlaces; tail: TailPlaces | null },
): Value {
  const counts = tail ? [prefix.queryPlaces.shape[0]!, tail.queryPlaces.shape[0]!] : [q.shape[0]!];
  const parts = (x: Value): readonly Value[] => (tail ? g.split(x, counts, 0) : [x]);
  const [[qp, qt], [kp, kt], [vp, vt]] = [parts(q), parts(k), parts(v)] as [Value[], Value[], Value[]];
  const block = new Block(g, sizes, prefix);
  const [keys, values] = [block.keys(kp!), block.keys(vp!)]; // [P, kvHeads, L, d]
  const own = block.tokens(block.among(block.queries(qp!), keys, values));
  if (!tail) return own;
  const tails = new Block(g, sizes, tail);
  const after = tails.after(
    tails.queries(qt!),
    { keys, values },
    { keys: tails.keys(kt!), values: tails.keys(vt!) },
    tail.past,
  );
  return g.concat([own, tails.tokens(after)], 0);
}

/** Attention inside blocks: [.., groups, T] rows of queries to each row of keys [.., T]. */
class Block {
  private readonly g: Graph;
  private readonly sizes: HeadSizes;
  private readonly places: BlockPlaces;
  private readonly alpha: number;

  constructor(g: Graph, sizes: HeadSizes, places: BlockPlaces) {
    this.g = g;
    this.sizes = sizes;
    this.places = places;
    this.alpha = 1 / Math.sqrt(sizes.headDim);
  }

  /** [n, heads*d] → [.., groups, T, d], in chunks [n, .., groups, R, d] */
  queries(x: Value): Value {
    const { querySlots, queryPlaces } = this.places;
    return this.g.rearrange(this.rowsOf(x, this.sizes.heads), querySlots, queryPlaces);
  }

  /** [n, kvHeads*d] → [.., T, d] */
  keys(x: Value): Value {
    const { keySlots, keyPlaces } = this.places;
    return this.g.rearrange(this.rowsOf(x, this.sizes.kvHeads), keySlots, keyPlaces);
  }

  /** The inverse of `queries`. */
  tokens(x: Value): Value {
    const { querySlots, queryPlaces } = this.places;
    const { heads, headDim } = this.sizes;
    const rows = this.g.reshape(x, [leading(x), headDim]);
    const mixed = this.g.rearrange(rows, queryPlaces, querySlots); // [n, heads, d]
    return this.g.reshape(mixed, [mixed.shape[0]!, heads * headDim]);
  }

  /** Tokens see those of their row before them. q [.., groups, T, d], keys and values [.., T, d] → [.., groups, T, d] */
  among(q: Value, keys: Value, values: Value): Value {
    const { causal, ends } = this.places;
    if (ends) return chunkedAttention(this.g, q, { own: { keys, values }, past: null, causal, ends });
    const weights = this.g.softmax(this.ownScores(q, keys));
    return this.mixOwn(weights, values, q.shape);
  }

  /** The same, behind a beginning that all rows of S share. q [P, kvHeads, S, groups, C, d], past [P, kvHeads, L, d], own [P, kvHeads, S, C, d] */
  after(q: Value, past: { keys: Value; values: Value }, own: { keys: Value; values: Value }, mask: Value): Value {
    const { g, alpha } = this;
    const { causal, ends } = this.places;
    if (ends) return chunkedAttention(g, q, { own, past: { ...past, mask }, causal, ends });
    const [p, kv, s, groups, c, d] = q.shape as [Shape[0], number, Shape[0], number, Shape[0], number];
    const length = past.keys.shape[2]!;
    const flat = dimMul(dimMul(s, groups), c);
    const toPast = g.matMul(g.reshape(q, [p, kv, flat, d]), past.keys, { transB: true, alpha });
    const masked = g.reshape(g.add(toPast, mask), [p, kv, s, groups, c, length]);
    const weights = g.softmax(g.concat([masked, this.ownScores(q, own.keys)], -1));
    const [ofPast, ofOwn] = g.split(weights, [length, c], -1);
    const fromPast = g.matMul(g.reshape(ofPast!, [p, kv, flat, length]), past.values);
    return g.add(g.reshape(fromPast, q.shape), this.mixOwn(ofOwn!, own.values, q.shape));
  }

  private ownScores(q: Value, keys: Value): Value {
    const { g, alpha } = this;
    const leading = q.shape.slice(0, -3);
    const [groups, time, d] = q.shape.slice(-3) as [number, Shape[0], number];
    const scores = g.matMul(g.reshape(q, [...leading, dimMul(groups, time), d]), keys, { transB: true, alpha });
    return g.add(g.reshape(scores, [...leading, groups, time, time]), this.places.causal);
  }

  private mixOwn(weights: Value, values: Value, shape: Shape): Value {
    const { g } = this;
    const [groups, time] = weights.shape.slice(-3) as [number, Shape[0]];
    const rows = g.reshape(weights, [...weights.shape.slice(0, -3), dimMul(groups, time), weights.shape.at(-1)!]);
    return g.reshape(g.matMul(rows, values), shape);
  }

  /** [n, heads*d] → [n*heads, d] */
  private rowsOf(x: Value, heads: number): Value {
    return this.g.reshape(x, [dimMul(x.shape[0]!, heads), this.sizes.headDim]);
  }
}

/** Keys and values of what is in a cache [P, n*kvHeads, headDim]: position-major, so that a longer cache is a longer prefix of one array. */
export interface CachedPast {
  readonly keys: Value;
  readonly values: Value;
}

/** A past that rows have for themselves [P, B*kvHeads, headDim], and what is added to its scores. */
export interface OwnPast extends CachedPast {
  /** [B, 1, 1, P] */
  readonly mask: Value;
}

/** Prompts that are there once for all rows that continue them [L, G*kvHeads, headDim] (`prompt-cache.ts`). */
export interface SharedPast extends OwnPast {
  /** [G, kvHeads, S, groups, T] int32 rows of queries [B, heads, T]; and the inverse [B, heads, T] */
  readonly slots: Value;
  readonly places: Value;
}

/**
 * Attention of T new tokens a row to what the row has in the cache, to the prompt that it shares with others, and among themselves.
 * @param q [B*T, heads*headDim], k and v [B*T, kvHeads*headDim]
 * @param causal [T, T] added to the scores among the new tokens; null for one token a row
 * @returns [B*T, heads*headDim]
 */
export function cachedAttention(
  g: Graph,
  { heads, kvHeads, headDim }: HeadSizes,
  { q, k, v }: { q: Value; k: Value; v: Value },
  past: { readonly own: OwnPast; readonly prompt: SharedPast | null },
  { batch, time, causal }: { batch: Dim; time: Dim; causal: Value | null },
): Value {
  const { own, prompt } = past;
  const [length, caches] = [own.keys.shape[0]!, own.keys.shape[1]!];
  const rows = dimMul(heads / kvHeads, time); // of queries that look into one row of the cache
  const alpha = 1 / Math.sqrt(headDim);
  const perHead = (x: Value, count: number): Value => {
    const split = g.reshape(x, [batch, time, count, headDim]);
    return time === 1 ? g.reshape(split, [batch, count, 1, headDim]) : g.transpose(split, [0, 2, 1, 3]);
  };
  const queries = perHead(q, heads); // [B, heads, T, d]
  const query = g.reshape(queries, [caches, rows, headDim]);
  const flat = (x: Value): Value => g.reshape(perHead(x, kvHeads), [caches, time, headDim]);
  const byRow = (scores: Value, to: Dim): Value => g.reshape(scores, [batch, heads, time, to]);
  const toPast = cacheProduct(g, query, own.keys, [caches, rows, length], { transB: 1, alpha });
  const among = byRow(g.matMul(query, flat(k), { transB: true, alpha }), time);
  const scores = [g.add(byRow(toPast, length), own.mask), causal ? g.add(among, causal) : among];
  if (prompt) scores.unshift(promptScores(g, queries, prompt, alpha));
  const parts = g.split(
    g.softmax(g.concat(scores, -1)),
    scores.map(({ shape }) => shape[3]!),
    -1,
  );
  const [ofPast, ofOwn] = parts.slice(-2);
  const fromPast = cacheProduct(g, g.reshape(ofPast!, [caches, rows, length]), own.values, [caches, rows, headDim], {
    transB: 0,
    alpha: 1,
  });
  const toOwn = g.reshape(ofOwn!, [caches, rows, time]);
  const fromOwn = time === 1 ? g.mul(toOwn, flat(v)) : g.matMul(toOwn, flat(v));
  const mixed = byRow(g.add(fromPast, fromOwn), headDim);
  const all = prompt ? g.add(mixed, promptMix(g, parts[0]!, prompt, headDim)) : mixed;
  return g.reshape(time === 1 ? all : g.transpose(all, [0, 2, 1, 3]), q.shape);
}

/** queries [B, heads, T, d] → scores [B, heads, T, L] */
function promptScores(g: Graph, queries: Value, { keys, mask, slots, places }: SharedPast, alpha: number): Value {
  const [length, caches] = [keys.shape[0]!, keys.shape[1]!];
  const d = queries.shape[3]!;
  const [, , s, groups, time] = slots.shape as [Dim, number, Dim, number, Dim];
  const rows = dimMul(dimMul(s, groups), time);
  const gathered = g.gather(g.reshape(queries, [leading(queries), d]), slots);
  const scores = cacheProduct(g, g.reshape(gathered, [caches, rows, d]), keys, [caches, rows, length], {
    transB: 1,
    alpha,
  });
  return g.add(g.gather(g.reshape(scores, [leading(gathered), length]), places), mask);
}

/** weights [B, heads, T, L] → mixed values [B, heads, T, d] */
function promptMix(g: Graph, weights: Value, { values, slots, places }: SharedPast, d: number): Value {
  const [length, caches] = [values.shape[0]!, values.shape[1]!];
  const [, , s, groups, time] = slots.shape as [Dim, number, Dim, number, Dim];
  const rows = dimMul(dimMul(s, groups), time);
  const gathered = g.gather(g.reshape(weights, [leading(weights), length]), slots);
  const mixed = cacheProduct(g, g.reshape(gathered, [caches, rows, length]), values, [caches, rows, d], {
    transB: 0,
    alpha: 1,
  });
  return g.gather(g.reshape(mixed, [leading(gathered), d]), places);
}

/** Number of rows along all axes but the last. */
function leading(x: Value): Dim {
  return x.shape.slice(0, -1).reduce((a, b) => dimMul(a, b));
}

/** A batched product that reads its right operand [T, batch, d] as [batch, T, d] without a copy. */
function cacheProduct(
  g: Graph,
  a: Value,
  cache: Value,
  shape: Shape,
  { transB, alpha }: { transB: number; alpha: number },
): Value {
  const attributes = {
    transA: { int: 0 },
    transB: { int: transB },
    transBatchA: { int: 0 },
    transBatchB: { int: 1 },
    alpha: { float: alpha },
  };
  return g.single("FusedMatMul", [a, cache], { dtype: a.dtype, shape }, attributes, "com.microsoft");
}
