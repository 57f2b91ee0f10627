import type { FloatType } from "../graph/index.ts";
import { Graph, type ScanStep, type Value, vjp } from "../graph/index.ts";
import type { ModelConfig } from "./config.ts";
import { givenDistributions, gradientOfTerms, lossOnLogits, type TokenLoss } from "./token-loss.ts";

/** Names of what a head tells. */
export interface HeadNames {
  readonly terms: readonly string[];
  readonly perToken: readonly string[];
}

/** A head as a graph of its own. */
export interface HeadGraph extends HeadNames {
  readonly graph: Graph;
}

/** What a head is built from. */
export interface HeadOptions {
  /** false builds the forward part alone */
  readonly withGradient: boolean;
  /** Whether the norm and the head's matrix train. */
  readonly trainWeights: boolean;
}

/**
 * Final norm, output head, loss and their gradient over chunks of tokens in one `Scan`: logits, probabilities and their gradients exist
 * for one chunk at a time.
 *
 * Inputs that it declares: target [n, c], temperature [], norm [D], head [V, D], feature/… [n, c], scalar/… [], and for each given
 * distribution its own …/hidden [n, c, D] (after the final norm) and …/head [V, D].
 * Outputs: logp, entropy, token/… [n, c]; term/… [n]; and dNorm [D], dHead [V, D] when the weights train.
 * @param hidden [n, c, D], in chunks of c tokens, so that [tokens, V] is never held whole
 * @returns with the gradient of `hidden`; null without gradient
 */
export function addHead(
  g: Graph,
  config: ModelConfig,
  loss: TokenLoss,
  hidden: Value,
  { withGradient, trainWeights }: HeadOptions,
): HeadNames & { readonly dHidden: Value | null } {
  const { width, vocab } = config;
  const target = g.input("target", ["n", "c"], "int64");
  const temperature = g.input("temperature", []);
  const norm = g.input("norm", [width]);
  const head = g.input("head", [vocab, width]);
  const features = loss.features.map((name) => g.input(`feature/${name}`, ["n", "c"]));
  const scalars = Object.fromEntries(loss.scalars.map((name) => [name, g.input(`scalar/${name}`, [])]));
  const given = givenDistributions(loss);
  const otherHidden = given.map((name) => g.input(`${name}/hidden`, ["n", "c", width]));
  const otherHeads = given.map((name) => g.input(`${name}/head`, [vocab, width]));
  const terms: string[] = [];
  const perToken: string[] = [];
  const weightGradients = withGradient && trainWeights;
  const zeroHead = weightGradients ? [g.full([vocab, width], 0)] : [];
  const normalised = g.scope("model.norm", () => g.rmsNorm(hidden, norm, config.normEps));
  const project = (body: Graph, h: Value, matrix: Value): Value =>
    body.div(body.gemm(h, matrix, { transB: true }), temperature);

  const elements = [normalised, target, ...features, ...otherHidden];
  const scanned = g.scan(zeroHead, elements, (body, states, [h, ids, ...values]): ScanStep => {
    const logits = body.scope("head", () => project(body, h!, head));
    const others = Object.fromEntries(
      given.map((name, i) => [
        name,
        body.scope(name, () => project(body, values[features.length + i]!, otherHeads[i]!)),
      ]),
    );
    const named = Object.fromEntries(loss.features.map((name, i) => [name, values[i]!]));
    const built = lossOnLogits(body, loss, { logits, target: ids!, temperature, features: named, scalars, others });
    terms.push(...Object.keys(built.terms));
    perToken.push(...Object.keys(built.perToken));
    const outputs = [built.logp, built.entropy, ...Object.values(built.perToken), ...Object.values(built.terms)];
    if (!withGradient) return { states: [], outputs };
    const [dH, dHead] = gradientOfTerms(body, built, weightGradients ? [h!, head] : [h!]);
    return { states: weightGradients ? [body.add(states[0]!, dHead!)] : [], outputs: [...outputs, dH!] };
  });

  const names = ["logp", "entropy", ...perToken.map((name) => `token/${name}`), ...terms.map((name) => `term/${name}`)];
  names.forEach((name, i) => {
    g.output(name, scanned.outputs[i]!);
  });
  if (!withGradient) return { terms, perToken, dHidden: null };
  const cotangent = scanned.outputs[names.length]!;
  const wrt = trainWeights ? [hidden, norm] : [hidden];
  const [dHidden, dNorm] = vjp(g, [{ value: normalised, cotangent }], wrt);
  if (weightGradients) {
    g.output("dNorm", dNorm!);
    g.output("dHead", scanned.states[0]!);
  }
  return { terms, perToken, dHidden: dHidden! };
}

/** `addHead` alone: its input hidden [n, c, D], and with a gradient the output dHidden [n, c, D]. */
export function headGraph(
  config: ModelConfig,
  loss: TokenLoss,
  { floatType, ...options }: HeadOptions & { readonly floatType: FloatType },
): HeadGraph {
  const graph = new Graph({ floatType });
  const { dHidden, ...names } = addHead(graph, config, loss, graph.input("hidden", ["n", "c", config.width]), options);
  if (dHidden) graph.output("dHidden", dHidden);
  return { graph, ...names };
}

/** The final norm alone: hidden [n, D] → normalised [n, D], what the head multiplies with its matrix. */
export function finalNormGraph(config: ModelConfig, floatType: FloatType): Graph {
  const g = new Graph({ floatType });
  const hidden = g.input("hidden", ["n", config.width]);
  g.output("normalised", g.rmsNorm(hidden, g.input("norm", [config.width]), config.normEps));
  return g;
}
