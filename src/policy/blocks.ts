import { compile, dimMul, type FloatType, Graph, type Session, type Value, vjp } from "../graph/index.ts";
import type { ModelConfig } from "./config.ts";
import { finalNormGraph, type HeadGraph, headGraph } from "./head.ts";
import { decodeLayer, decoderLayer, extendLayer, LayerBuilder } from "./layer.ts";
import type { Adapter } from "./lora.ts";
import { layerInputShapes } from "./parameters.ts";
import { type SamplerFilters, samplerGraph } from "./sampler.ts";
import { givenDistributions, type OtherPolicy, type TokenLoss } from "./token-loss.ts";

/** What the graphs of a policy are built from. */
export interface BlockOptions {
  readonly config: ModelConfig;
  readonly adapter: Adapter;
  readonly floatType: FloatType;
  /** Suffixes of the layer parameters that train. */
  readonly trainable: readonly string[];
  readonly threads?: number;
}

/** A compiled head with the names of its loss terms and per-token results. */
export interface HeadSession extends Omit<HeadGraph, "graph"> {
  readonly given: readonly OtherPolicy[];
  readonly session: Session;
}

/**
 * The sessions of one model: one per kind of block, each compiled at first use and used for all layers and all batch sizes (weights and
 * sizes are inputs).
 */
export class Blocks {
  readonly options: BlockOptions;
  private readonly sessions = new Map<string, Promise<Session>>();

  constructor(options: BlockOptions) {
    this.options = options;
  }

  /** x → y [B, T, D] */
  layerForward(): Promise<Session> {
    return this.session("layer/forward", () => {
      const { graph, layer } = this.sequenceLayer();
      graph.output("y", layer.y);
      return graph;
    });
  }

  /** x → y, and keys and values [T, B, kvHeads, headDim], time-major as the decoder's cache. */
  layerPrefill(): Promise<Session> {
    return this.session("layer/prefill", () => {
      const { graph, layer } = this.sequenceLayer();
      graph.output("y", layer.y);
      graph.output("keys", graph.transpose(layer.keys, [2, 0, 1, 3]));
      graph.output("values", graph.transpose(layer.values, [2, 0, 1, 3]));
      return graph;
    });
  }

  /** x, dy → dx and grad/… of the trained parameters. The forward pass is computed again: only layer inputs are kept between passes. */
  layerBackward(): Promise<Session> {
    return this.session("layer/backward", () => {
      const { graph, x, layer, parameters } = this.sequenceLayer();
      const cotangent = graph.input("dy", layer.y.shape);
      const { trainable } = this.options;
      const wrt = [x, ...trainable.map((suffix) => parameters.get(suffix)!)];
      const [dx, ...gradients] = vjp(graph, [{ value: layer.y, cotangent }], wrt);
      graph.output("dx", dx!);
      trainable.forEach((suffix, i) => {
        graph.output(`grad/${suffix}`, gradients[i]!);
      });
      return graph;
    });
  }

  /** x [B, T, D] after a cache of P positions → y, and the new keys and values [T, B, kvHeads, headDim]. */
  layerExtend(): Promise<Session> {
    return this.session("layer/extend", () => this.extendGraph());
  }

  /** One token through all layers: ids [B] → hidden [B, D], and the new key and value rows of each layer. */
  decode(): Promise<Session> {
    return this.session("decode", () => this.decodeGraph());
  }

  sampler(filters: SamplerFilters): Promise<Session> {
    const { config, floatType } = this.options;
    return this.session(`sampler ${JSON.stringify(filters)}`, () => samplerGraph(config, filters, floatType));
  }

  /** hidden [n, D] → normalised [n, D] */
  finalNorm(): Promise<Session> {
    const { config, floatType } = this.options;
    return this.session("final norm", () => finalNormGraph(config, floatType));
  }

  /** A head for a loss; the caller keeps it and disposes of it. */
  async head(loss: TokenLoss, withGradient: boolean): Promise<HeadSession> {
    const { config, floatType, adapter } = this.options;
    const built = headGraph(config, loss, { floatType, withGradient, trainWeights: adapter.kind === "none" });
    const session = await this.compile(withGradient ? "head/update" : "head/score", built.graph);
    return { session, terms: built.terms, perToken: built.perToken, given: givenDistributions(loss) };
  }

  async dispose(): Promise<void> {
    const all = [...this.sessions.values()];
    this.sessions.clear();
    for (const session of all) await (await session).dispose();
  }

  private session(name: string, build: () => Graph): Promise<Session> {
    let session = this.sessions.get(name);
    if (!session) {
      session = this.compile(name, build());
      this.sessions.set(name, session);
    }
    return session;
  }

  private compile(name: string, graph: Graph): Promise<Session> {
    const { threads } = this.options;
    return compile(graph, { name, ...(threads === undefined ? {} : { threads }) });
  }

  private sequenceLayer() {
    const { config, adapter, floatType } = this.options;
    const graph = new Graph({ floatType });
    const x = graph.input("x", ["B", "T", config.width]);
    const cos = graph.input("cos", ["T", config.headDim]);
    const sin = graph.input("sin", ["T", config.headDim]);
    const mask = graph.input("mask", ["T", "T"]);
    const parameters = layerInputs(graph, config, adapter, "");
    const builder = new LayerBuilder(graph, config, adapter, (suffix) => parameters.get(suffix)!);
    const layer = graph.scope("layer", () => decoderLayer(builder, x, { cos, sin, mask }));
    return { graph, x, layer, parameters };
  }

  private extendGraph(): Graph {
    const { config, adapter, floatType } = this.options;
    const g = new Graph({ floatType });
    const x = g.input("x", ["B", "T", config.width]);
    const rows = dimMul(config.kvHeads, "B");
    const aux = {
      cos: g.input("cos", ["B", 1, "T", config.headDim]),
      sin: g.input("sin", ["B", 1, "T", config.headDim]),
      mask: g.input("mask", ["B", 1, 1, "P"]),
      causal: g.input("causal", ["T", "T"]),
    };
    const past = {
      keys: g.input("past/keys", ["P", rows, config.headDim]),
      values: g.input("past/values", ["P", rows, config.headDim]),
    };
    const parameters = layerInputs(g, config, adapter, "");
    const builder = new LayerBuilder(g, config, adapter, (suffix) => parameters.get(suffix)!);
    const { y, keys, values } = g.scope("layer", () => extendLayer(builder, x, aux, past));
    g.output("y", y);
    g.output("keys", keys);
    g.output("values", values);
    return g;
  }

  private decodeGraph(): Graph {
    const { config, adapter, floatType } = this.options;
    const g = new Graph({ floatType });
    const ids = g.input("ids", ["B"], "int64");
    const cos = g.input("cos", ["B", 1, config.headDim]);
    const sin = g.input("sin", ["B", 1, config.headDim]);
    const mask = g.input("mask", ["B", 1, "P"]);
    let x = g.gather(g.input("embedding", [config.vocab, config.width]), ids);
    const rows = dimMul(config.kvHeads, "B");
    for (let index = 0; index < config.layers; index++) {
      const parameters = layerInputs(g, config, adapter, `${index}/`);
      const builder = new LayerBuilder(g, config, adapter, (suffix) => parameters.get(suffix)!);
      const past = {
        keys: g.input(`${index}/keys`, ["P", rows, config.headDim]),
        values: g.input(`${index}/values`, ["P", rows, config.headDim]),
      };
      const { y, key, value } = g.scope(`layers.${index}`, () => decodeLayer(builder, x, { cos, sin, mask }, past));
      g.output(`${index}/key`, key);
      g.output(`${index}/value`, value);
      x = y;
    }
    g.output("hidden", x);
    return g;
  }
}

function layerInputs(graph: Graph, config: ModelConfig, adapter: Adapter, prefix: string): Map<string, Value> {
  return new Map(
    [...layerInputShapes(config, adapter)].map(([suffix, shape]) => [suffix, graph.input(`${prefix}${suffix}`, shape)]),
  );
}
