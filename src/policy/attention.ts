import { dimMul, type Graph, type Shape, type Value } from "../graph/index.ts";
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
  /** Added to the scores among the tokens of one row of the block. */
  readonly causal: Value;
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

  /** [n, heads*d] → [.., groups, T, d] */
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
    const rows = this.g.reshape(x, [x.shape.slice(0, -1).reduce((a, b) => dimMul(a, b)), headDim]);
    const mixed = this.g.rearrange(rows, queryPlaces, querySlots); // [n, heads, d]
    return this.g.reshape(mixed, [mixed.shape[0]!, heads * headDim]);
  }

  /** Tokens see those of their row before them. q [.., groups, T, d], keys and values [.., T, d] → [.., groups, T, d] */
  among(q: Value, keys: Value, values: Value): Value {
    const weights = this.g.softmax(this.ownScores(q, keys));
    return this.mixOwn(weights, values, q.shape);
  }

  /** The same, behind a beginning that all rows of S share. q [P, kvHeads, S, groups, C, d], past [P, kvHeads, L, d], own [P, kvHeads, S, C, d] */
  after(q: Value, past: { keys: Value; values: Value }, own: { keys: Value; values: Value }, mask: Value): Value {
    const { g, alpha } = this;
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

/** Keys and values of what is in the cache [P, B*kvHeads, headDim]: position-major, so that a longer cache is a longer prefix of one array. */
export interface CachedPast {
  readonly keys: Value;
  readonly values: Value;
}

/**
 * Attention of one new token a row to a time-major cache and itself.
 * @param q [B, heads*headDim], k and v [B, kvHeads*headDim]
 * @param mask [B, 1, P] added to the scores of the cached positions
 * @returns [B, heads*headDim]
 */
export function cachedAttention(
  g: Graph,
  { heads, kvHeads, headDim }: HeadSizes,
  { q, k, v }: { q: Value; k: Value; v: Value },
  past: CachedPast,
  mask: Value,
): Value {
  const batch = q.shape[0]!;
  const length = past.keys.shape[0]!;
  const groups = heads / kvHeads;
  const caches = past.keys.shape[1]!;
  const alpha = 1 / Math.sqrt(headDim);
  const query = g.reshape(q, [caches, groups, headDim]);
  const [key, value] = [g.reshape(k, [caches, 1, headDim]), g.reshape(v, [caches, 1, headDim])];
  const scores = cacheProduct(g, query, past.keys, [caches, groups, length], { transB: 1, alpha });
  const own = g.matMul(query, key, { transB: true, alpha });
  const masked = g.add(g.reshape(scores, [batch, heads, length]), mask);
  const all = g.concat([masked, g.reshape(own, [batch, heads, 1])], -1);
  const [toPast, toOwn] = g.split(g.softmax(all), [length, 1], -1);
  const weights = g.reshape(toPast!, [caches, groups, length]);
  const fromPast = cacheProduct(g, weights, past.values, [caches, groups, headDim], { transB: 0, alpha: 1 });
  const fromOwn = g.mul(g.reshape(toOwn!, [caches, groups, 1]), value);
  return g.reshape(g.add(fromPast, fromOwn), q.shape);
}

/**
 * Attention of several new tokens a row to a time-major cache and among themselves.
 * @param q [B*T, heads*headDim], k and v [B*T, kvHeads*headDim]
 * @param sizes B and T
 * @param mask [B, 1, 1, P] added to the scores of the cached positions
 * @param causal [T, T] added to the scores among the new tokens
 * @returns [B*T, heads*headDim]
 */
export function extendingAttention(
  g: Graph,
  { heads, kvHeads, headDim }: HeadSizes,
  { q, k, v }: { q: Value; k: Value; v: Value },
  past: CachedPast,
  { batch, time, mask, causal }: { batch: Shape[0]; time: Shape[0]; mask: Value; causal: Value },
): Value {
  const [length, caches] = [past.keys.shape[0]!, past.keys.shape[1]!];
  const queryRows = dimMul(heads / kvHeads, time);
  const alpha = 1 / Math.sqrt(headDim);
  const perHead = (x: Value, count: number): Value =>
    g.transpose(g.reshape(x, [batch, time, count, headDim]), [0, 2, 1, 3]);
  const query = g.reshape(perHead(q, heads), [caches, queryRows, headDim]);
  const flat = (x: Value): Value => g.reshape(perHead(x, kvHeads), [caches, time, headDim]);
  const toPast = cacheProduct(g, query, past.keys, [caches, queryRows, length], { transB: 1, alpha });
  const toOwn = g.matMul(query, flat(k), { transB: true, alpha });
  const scores = g.concat(
    [
      g.add(g.reshape(toPast, [batch, heads, time, length]), mask),
      g.add(g.reshape(toOwn, [batch, heads, time, time]), causal),
    ],
    -1,
  );
  const [ofPast, ofOwn] = g.split(g.softmax(scores), [length, time], -1);
  const weights = g.reshape(ofPast!, [caches, queryRows, length]);
  const fromPast = cacheProduct(g, weights, past.values, [caches, queryRows, headDim], { transB: 0, alpha: 1 });
  const fromOwn = g.matMul(g.reshape(ofOwn!, [caches, queryRows, time]), flat(v));
  const mixed = g.transpose(g.reshape(g.add(fromPast, fromOwn), [batch, heads, time, headDim]), [0, 2, 1, 3]);
  return g.reshape(mixed, q.shape);
}

/** A batched product that reads its right operand [T, batch, d] as [batch, T, d] without a copy. */
function cacheProduct(
  g: Graph,
  a: Value,
  cache: Value,
  shape: Shape,
  { transB, alpha }: { transB: 0 | 1; alpha: number },
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
