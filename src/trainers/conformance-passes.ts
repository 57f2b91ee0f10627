import type { TokenProgram, TokenValues } from "../entropy-control/index.ts";
import { compile, type FloatType, floats, Graph, type Tensor, type Value } from "../graph/index.ts";
import {
  givenDistributions,
  gradientOfTerms,
  lossOnLogits,
  type OtherPolicy,
  type TokenLoss,
} from "../policy/index.ts";

/** The tokens of a conformance case: logits of n slots instead of a model. */
export interface LogitSlots {
  /** [n*V] each, divided by the temperature */
  readonly logits: Float64Array;
  readonly others: Readonly<Partial<Record<OtherPolicy, Float64Array>>>;
  /** [n] */
  readonly tokens: readonly number[];
  readonly vocab: number;
  readonly temperature: number;
  readonly floatType: FloatType;
}

/** What a pass over given logits yields. */
export interface LogitResult {
  readonly values: TokenValues;
  readonly terms: Readonly<Record<string, number>>;
  /** [n*V] gradient with respect to the logits; empty without gradient */
  readonly gradient: Float64Array;
}

/** Runs a loss on given logits through the code of the policy's head: same log-probs, entropies, terms and derivation of the gradient. */
export async function runOnLogits(
  loss: TokenLoss,
  slots: LogitSlots,
  feeds: { features: Readonly<Record<string, Float64Array>>; scalars: Readonly<Record<string, number>> },
  withGradient: boolean,
): Promise<LogitResult> {
  const { floatType, vocab } = slots;
  const count = slots.tokens.length;
  const g = new Graph({ floatType });
  const logits = g.input("logits", ["c", vocab]);
  const named = (prefix: string, names: readonly string[], shape: readonly string[]): Record<string, Value> =>
    Object.fromEntries(names.map((name) => [name, g.input(`${prefix}/${name}`, shape)]));
  const given = givenDistributions(loss);
  const built = lossOnLogits(g, loss, {
    logits,
    target: g.input("target", ["c"], "int64"),
    temperature: g.input("temperature", []),
    features: named("feature", loss.features, ["c"]),
    scalars: named("scalar", loss.scalars, []),
    others: Object.fromEntries(given.map((name) => [name, g.input(`other/${name}`, ["c", vocab])])),
  });
  if (count === 0) {
    const none = new Float64Array(0);
    const values = Object.fromEntries(Object.keys(built.perToken).map((name) => [name, none]));
    return { values: { logp: none, entropy: none, values }, terms: {}, gradient: none };
  }
  g.output("logp", built.logp);
  g.output("entropy", built.entropy);
  for (const [name, value] of Object.entries(built.perToken)) g.output(`token/${name}`, value);
  for (const [name, value] of Object.entries(built.terms)) g.output(`term/${name}`, value);
  if (withGradient) g.output("gradient", gradientOfTerms(g, built, [logits])[0]!);

  const array = (shape: readonly number[], data: ArrayLike<number>): Tensor => {
    const values = floats(floatType, data.length);
    values.set(data);
    return { dtype: floatType, shape, data: values } as Tensor;
  };
  const inputs: Record<string, Tensor> = {
    logits: array([count, vocab], slots.logits),
    target: { dtype: "int64", shape: [count], data: BigInt64Array.from(slots.tokens, BigInt) },
    temperature: array([], [slots.temperature]),
  };
  for (const name of loss.features) inputs[`feature/${name}`] = array([count], feeds.features[name]!);
  for (const name of loss.scalars) inputs[`scalar/${name}`] = array([], [feeds.scalars[name]!]);
  for (const name of given) inputs[`other/${name}`] = array([count, vocab], slots.others[name]!);
  const session = await compile(g, { name: "conformance", threads: 1 });
  try {
    const used = new Set(session.inputs.map(({ name }) => name));
    const outputs = await session.run(Object.fromEntries(Object.entries(inputs).filter(([name]) => used.has(name))));
    const read = (name: string): Float64Array => Float64Array.from(outputs[name]!.data as Float64Array);
    return {
      values: {
        logp: read("logp"),
        entropy: read("entropy"),
        values: Object.fromEntries(Object.keys(built.perToken).map((name) => [name, read(`token/${name}`)])),
      },
      terms: Object.fromEntries(Object.keys(built.terms).map((name) => [name, read(`term/${name}`)[0]!])),
      gradient: withGradient ? read("gradient") : new Float64Array(0),
    };
  } finally {
    await session.dispose();
  }
}

/** A program without gradient as a loss that has no terms. */
export function programLoss(program: TokenProgram): TokenLoss {
  return { features: [], scalars: [], build: (g, tokens) => ({ terms: {}, perToken: program.build(g, tokens) }) };
}
