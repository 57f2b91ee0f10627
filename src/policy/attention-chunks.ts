import { type Dim, dimMul, type Graph, type OwnGradient, type Shape, type Value } from "../graph/index.ts";

/** Keys and values that queries look into. */
export interface Looked {
  readonly keys: Value;
  readonly values: Value;
}

/** What a chunk of queries may see. */
export interface ChunkView {
  /** [.., T, d] of the same rows; leading axes are those of the queries before `groups`. */
  readonly own: Looked;
  /** A beginning [P, kvHeads, L, d] that all rows of the third axis share, and what is added to its scores [P, 1, 1, L]. */
  readonly past: (Looked & { readonly mask: Value }) | null;
  /** [R, T]: the scores' mask of the last chunk; that of a chunk before it is its right end. */
  readonly causal: Value;
  /** [n] int64: how many of the T keys the chunk with this number may see, R times 1, 2, .. n. */
  readonly ends: Value;
}

/**
 * Attention whose scores are computed for R rows of queries at a time, in the backward pass again, so that memory grows with R·T and not with T²; keys after
 * a chunk are not looked at. The gradient is that of FlashAttention (arXiv:2205.14135, algorithm 4): with D = Σ ct·y, dS = W ∘ (ct Vᵀ − D).
 * @param q [n, .., groups, R, d]
 * @returns values mixed, in the shape of q
 */
export function chunkedAttention(g: Graph, q: Value, view: ChunkView): Value {
  const { own, past, causal, ends } = view;
  const { outputs } = g.scan([], [q, ends], (body, _, [chunk, end]) => {
    const look = new ChunkLook(body, chunk!, end!, view);
    return { states: [], outputs: [look.mix(look.weights())] };
  });
  const looked = [own.keys, own.values, ...(past ? [past.keys, past.values] : [])];
  return g.withGradient(outputs[0]!, [q, ...looked], backward, [ends, causal, ...(past ? [past.mask] : [])]);
}

const backward: OwnGradient = (g, ct, { y, inputs, remembered }) => {
  const [q, ownKeys, ownValues, pastKeys, pastValues] = inputs as [Value, Value, Value, Value?, Value?];
  const [ends, causal, mask] = remembered as [Value, Value, Value?];
  const past = pastKeys ? { keys: pastKeys, values: pastValues!, mask: mask! } : null;
  const view = { own: { keys: ownKeys, values: ownValues }, past, causal, ends };
  const sums = inputs.slice(1).map((x) => g.full(x.shape, 0, x.dtype));
  const { states, outputs } = g.scan(sums, [q, ends, ct, y], (body, before, [chunk, end, ct, y]) => {
    const look = new ChunkLook(body, chunk!, end!, view);
    const { query, looked } = look.cotangents(look.weights(), ct!, y!);
    return { states: before.map((sum, i) => body.add(sum, looked[i]!)), outputs: [query] };
  });
  return [outputs[0]!, ...states];
};

/** One chunk of queries [.., groups, R, d], inside a body. */
class ChunkLook {
  private readonly g: Graph;
  private readonly q: Value;
  private readonly view: ChunkView;
  private readonly alpha: number;
  /** How many own keys this chunk sees, as a value [1] and as a symbol. */
  private readonly end: Value;
  private readonly seen: string;
  private readonly keys: Value;
  private readonly values: Value;

  constructor(g: Graph, q: Value, end: Value, view: ChunkView) {
    this.g = g;
    this.q = q;
    this.view = view;
    this.alpha = 1 / Math.sqrt(q.shape.at(-1) as number);
    this.end = g.reshape(end, [1]);
    this.seen = `seen(${g.uniqueId()})`;
    this.keys = this.upToEnd(view.own.keys);
    this.values = this.upToEnd(view.own.values);
  }

  /** Past (if there is one) and own weights: [.., groups, R, L] and [.., groups, R, seen] */
  weights(): readonly Value[] {
    const { g, q, alpha, seen } = this;
    const { past, causal } = this.view;
    const scores = g.reshape(g.matMul(this.rows(q), this.keys, { transB: true, alpha }), this.shapeTo(seen));
    const total = causal.shape[1]!;
    const mask = g.sliceBetween(causal, 1, [g.sub(g.dim(total), this.end), g.dim(total)], seen);
    const own = g.add(scores, mask);
    if (!past) return [g.softmax(own)];
    const length = past.keys.shape[2]!;
    const before = g.add(g.matMul(this.shared(q), past.keys, { transB: true, alpha }), past.mask);
    return g.split(g.softmax(g.concat([g.reshape(before, this.shapeTo(length)), own], -1)), [length, seen], -1);
  }

  /** Values by these weights, in the shape of the queries. */
  mix(weights: readonly Value[]): Value {
    const { g, q } = this;
    const own = g.reshape(g.matMul(this.rows(weights.at(-1)!), this.values), q.shape);
    if (!this.view.past) return own;
    return g.add(g.reshape(g.matMul(this.shared(weights[0]!), this.view.past.values), q.shape), own);
  }

  /** Cotangents of the queries, and of own keys and values and those of the past in whole. */
  cotangents(weights: readonly Value[], ct: Value, y: Value): { query: Value; looked: readonly Value[] } {
    const { g, q, alpha } = this;
    const { past } = this.view;
    const dot = g.reduceSum(g.mul(ct, y), [-1], true);
    const ofScores = (weight: Value, toWeight: Value): Value =>
      g.mul(weight, g.sub(g.reshape(toWeight, weight.shape), dot));
    const ownWeights = weights.at(-1)!;
    const own = this.rows(ofScores(ownWeights, g.matMul(this.rows(ct), this.values, { transB: true })));
    const toOwn = g.reshape(g.matMul(own, this.keys, { alpha }), q.shape);
    const looked = [
      this.padded(g.matMul(own, this.rows(q), { transA: true, alpha })),
      this.padded(g.matMul(this.rows(ownWeights), this.rows(ct), { transA: true })),
    ];
    if (!past) return { query: toOwn, looked };
    const before = this.shared(ofScores(weights[0]!, g.matMul(this.shared(ct), past.values, { transB: true })));
    const toPast = g.reshape(g.matMul(before, past.keys, { alpha }), q.shape);
    const ofKeys = g.matMul(before, this.shared(q), { transA: true, alpha });
    const ofValues = g.matMul(this.shared(weights[0]!), this.shared(ct), { transA: true });
    return { query: g.add(toOwn, toPast), looked: [...looked, ofKeys, ofValues] };
  }

  /** [.., groups, R, n] → [.., groups*R, n] */
  private rows(x: Value): Value {
    const [groups, r, n] = x.shape.slice(-3) as [Dim, Dim, Dim];
    return this.g.reshape(x, [...x.shape.slice(0, -3), dimMul(groups, r), n]);
  }

  /** [P, kvHeads, S, groups, R, n] → [P, kvHeads, S*groups*R, n] */
  private shared(x: Value): Value {
    const [p, kv, s, groups, r, n] = x.shape as [Dim, Dim, Dim, Dim, Dim, Dim];
    return this.g.reshape(x, [p, kv, dimMul(dimMul(s, groups), r), n]);
  }

  private shapeTo(length: Dim): Shape {
    return [...this.q.shape.slice(0, -1), length];
  }

  private upToEnd(x: Value): Value {
    return this.g.sliceBetween(x, -2, [this.g.ints([0]), this.end], this.seen);
  }

  /** [.., seen, d] → [.., T, d], zero at the keys that were not seen */
  private padded(x: Value): Value {
    const whole = this.view.own.keys.shape;
    return this.g.padEnd(x, -2, this.g.sub(this.g.dim(whole.at(-2)!), this.end), whole.at(-2)!);
  }
}
