import { compile, dimMul, type FloatType, Graph, type Session, type Value, vjp } from "../graph/index.ts";
import { cachedAttention, packedAttention } from "./attention.ts";
import type { ModelConfig } from "./config.ts";
import { addHead, finalNormGraph, type HeadNames, headGraph } from "./head.ts";
import { decoderLayer, LayerBuilder } from "./layer.ts";
import { layerInputs, packedInputs, pastInputs, tokenPlaces } from "./layer-inputs.ts";
import type { Adapter } from "./lora.ts";
import { formName, type PackedForm } from "./packing.ts";
import { type SamplerFilters, samplerGraph } from "./sampler.ts";
import { scoredStates } from "./scored-states.ts";
import { givenDistributions, type OtherPolicy, type TokenLoss } from "./token-loss.ts";

/** What the graphs of a policy are built from. */
export interface BlockOptions {
  readonly config: ModelConfig;
  readonly adapter: Adapter;
  readonly floatType: FloatType;
  /** Suffixes of the layer parameters that train. */
  readonly trainable: readonly string[];
  /** Scores of attention that are held at once in a pass over sequences. */
  readonly scores: number;
  readonly threads?: number;
}

/** A compiled head with the names of its loss terms and per-token results. */
export interface HeadSession extends HeadNames {
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
  layerForward(form: PackedForm): Promise<Session> {
    return this.session(`layer/forward ${formName(form)}`, () => {
      const { graph, layer } = this.packedLayer(form);
      graph.output("y", layer.y);
      return graph;
    });
  }

  /** x → y, and keys and values [N, kvHeads*headDim], of sequences that share nothing. */
  layerPrefill(form: PackedForm): Promise<Session> {
    return this.session(`layer/prefill ${formName(form)}`, () => {
      const { graph, layer } = this.packedLayer(form);
      graph.output("y", layer.y);
      graph.output("keys", layer.keys);
      graph.output("values", layer.values);
      return graph;
    });
  }

  /** x, dy → dx and grad/… of the trained parameters. The forward pass is computed again: only layer inputs are kept between passes. */
  layerBackward(form: PackedForm): Promise<Session> {
    return this.session(`layer/backward ${formName(form)}`, () => {
      const { graph, x, layer, parameters } = this.packedLayer(form);
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

  /**
   * Forward pass, loss and backward pass of the whole model in one run, which keeps what the backward pass needs. Inputs are those of the layers, under
   * "INDEX/", of the head, and states/… (`scored-states.ts`); outputs those of the head, INDEX/grad/…, and dx.
   */
  async whole(loss: TokenLoss, form: PackedForm): Promise<HeadSession> {
    const { config, adapter, floatType, trainable } = this.options;
    const g = new Graph({ floatType });
    const { x, ...inputs } = packedInputs(g, config, form);
    const wrt: Value[] = [x];
    let y = x;
    for (let index = 0; index < config.layers; index++) {
      const parameters = layerInputs(g, config, adapter, `${index}/`);
      wrt.push(...trainable.map((suffix) => parameters.get(suffix)!));
      y = g.scope(`layers.${index}`, () => packedLayer(g, this.options, parameters, y, inputs)).y;
    }
    const hidden = scoredStates(g, y);
    const options = { withGradient: true, trainWeights: adapter.kind === "none" };
    const { dHidden, ...names } = addHead(g, config, loss, hidden, options);
    const [dx, ...gradients] = vjp(g, [{ value: hidden, cotangent: dHidden! }], wrt);
    g.output("dx", dx!);
    gradients.forEach((gradient, i) => {
      g.output(`${Math.floor(i / trainable.length)}/grad/${trainable[i % trainable.length]}`, gradient);
    });
    return { session: await this.compile("update", g), ...names, given: givenDistributions(loss) };
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

  private packedLayer(form: PackedForm) {
    const { config, adapter, floatType } = this.options;
    const graph = new Graph({ floatType });
    const parameters = layerInputs(graph, config, adapter, "");
    const { x, ...inputs } = packedInputs(graph, config, form);
    const layer = graph.scope("layer", () => packedLayer(graph, this.options, parameters, x, inputs));
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
        weightsFirst: true,
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

/** One layer over packed sequences. */
function packedLayer(
  g: Graph,
  { config, adapter }: BlockOptions,
  parameters: ReadonlyMap<string, Value>,
  x: Value,
  { blocks, places }: Omit<ReturnType<typeof packedInputs>, "x">,
) {
  const builder = new LayerBuilder(g, config, adapter, (suffix) => parameters.get(suffix)!, { mergeAdapter: true });
  return decoderLayer(builder, x, places, (q, k, v) => packedAttention(g, config, { q, k, v }, blocks));
}
