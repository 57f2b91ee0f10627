import {
  compile,
  type Dim,
  dimAdd,
  dimMul,
  type FloatType,
  Graph,
  type Session,
  type Shape,
  type Value,
  vjp,
} from "../graph/index.ts";
import { type BlockPlaces, type CachedPast, cachedAttention, packedAttention, type TailPlaces } from "./attention.ts";
import type { ModelConfig } from "./config.ts";
import { finalNormGraph, type HeadGraph, headGraph } from "./head.ts";
import { decoderLayer, LayerBuilder, type TokenPlaces } from "./layer.ts";
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

  /** x → y [N, D] of packed sequences */
  layerForward(hasTails: boolean): Promise<Session> {
    return this.session(`layer/forward ${hasTails}`, () => {
      const { graph, layer } = this.packedLayer(hasTails);
      graph.output("y", layer.y);
      return graph;
    });
  }

  /** x → y, and keys and values [N, kvHeads*headDim], of sequences that share nothing. */
  layerPrefill(): Promise<Session> {
    return this.session("layer/prefill", () => {
      const { graph, layer } = this.packedLayer(false);
      graph.output("y", layer.y);
      graph.output("keys", layer.keys);
      graph.output("values", layer.values);
      return graph;
    });
  }

  /** x, dy → dx and grad/… of the trained parameters. The forward pass is computed again: only layer inputs are kept between passes. */
  layerBackward(hasTails: boolean): Promise<Session> {
    return this.session(`layer/backward ${hasTails}`, () => {
      const { graph, x, layer, parameters } = this.packedLayer(hasTails);
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

  /** x [B, T, D] after a cache of P positions → y [B, T, D], and the new keys and values [B*T, kvHeads*headDim]. */
  layerExtend(hasPrompts: boolean): Promise<Session> {
    return this.session(`layer/extend ${hasPrompts}`, () => this.extendGraph(hasPrompts));
  }

  /** One token through all layers: ids [B] → hidden [B, D], and the new key and value rows of each layer. */
  decode(hasPrompts: boolean): Promise<Session> {
    return this.session(`decode ${hasPrompts}`, () => this.decodeGraph(hasPrompts));
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

  private packedLayer(hasTails: boolean) {
    const { config, adapter, floatType } = this.options;
    const graph = new Graph({ floatType });
    const parameters = layerInputs(graph, config, adapter, "");
    const places = { prefix: prefixInputs(graph, config), tail: hasTails ? tailInputs(graph, config) : null };
    const rows = hasTails ? dimAdd("Np", "Nt") : "Np";
    const x = graph.input("x", [rows, config.width]);
    const builder = new LayerBuilder(graph, config, adapter, (suffix) => parameters.get(suffix)!, {
      mergeAdapter: true,
    });
    const layer = graph.scope("layer", () =>
      decoderLayer(builder, x, tokenPlaces(graph, config, rows), (q, k, v) =>
        packedAttention(graph, config, { q, k, v }, places),
      ),
    );
    return { graph, x, layer, parameters };
  }

  private extendGraph(hasPrompts: boolean): Graph {
    const { config, adapter, floatType } = this.options;
    const g = new Graph({ floatType });
    const [batch, time] = ["B", "T"];
    const x = g.input("x", [batch, time, config.width]);
    const pasts = pastInputs(g, config, hasPrompts, time);
    const causal = g.input("causal", [time, time]);
    const parameters = layerInputs(g, config, adapter, "");
    const builder = new LayerBuilder(g, config, adapter, (suffix) => parameters.get(suffix)!, { mergeAdapter: false });
    const rows = dimMul(batch, time);
    const { y, keys, values } = g.scope("layer", () =>
      decoderLayer(builder, g.reshape(x, [rows, config.width]), tokenPlaces(g, config, rows), (q, k, v) =>
        cachedAttention(g, config, { q, k, v }, pasts(""), { batch, time, causal }),
      ),
    );
    g.output("y", g.reshape(y, x.shape));
    g.output("keys", keys);
    g.output("values", values);
    return g;
  }

  private decodeGraph(hasPrompts: boolean): Graph {
    const { config, adapter, floatType } = this.options;
    const g = new Graph({ floatType });
    const batch = "B";
    const ids = g.input("ids", [batch], "int64");
    const pasts = pastInputs(g, config, hasPrompts, 1);
    const places = tokenPlaces(g, config, batch);
    let x = g.gather(g.input("embedding", [config.vocab, config.width]), ids);
    for (let index = 0; index < config.layers; index++) {
      const parameters = layerInputs(g, config, adapter, `${index}/`);
      const builder = new LayerBuilder(g, config, adapter, (suffix) => parameters.get(suffix)!, {
        mergeAdapter: false,
      });
      const past = pasts(`${index}/`);
      const { y, keys, values } = g.scope(`layers.${index}`, () =>
        decoderLayer(builder, x, places, (q, k, v) =>
          cachedAttention(g, config, { q, k, v }, past, { batch, time: 1, causal: null }),
        ),
      );
      g.output(`${index}/key`, keys);
      g.output(`${index}/value`, values);
      x = y;
    }
    g.output("hidden", x);
    return g;
  }
}

/** Rotary table and positions of n tokens. */
function tokenPlaces(g: Graph, { headDim }: ModelConfig, n: Dim): TokenPlaces {
  const table = { cos: g.input("cos", ["M", headDim / 2]), sin: g.input("sin", ["M", headDim / 2]) };
  return { table, positions: g.input("positions", [n, 1], "int64") };
}

function prefixInputs(g: Graph, { heads, kvHeads }: ModelConfig): BlockPlaces {
  return {
    querySlots: g.input("prefix/querySlots", ["P", kvHeads, heads / kvHeads, "L"], "int32"),
    keySlots: g.input("prefix/keySlots", ["P", kvHeads, "L"], "int32"),
    queryPlaces: g.input("prefix/queryPlaces", ["Np", heads], "int32"),
    keyPlaces: g.input("prefix/keyPlaces", ["Np", kvHeads], "int32"),
    causal: g.input("prefix/causal", ["L", "L"]),
  };
}

function tailInputs(g: Graph, { heads, kvHeads }: ModelConfig): TailPlaces {
  return {
    querySlots: g.input("tail/querySlots", ["P", kvHeads, "S", heads / kvHeads, "C"], "int32"),
    keySlots: g.input("tail/keySlots", ["P", kvHeads, "S", "C"], "int32"),
    queryPlaces: g.input("tail/queryPlaces", ["Nt", heads], "int32"),
    keyPlaces: g.input("tail/keyPlaces", ["Nt", kvHeads], "int32"),
    causal: g.input("tail/causal", ["C", "C"]),
    past: g.input("tail/past", ["P", 1, 1, "L"]),
  };
}

/** Inputs of what rows have in the cache; the keys and values of a layer are declared when it is built, under its prefix. */
function pastInputs(g: Graph, { heads, kvHeads, headDim }: ModelConfig, hasPrompts: boolean, time: Dim) {
  const mask = g.input("mask", ["B", 1, 1, "P"]);
  const shared = hasPrompts && {
    slots: g.input("prompt/slots", ["G", kvHeads, "S", heads / kvHeads, time], "int32"),
    places: g.input("prompt/places", ["B", heads, time], "int32"),
    mask: g.input("prompt/mask", ["B", 1, 1, "L"]),
  };
  const cache = (name: string, shape: Shape): CachedPast => ({
    keys: g.input(`${name}/keys`, shape),
    values: g.input(`${name}/values`, shape),
  });
  return (prefix: string) => ({
    own: { ...cache(`${prefix}past`, ["P", dimMul(kvHeads, "B"), headDim]), mask },
    prompt: shared ? { ...cache(`${prefix}prompt`, ["L", dimMul(kvHeads, "G"), headDim]), ...shared } : null,
  });
}

function layerInputs(graph: Graph, config: ModelConfig, adapter: Adapter, prefix: string): Map<string, Value> {
  return new Map(
    [...layerInputShapes(config, adapter)].map(([suffix, shape]) => [suffix, graph.input(`${prefix}${suffix}`, shape)]),
  );
}
