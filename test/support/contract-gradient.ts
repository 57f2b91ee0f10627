import assert from "node:assert/strict";
import { compile, floats, Graph, type Session, type Tensor, type Value } from "../../src/graph/index.ts";
import { givenDistributions, lossOnLogits, type TokenLoss } from "../../src/policy/index.ts";
import type { ComputedCase } from "../../src/trainers/conformance.ts";
import { compute, type Subject } from "./contract-subject.ts";

const H = 1e-5;

/** A graph whose stopped values become outputs, or inputs that hold what they were: differences then see constants, as the gradient does. */
class FrozenGraph extends Graph {
  private readonly frozen: boolean;
  private stops = 0;

  constructor(frozen: boolean) {
    super({ floatType: "float64" });
    this.frozen = frozen;
  }

  override stopGradient(x: Value): Value {
    const name = `stop/${this.stops++}`;
    if (this.frozen) return this.input(name, x.shape, x.dtype);
    this.output(name, x);
    return x;
  }
}

/** The gradient of the update against central differences of its value, everything from the host and all stopped values held fixed. */
export async function checkGradient(subject: Subject): Promise<void> {
  const { objective, slots, fed, gradient } = await compute(subject);
  const feeds = feedsOf(objective.loss, slots, fed);
  const recorded = await open(objective.loss, slots.vocab, false);
  const stopped = await recorded.run(only(recorded, feeds));
  await recorded.dispose();
  const session = await open(objective.loss, slots.vocab, true);
  const loss = async (logits: Float64Array): Promise<number> => {
    const outputs = await session.run(
      only(session, { ...feeds, ...stopped, logits: { ...feeds.logits!, data: logits } as Tensor }),
    );
    return Object.entries(outputs).reduce(
      (sum, [name, { data }]) => sum + (name.startsWith("term/") ? Number(data[0]) : 0),
      0,
    );
  };
  try {
    const largest = Math.max(...gradient.map(Math.abs));
    for (let i = 0; i < gradient.length; i++) {
      const at = (h: number): Promise<number> => {
        const moved = slots.logits.slice();
        moved[i]! += h;
        return loss(moved);
      };
      const measured = ((await at(H)) - (await at(-H))) / (2 * H);
      assert.ok(
        Math.abs(measured - gradient[i]!) <= 1e-7 * Math.max(1, largest),
        `gradient: logit ${i} has ${gradient[i]}, differences give ${measured}`,
      );
    }
  } finally {
    await session.dispose();
  }
}

function open(loss: TokenLoss, vocab: number, frozen: boolean): Promise<Session> {
  const g = new FrozenGraph(frozen);
  const named = (
    prefix: string,
    names: readonly string[],
    shape: readonly (string | number)[],
  ): Record<string, Value> => Object.fromEntries(names.map((name) => [name, g.input(`${prefix}/${name}`, shape)]));
  const built = lossOnLogits(g, loss, {
    logits: g.input("logits", ["c", vocab]),
    target: g.input("target", ["c"], "int64"),
    temperature: g.input("temperature", []),
    features: named("feature", loss.features, ["c"]),
    scalars: named("scalar", loss.scalars, []),
    others: named("other", givenDistributions(loss), ["c", vocab]),
  });
  for (const [name, value] of Object.entries(built.terms)) g.output(`term/${name}`, value);
  return compile(g, { name: "contract", threads: 1 });
}

const only = (session: Session, feeds: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(session.inputs.map(({ name }) => [name, feeds[name]!]));

function feedsOf(loss: TokenLoss, slots: ComputedCase["slots"], fed: ComputedCase["fed"]): Record<string, Tensor> {
  const array = (shape: readonly number[], values: ArrayLike<number>): Tensor => {
    const data = floats("float64", values.length);
    data.set(values);
    return { dtype: "float64", shape, data } as Tensor;
  };
  const count = slots.tokens.length;
  const wide = [count, slots.vocab];
  const entries = <T>(values: Readonly<Record<string, T>>, prefix: string, of: (value: T) => Tensor) =>
    Object.entries(values).map(([name, value]): [string, Tensor] => [`${prefix}/${name}`, of(value)]);
  return Object.fromEntries([
    ["logits", array(wide, slots.logits)],
    ["target", { dtype: "int64", shape: [count], data: BigInt64Array.from(slots.tokens, BigInt) } as Tensor],
    ["temperature", array([], [slots.temperature])],
    ...entries(fed.features, "feature", (values) => array([count], values)),
    ...entries(Object.fromEntries(loss.scalars.map((name) => [name, fed.scalars[name]!])), "scalar", (x) =>
      array([], [x]),
    ),
    ...entries(slots.others as Record<string, Float64Array>, "other", (values) => array(wide, values)),
  ]);
}
