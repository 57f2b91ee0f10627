import { dimMul, type Graph, type Shape, type Value } from "../graph/index.ts";
import type { ModelConfig } from "./config.ts";
import { type Adapter, loraName } from "./lora.ts";

/** Reads a parameter of the layer under construction by its suffix, such as "self_attn.q_proj.weight". */
export type ParameterLookup = (suffix: string) => Value;

/** Builds the parts of a decoder layer that do not depend on how its attention reads the past. */
export class LayerBuilder {
  readonly g: Graph;
  readonly config: ModelConfig;
  private readonly adapter: Adapter;
  private readonly parameter: ParameterLookup;

  constructor(g: Graph, config: ModelConfig, adapter: Adapter, parameter: ParameterLookup) {
    this.g = g;
    this.config = config;
    this.adapter = adapter;
    this.parameter = parameter;
  }

  /** x Wᵀ (+ b) (+ (x Aᵀ) Bᵀ · alpha/rank). x [N, in] → [N, out] */
  linear(x: Value, name: string): Value {
    const { g, adapter } = this;
    return g.scope(name, () => {
      const hasBias = this.config.attentionBias && /\.[qkv]_proj$/.test(name);
      const y = g.gemm(x, this.parameter(`${name}.weight`), {
        transB: true,
        ...(hasBias ? { bias: this.parameter(`${name}.bias`) } : {}),
      });
      if (adapter.kind === "none" || !adapter.targets.some((target) => name.endsWith(target))) return y;
      const low = g.gemm(x, this.parameter(loraName(name, "A")), { transB: true }); // [N, rank]
      const high = this.parameter(loraName(name, "B"));
      return g.add(y, g.gemm(low, high, { transB: true, alpha: adapter.alpha / adapter.rank }));
    });
  }

  /** Root-mean-square normalisation over the last axis, times a weight. arXiv:1910.07467 */
  rmsNorm(x: Value, name: string): Value {
    return this.g.scope(name, () => rmsNorm(this.g, x, this.parameter(`${name}.weight`), this.config.normEps));
  }

  /** down(silu(gate(x)) · up(x)). x [N, D] → [N, D] */
  feedForward(x: Value): Value {
    const { g } = this;
    const gate = this.linear(x, "mlp.gate_proj");
    const hidden = g.mul(g.mul(gate, g.sigmoid(gate)), this.linear(x, "mlp.up_proj"));
    return this.linear(hidden, "mlp.down_proj");
  }

  /** Queries, keys and values before positions are applied. x [N, D] → [.., heads, headDim] with the given leading sizes */
  project(x: Value, leading: Shape): { q: Value; k: Value; v: Value } {
    const { heads, kvHeads, headDim, qkNorm } = this.config;
    const split = (name: string, count: number): Value =>
      this.g.reshape(this.linear(x, `self_attn.${name}_proj`), [...leading, count, headDim]);
    const [q, k, v] = [split("q", heads), split("k", kvHeads), split("v", kvHeads)];
    if (!qkNorm) return { q, k, v };
    return { q: this.rmsNorm(q, "self_attn.q_norm"), k: this.rmsNorm(k, "self_attn.k_norm"), v };
  }
}

/** x / sqrt(mean(x²) + eps) · weight over the last axis. */
export function rmsNorm(g: Graph, x: Value, weight: Value, eps: number): Value {
  const meanSquare = g.reduceMean(g.mul(x, x), [-1], true);
  return g.mul(g.mul(x, g.reciprocal(g.sqrt(g.add(meanSquare, eps)))), weight);
}

/** Rotary positions in the split-half form: x·cos + [−x₂, x₁]·sin. cos and sin broadcast against x [.., d]. arXiv:2104.09864 */
export function rotate(g: Graph, x: Value, cos: Value, sin: Value): Value {
  const half = (x.shape.at(-1) as number) / 2;
  const [first, second] = g.split(x, [half, half], -1);
  return g.add(g.mul(x, cos), g.mul(g.concat([g.neg(second!), first!], -1), sin));
}

/**
 * One decoder layer over whole sequences, each row causal within itself.
 * @param x [B, T, D] hidden states
 * @param cos, sin [T, headDim] rotary tables of positions 0..T-1
 * @param mask [T, T] added to attention scores: 0 where a position may be seen, a large negative number elsewhere
 * @returns y [B, T, D]; keys (with positions) and values [B, kvHeads, T, headDim]
 */
export function decoderLayer(
  b: LayerBuilder,
  x: Value,
  { cos, sin, mask }: { cos: Value; sin: Value; mask: Value },
): { y: Value; keys: Value; values: Value } {
  const { g, config } = b;
  const { heads, kvHeads, headDim, width } = config;
  const [batch, time] = [x.shape[0]!, x.shape[1]!];
  const rows = g.reshape(x, [dimMul(batch, time), width]);
  const { q, k, v } = b.project(b.rmsNorm(rows, "input_layernorm"), [batch, time]);
  const attended = g.scope("self_attn", () => {
    const perHead = (value: Value): Value => g.transpose(value, [0, 2, 1, 3]); // [B, heads, T, d]
    const queries = rotate(g, perHead(q), cos, sin);
    const keys = rotate(g, perHead(k), cos, sin);
    const values = perHead(v);
    const groups = heads / kvHeads;
    const grouped = g.reshape(queries, [batch, kvHeads, dimMul(groups, time), headDim]);
    const scores = g.matMul(grouped, keys, { transB: true, alpha: 1 / Math.sqrt(headDim) });
    const weights = g.softmax(g.add(g.reshape(scores, [batch, heads, time, time]), mask));
    const mixed = g.matMul(g.reshape(weights, scores.shape), values);
    const joined = g.transpose(g.reshape(mixed, [batch, heads, time, headDim]), [0, 2, 1, 3]);
    return { joined: g.reshape(joined, [dimMul(batch, time), heads * headDim]), keys, values };
  });
  const middle = g.add(rows, b.linear(attended.joined, "self_attn.o_proj"));
  const y = g.add(middle, b.feedForward(b.rmsNorm(middle, "post_attention_layernorm")));
  return { y: g.reshape(y, x.shape), keys: attended.keys, values: attended.values };
}

/**
 * One decoder layer for one new token per row, reading a time-major cache.
 * @param x [B, D]
 * @param cos, sin [B, 1, headDim] rotary table rows of each row's position
 * @param mask [B, 1, P] added to the scores of the cached positions
 * @param past keys and values [P, B*kvHeads, headDim]: position-major, so that a longer cache is a longer prefix of one array
 * @returns y [B, D]; the new key and value rows [B*kvHeads, 1, headDim]
 */
export function decodeLayer(
  b: LayerBuilder,
  x: Value,
  { cos, sin, mask }: { cos: Value; sin: Value; mask: Value },
  past: { keys: Value; values: Value },
): { y: Value; key: Value; value: Value } {
  const { g, config } = b;
  const { heads, kvHeads, headDim } = config;
  const batch = x.shape[0]!;
  const length = past.keys.shape[0]!;
  const groups = heads / kvHeads;
  const caches = past.keys.shape[1]!;
  const { q, k, v } = b.project(b.rmsNorm(x, "input_layernorm"), [batch]);
  const attended = g.scope("self_attn", () => {
    const query = g.reshape(rotate(g, q, cos, sin), [caches, groups, headDim]);
    const key = g.reshape(rotate(g, k, cos, sin), [caches, 1, headDim]);
    const value = g.reshape(v, [caches, 1, headDim]);
    const alpha = 1 / Math.sqrt(headDim);
    const scores = cacheProduct(g, query, past.keys, [caches, groups, length], { transB: 1, alpha });
    const own = g.matMul(query, key, { transB: true, alpha });
    const masked = g.add(g.reshape(scores, [batch, heads, length]), mask);
    const all = g.concat([masked, g.reshape(own, [batch, heads, 1])], -1);
    const [toPast, toOwn] = g.split(g.softmax(all), [length, 1], -1);
    const fromPast = cacheProduct(
      g,
      g.reshape(toPast!, [caches, groups, length]),
      past.values,
      [caches, groups, headDim],
      {
        transB: 0,
        alpha: 1,
      },
    );
    const fromOwn = g.mul(g.reshape(toOwn!, [caches, groups, 1]), value);
    return { joined: g.reshape(g.add(fromPast, fromOwn), [batch, heads * headDim]), key, value };
  });
  const middle = g.add(x, b.linear(attended.joined, "self_attn.o_proj"));
  const y = g.add(middle, b.feedForward(b.rmsNorm(middle, "post_attention_layernorm")));
  return { y, key: attended.key, value: attended.value };
}

/**
 * One decoder layer for several new tokens per row, reading a time-major cache: a prompt's continuation, whatever its length.
 * @param x [B, T, D]
 * @param cos, sin [B, 1, T, headDim] rotary table rows of each token's position
 * @param mask [B, 1, 1, P] added to the scores of the cached positions
 * @param causal [T, T] added to the scores among the new tokens
 * @param past keys and values [P, B*kvHeads, headDim]
 * @returns y [B, T, D]; the new keys and values [T, B, kvHeads, headDim]
 */
export function extendLayer(
  b: LayerBuilder,
  x: Value,
  { cos, sin, mask, causal }: { cos: Value; sin: Value; mask: Value; causal: Value },
  past: { keys: Value; values: Value },
): { y: Value; keys: Value; values: Value } {
  const { g, config } = b;
  const { heads, kvHeads, headDim, width } = config;
  const [batch, time] = [x.shape[0]!, x.shape[1]!];
  const [length, caches] = [past.keys.shape[0]!, past.keys.shape[1]!];
  const queryRows = dimMul(heads / kvHeads, time);
  const rows = g.reshape(x, [dimMul(batch, time), width]);
  const { q, k, v } = b.project(b.rmsNorm(rows, "input_layernorm"), [batch, time]);
  const attended = g.scope("self_attn", () => {
    const perHead = (value: Value): Value => g.transpose(value, [0, 2, 1, 3]); // [B, heads, T, d]
    const flat = (value: Value, count: typeof time): Value => g.reshape(value, [caches, count, headDim]);
    const query = flat(rotate(g, perHead(q), cos, sin), queryRows);
    const keys = rotate(g, perHead(k), cos, sin);
    const values = perHead(v);
    const alpha = 1 / Math.sqrt(headDim);
    const toPast = cacheProduct(g, query, past.keys, [caches, queryRows, length], { transB: 1, alpha });
    const toOwn = g.matMul(query, flat(keys, time), { transB: true, alpha });
    const scores = g.concat(
      [
        g.add(g.reshape(toPast, [batch, heads, time, length]), mask),
        g.add(g.reshape(toOwn, [batch, heads, time, time]), causal),
      ],
      -1,
    );
    const [ofPast, ofOwn] = g.split(g.softmax(scores), [length, time], -1);
    const fromPast = cacheProduct(
      g,
      g.reshape(ofPast!, [caches, queryRows, length]),
      past.values,
      [caches, queryRows, headDim],
      { transB: 0, alpha: 1 },
    );
    const fromOwn = g.matMul(g.reshape(ofOwn!, [caches, queryRows, time]), flat(values, time));
    const mixed = g.reshape(g.add(fromPast, fromOwn), [batch, heads, time, headDim]);
    const joined = g.reshape(perHead(mixed), [dimMul(batch, time), heads * headDim]);
    return { joined, keys: g.transpose(keys, [2, 0, 1, 3]), values: g.transpose(values, [2, 0, 1, 3]) };
  });
  const middle = g.add(rows, b.linear(attended.joined, "self_attn.o_proj"));
  const y = g.add(middle, b.feedForward(b.rmsNorm(middle, "post_attention_layernorm")));
  return { y: g.reshape(y, x.shape), keys: attended.keys, values: attended.values };
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
