import { type Graph, grad, type Value } from "../graph/index.ts";
import { DataError } from "../utils/errors.ts";

/** A distribution over the vocabulary at each of c tokens. */
export interface Distribution {
  /** [c, V] divided by the temperature already */
  readonly logits: Value;
  /** [c, V] log-softmax of the logits */
  readonly logProbabilities: Value;
}

/** Policies besides the current one that a loss may look at; they are constants. */
export type OtherPolicy = "old" | "reference";

/** What a loss may use of one chunk of c tokens. Everything about the current policy can be differentiated. */
export interface PolicyTokens extends Distribution {
  /** [c] int64 ids of the tokens that are scored */
  readonly target: Value;
  /** [c] log-probability of the target token */
  readonly logp: Value;
  /** [c] full-vocabulary entropy in nats */
  readonly entropy: Value;
  /** [] what the logits were divided by */
  readonly temperature: Value;
  /** [c] each: numbers that the trainer feeds for every token, by name */
  readonly features: Readonly<Record<string, Value>>;
  /** Numbers that the trainer feeds once a run of the graph, by name */
  readonly scalars: Readonly<Record<string, Value>>;
  /** The policy that sampled, where the loss asks for it. */
  readonly old?: Distribution;
  /** The reference policy, where the loss asks for it. */
  readonly reference?: Distribution;
}

/** A loss on tokens, built once into the head's graph. Its gradient is derived. */
export interface TokenLoss {
  /** Names of per-token inputs, [c] floats each. All are 0 at padding, where every term must be 0. */
  readonly features: readonly string[];
  /** Names of scalar inputs: coefficients and bounds that change over time are fed, they never rebuild the graph. */
  readonly scalars: readonly string[];
  /** Other distributions that are needed: `given` ones are fed, `current` is the current policy itself as a constant. */
  readonly distributions?: Readonly<Partial<Record<OtherPolicy, "given" | "current">>>;
  /** Terms of the loss, each summed over the chunk to a scalar; what is minimised is their sum. `perToken` values [c] are returned as they are. */
  build(g: Graph, tokens: PolicyTokens): { terms: Record<string, Value>; perToken?: Record<string, Value> };
}

/** Where a worker finds a loss: an exported function of a module that makes it from options (both can be sent to a thread). */
export interface LossSource {
  /** URL of the module. */
  readonly module: string;
  /** Name of an exported function `(options) => TokenLoss`, or of a promise of one. */
  readonly exportName: string;
  readonly options: unknown;
}

/** A loss on the tokens of one chunk, as graph values. */
export interface BuiltLoss {
  readonly logp: Value;
  readonly entropy: Value;
  readonly terms: Readonly<Record<string, Value>>;
  readonly perToken: Readonly<Record<string, Value>>;
}

const ALIGNED = 4; // entries after which rows start at a multiple of 16 bytes in both float types

/**
 * Sum of each row, with the same bits for rows of the same bits. The runtime adds in an order that depends on where a row lies in memory, so
 * rows are filled up with zeros to a multiple of 16 bytes: what ranks tokens must see equal distributions as equal.
 * @param x [c, V] @returns [c]
 */
export function sumOfRows(g: Graph, x: Value): Value {
  const [count, vocab] = x.shape as [Value["shape"][number], number];
  const missing = (ALIGNED - (vocab % ALIGNED)) % ALIGNED;
  return g.reduceSum(missing === 0 ? x : g.concat([x, g.full([count, missing], 0, x.dtype)], 1), [-1]);
}

/** Builds a loss on the logits of one chunk: the one place where log-probs and entropies come from. */
export function lossOnLogits(
  g: Graph,
  loss: TokenLoss,
  inputs: {
    readonly logits: Value;
    readonly target: Value;
    readonly temperature: Value;
    readonly features: Readonly<Record<string, Value>>;
    readonly scalars: Readonly<Record<string, Value>>;
    /** Logits of the `given` distributions, divided by the temperature. [c, V] */
    readonly others: Readonly<Partial<Record<OtherPolicy, Value>>>;
  },
): BuiltLoss {
  const { logits, target, temperature, features, scalars } = inputs;
  const logProbabilities = g.logSoftmax(logits);
  const logp = g.gatherLast(logProbabilities, target);
  const entropy = g.neg(sumOfRows(g, g.mul(g.exp(logProbabilities), logProbabilities)));
  const others = Object.fromEntries(
    Object.entries(loss.distributions ?? {}).map(([name, kind]): [string, Distribution] => {
      const given = inputs.others[name as OtherPolicy];
      if (kind === "given") return [name, { logits: given!, logProbabilities: g.logSoftmax(given!) }];
      return [name, { logits: g.stopGradient(logits), logProbabilities: g.stopGradient(logProbabilities) }];
    }),
  );
  const tokens: PolicyTokens = {
    ...{ logits, logProbabilities, target, logp, entropy, temperature, features, scalars },
    ...others,
  };
  const built = g.scope("loss", () => loss.build(g, tokens));
  return { logp, entropy, terms: built.terms, perToken: built.perToken ?? {} };
}

/** Names of the distributions that must be fed. */
export function givenDistributions({ distributions = {} }: TokenLoss): OtherPolicy[] {
  return (Object.keys(distributions) as OtherPolicy[]).filter((name) => distributions[name] === "given");
}

/** Gradient of the summed terms; zeros when there are none. */
export function gradientOfTerms(g: Graph, { terms }: BuiltLoss, wrt: readonly Value[]): Value[] {
  const sums = Object.values(terms);
  if (sums.length === 0) return wrt.map((value) => g.full(value.shape, 0, value.dtype));
  return grad(
    g,
    sums.reduce((sum, term) => g.add(sum, term)),
    wrt,
  );
}

/** Imports a loss. @throws DataError when the module does not export it */
export async function loadLoss({ module, exportName, options }: LossSource): Promise<TokenLoss> {
  const loaded = (await import(module)) as Record<string, (options: unknown) => TokenLoss | Promise<TokenLoss>>;
  const make = loaded[exportName];
  if (!make) throw new DataError(`${module} does not export ${exportName}`);
  return make(options);
}
