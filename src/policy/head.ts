import type { FloatType } from "../graph/index.ts";
import { Graph, grad, type ScanStep, type Value, vjp } from "../graph/index.ts";
import type { ModelConfig } from "./config.ts";
import { rmsNorm } from "./layer.ts";

/** What a loss may use of one chunk of c tokens. All of it can be differentiated; `logits` are divided by the temperature already. */
export interface HeadTokens {
  /** [c, V] */
  readonly logits: Value;
  /** [c, V] log-softmax of the logits */
  readonly logProbabilities: Value;
  /** [c] log-probability of the target token */
  readonly logp: Value;
  /** [c] full-vocabulary entropy in nats */
  readonly entropy: Value;
  /** [c] each: numbers that the trainer feeds for every token, by name */
  readonly features: Readonly<Record<string, Value>>;
  /** Numbers that the trainer feeds once a run of the graph, by name */
  readonly scalars: Readonly<Record<string, Value>>;
}

/** A loss on tokens, built once into the head's graph. Its gradient is derived. */
export interface TokenLoss {
  /** Names of per-token inputs, [c] floats each. `weight` is usual: 0 for padding. */
  readonly features: readonly string[];
  /** Names of scalar inputs: coefficients and bounds that change over time are fed, they never rebuild the graph. */
  readonly scalars: readonly string[];
  /** Terms of the loss, each summed over the chunk to a scalar; what is minimised is their sum. `perToken` values [c] are returned as they are. */
  build(g: Graph, tokens: HeadTokens): { terms: Record<string, Value>; perToken?: Record<string, Value> };
}

/** Where a worker finds a loss: an exported function of a module that makes it from options (both can be sent to a thread). */
export interface LossSource {
  /** URL of the module. */
  readonly module: string;
  /** Name of an exported function `(options) => TokenLoss`. */
  readonly exportName: string;
  readonly options: unknown;
}

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
 * Inputs: hidden [n, c, D], target [n, c], temperature [], norm [D], head [V, D], feature/… [n, c], scalar/… [].
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
  const terms: string[] = [];
  const perToken: string[] = [];
  const weightGradients = withGradient && trainWeights;
  const zeroHead = weightGradients ? [g.full([vocab, width], 0)] : [];
  const normalised = g.scope("model.norm", () => rmsNorm(g, hidden, norm, config.normEps));

  const scanned = g.scan(zeroHead, [normalised, target, ...features], (body, states, [h, ids, ...values]): ScanStep => {
    const logits = body.scope("head", () => body.div(body.gemm(h!, head, { transB: true }), temperature));
    const logProbabilities = body.logSoftmax(logits);
    const logp = body.gatherLast(logProbabilities, ids!);
    const entropy = body.neg(body.reduceSum(body.mul(body.exp(logProbabilities), logProbabilities), [-1]));
    const named = Object.fromEntries(loss.features.map((name, i) => [name, values[i]!]));
    const built = body.scope("loss", () =>
      loss.build(body, { logits, logProbabilities, logp, entropy, features: named, scalars }),
    );
    terms.push(...Object.keys(built.terms));
    perToken.push(...Object.keys(built.perToken ?? {}));
    const sums = Object.values(built.terms);
    const outputs = [logp, entropy, ...Object.values(built.perToken ?? {}), ...sums];
    if (!withGradient) return { states: [], outputs };
    const total = sums.reduce((sum, term) => body.add(sum, term));
    const [dH, dHead] = grad(body, total, weightGradients ? [h!, head] : [h!]);
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
