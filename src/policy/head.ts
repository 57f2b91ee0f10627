import type { FloatType } from "../graph/index.ts";
import { Graph, type ScanStep, type Value, vjp } from "../graph/index.ts";
import type { ModelConfig } from "./config.ts";
import { givenDistributions, gradientOfTerms, lossOnLogits, type TokenLoss } from "./token-loss.ts";

/** Sizes of the head's inputs: chunks of c tokens, so that [tokens, V] is never held whole. */
export interface HeadGraph {
  readonly graph: Graph;
  readonly terms: readonly string[];
  readonly perToken: readonly string[];
}

/**
 * Final norm, output head, loss and their gradient over chunks of tokens in one `Scan`: logits, probabilities and their gradients exist
 * for one chunk at a time.
 *
 * Inputs: hidden [n, c, D], target [n, c], temperature [], norm [D], head [V, D], feature/… [n, c], scalar/… [], and for each given
 * distribution its own …/hidden [n, c, D] (after the final norm) and …/head [V, D].
 * Outputs: logp, entropy, token/… [n, c]; term/… [n]; dHidden [n, c, D]; and dNorm [D], dHead [V, D] when the weights train.
 * @param withGradient false builds the forward part alone
 */
export function headGraph(
  config: ModelConfig,
  loss: TokenLoss,
  options: { floatType: FloatType; withGradient: boolean; trainWeights: boolean },
): HeadGraph {
  const { floatType, withGradient, trainWeights } = options;
  const { width, vocab } = config;
  const g = new Graph({ floatType });
  const hidden = g.input("hidden", ["n", "c", width]);
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
  if (withGradient) {
    const cotangent = scanned.outputs[names.length]!;
    const wrt = trainWeights ? [hidden, norm] : [hidden];
    const [dHidden, dNorm] = vjp(g, [{ value: normalised, cotangent }], wrt);
    g.output("dHidden", dHidden!);
    if (weightGradients) {
      g.output("dNorm", dNorm!);
      g.output("dHead", scanned.states[0]!);
    }
  }
  return { graph: g, terms, perToken };
}

/** The final norm alone: hidden [n, D] → normalised [n, D], what the head multiplies with its matrix. */
export function finalNormGraph(config: ModelConfig, floatType: FloatType): Graph {
  const g = new Graph({ floatType });
  const hidden = g.input("hidden", ["n", config.width]);
  g.output("normalised", g.rmsNorm(hidden, g.input("norm", [config.width]), config.normEps));
  return g;
}
