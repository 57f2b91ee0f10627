import type { Graph, RotaryTable, Shape, Value } from "../graph/index.ts";
import type { ModelConfig } from "./config.ts";
import { type Adapter, loraName } from "./lora.ts";

/** Reads a parameter of the layer under construction by its suffix, such as "self_attn.q_proj.weight". */
export type ParameterLookup = (suffix: string) => Value;

/** How the linear maps of a layer are built. */
export interface LayerOptions {
  /**
   * Adds the adapter to the weight before the product: three products fewer for many tokens, at the price of one small product of the weight's size.
   * Else the adapter's own products are added to the result, which is cheaper for few tokens.
   */
  readonly mergeAdapter: boolean;
  /**
   * Multiplies weights with tokens instead of tokens with weights. ONNX Runtime copies the right operand of a product into another order at each run; for few
   * tokens that costs more than the product itself when it is the weight, and nothing when it is the tokens.
   */
  readonly weightsFirst?: boolean;
}

/** Builds the linear maps and norms of one decoder layer. */
export class LayerBuilder {
  readonly g: Graph;
  readonly config: ModelConfig;
  private readonly adapter: Adapter;
  private readonly parameter: ParameterLookup;
  private readonly options: LayerOptions;

  constructor(g: Graph, config: ModelConfig, adapter: Adapter, parameter: ParameterLookup, options: LayerOptions) {
    this.g = g;
    this.config = config;
    this.adapter = adapter;
    this.parameter = parameter;
    this.options = options;
  }

  /** x Wᵀ (+ b) (+ (x Aᵀ) Bᵀ · alpha/rank). x [N, in] → [N, out] */
  linear(x: Value, name: string): Value {
    const { g, adapter } = this;
    const hasBias = this.config.attentionBias && /\.[qkv]_proj$/.test(name);
    const bias = hasBias ? { bias: this.parameter(`${name}.bias`) } : {};
    if (this.options.weightsFirst) {
      const y = g.transpose(this.columns(x, name, true), [1, 0]);
      return bias.bias ? g.add(y, bias.bias) : y;
    }
    return g.scope(name, () => {
      const weight = this.parameter(`${name}.weight`);
      if (!isTarget(adapter, name)) return g.gemm(x, weight, { transB: true, ...bias });
      const [a, b] = [this.parameter(loraName(name, "A")), this.parameter(loraName(name, "B"))];
      const lora = { a, b, scale: adapter.alpha / adapter.rank };
      if (this.options.mergeAdapter) return mergedLinear(g, x, weight, lora, bias);
      const y = g.gemm(x, weight, { transB: true, ...bias });
      const low = g.gemm(x, a, { transB: true }); // [N, rank]
      return g.add(y, g.gemm(low, b, { transB: true, alpha: lora.scale }));
    });
  }

  /** The linear map without its bias, on the other side: x [N, in] when transB, else [in, N] → [out, N] */
  private columns(x: Value, name: string, transB: boolean): Value {
    const { g, adapter } = this;
    return g.scope(name, () => {
      const y = g.matMul(this.parameter(`${name}.weight`), x, { transB });
      if (!isTarget(adapter, name)) return y;
      const low = g.matMul(this.parameter(loraName(name, "A")), x, { transB }); // [rank, N]
      const alpha = adapter.alpha / adapter.rank;
      return g.add(y, g.matMul(this.parameter(loraName(name, "B")), low, { alpha }));
    });
  }

  /** Root-mean-square normalisation over the last axis, times a weight. */
  rmsNorm(x: Value, name: string): Value {
    return this.g.scope(name, () => this.g.rmsNorm(x, this.parameter(`${name}.weight`), this.config.normEps));
  }

  /** down(silu(gate(x)) · up(x)). x [N, D] → [N, D] */
  feedForward(x: Value): Value {
    const { g } = this;
    if (this.options.weightsFirst) {
      const [gate, up] = [this.columns(x, "mlp.gate_proj", true), this.columns(x, "mlp.up_proj", true)];
      return g.transpose(this.columns(g.mul(g.silu(gate), up), "mlp.down_proj", false), [1, 0]);
    }
    const hidden = g.mul(g.silu(this.linear(x, "mlp.gate_proj")), this.linear(x, "mlp.up_proj"));
    return this.linear(hidden, "mlp.down_proj");
  }

  /** One projection of the attention, with its norm over heads where the family has one. x [N, D] → [N, heads*headDim] */
  project(x: Value, name: "q" | "k" | "v"): Value {
    const { g, config } = this;
    const y = this.linear(x, `self_attn.${name}_proj`);
    if (!config.qkNorm || name === "v") return y;
    const perHead: Shape = [y.shape[0]!, (y.shape[1] as number) / config.headDim, config.headDim];
    return g.reshape(this.rmsNorm(g.reshape(y, perHead), `self_attn.${name}_norm`), y.shape);
  }
}

function isTarget(adapter: Adapter, name: string): adapter is Adapter & { kind: "lora" } {
  return adapter.kind === "lora" && adapter.targets.some((target) => name.endsWith(target));
}

/** The weight and its low-rank addition as one matrix; the gradient goes to the two factors alone, through products of the rank. */
function mergedLinear(
  g: Graph,
  x: Value,
  weight: Value,
  { a, b, scale }: { a: Value; b: Value; scale: number },
  bias: { bias?: Value },
): Value {
  const merged = g.gemm(b, a, { alpha: scale, bias: weight });
  const y = g.gemm(x, merged, { transB: true, ...bias });
  return g.withGradient(
    y,
    [x, a, b],
    (g, ct, { inputs: [x, a, b], needs, remembered: [merged] }) => [
      needs[0] ? g.gemm(ct, merged!) : null,
      needs[1] ? g.gemm(g.gemm(ct, b!, { alpha: scale }), x!, { transA: true }) : null,
      needs[2] ? g.gemm(ct, g.gemm(x!, a!, { transB: true }), { transA: true, alpha: scale }) : null,
    ],
    [merged],
  );
}

/** Where the tokens stand: rotary table, and the position of each token [N, 1] int64. */
export interface TokenPlaces {
  readonly table: RotaryTable;
  readonly positions: Value;
}

/**
 * One decoder layer, whatever its attention sees.
 * @param x [N, D] hidden states
 * @param attend from queries [N, heads*headDim] and keys and values [N, kvHeads*headDim], positions applied, to the mixed values [N, heads*headDim]
 * @returns y [N, D]; keys (with positions) and values of these tokens [N, kvHeads*headDim]
 */
export function decoderLayer(
  b: LayerBuilder,
  x: Value,
  { table, positions }: TokenPlaces,
  attend: (q: Value, k: Value, v: Value) => Value,
): { y: Value; keys: Value; values: Value } {
  const { g } = b;
  const normal = b.rmsNorm(x, "input_layernorm");
  const [q, k, values] = [b.project(normal, "q"), b.project(normal, "k"), b.project(normal, "v")];
  const keys = g.rotary(k, table, positions);
  const mixed = g.scope("self_attn", () => attend(g.rotary(q, table, positions), keys, values));
  const middle = g.add(x, b.linear(mixed, "self_attn.o_proj"));
  return { y: g.add(middle, b.feedForward(b.rmsNorm(middle, "post_attention_layernorm"))), keys, values };
}
