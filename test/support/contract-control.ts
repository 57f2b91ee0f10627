import assert from "node:assert/strict";
import { runOnLogits } from "../../src/trainers/conformance-passes.ts";
import { createRng } from "../../src/utils/rng.ts";
import { checkGradient } from "./contract-gradient.ts";
import { compute, contractRows, optionsOf, type Subject } from "./contract-subject.ts";
import { evaluate, type Outcome } from "./objective-case.ts";

/** Everything that a control must keep to, in the order in which it is checked. @throws AssertionError naming what it breaks */
export async function checkContract(subject: Subject): Promise<void> {
  await checkFinite(subject);
  await checkMask(subject);
  await checkPadding(subject);
  await checkDeterministic(subject);
  await checkGradient(subject);
  await checkState(subject);
  await checkSplit(subject);
  await checkOff(subject);
}

/** Every number of an outcome. */
export function requireFinite(value: unknown, where: string): void {
  if (typeof value === "number") assert.ok(Number.isFinite(value), `not finite: ${where} is ${value}`);
  else if (value !== null && typeof value === "object")
    for (const [key, inner] of Object.entries(value)) requireFinite(inner, `${where}.${key}`);
}

async function checkFinite(subject: Subject): Promise<void> {
  for (const floatType of ["float64", "float32"] as const) {
    const outcome = await evaluate(contractRows(subject.auxiliary), optionsOf(subject, { floatType }));
    requireFinite(outcome, subject.name);
    assert.ok(
      outcome.dLogits.flat(2).some((x) => x !== 0),
      "finite: the batch must have a gradient",
    );
  }
}

async function checkMask(subject: Subject): Promise<void> {
  const rows = contractRows(subject.auxiliary);
  const other = rows.map((row) => ({
    ...row,
    tokens: row.tokens.map((token) =>
      token.live === false
        ? { ...token, z: [700, -3, 2, 900, 1], o: 4, old: [9, 9, -800, 0, 0], turn: 7, mismatch: 40 }
        : token,
    ),
  }));
  const [plain, masked] = [await evaluate(rows, optionsOf(subject)), await evaluate(other, optionsOf(subject))];
  assert.deepEqual(masked, plain, "mask: changing masked slots changes something");
  assert.ok(
    plain.dLogits[6]!.flat().every((x) => x === 0),
    "mask: a masked slot has a gradient",
  );
}

/** Slots that fill a chunk have features of 0 and logits of anything: they must add nothing. */
async function checkPadding(subject: Subject): Promise<void> {
  const { objective, slots, fed, gradient, done } = await compute(subject);
  const rng = createRng("padding");
  const count = 3;
  const extended = (values: Float64Array): Float64Array =>
    Float64Array.from([...values, ...Array.from({ length: count * slots.vocab }, () => 2 * rng.normal())]);
  const result = await runOnLogits(
    objective.loss,
    {
      ...slots,
      logits: extended(slots.logits),
      others: Object.fromEntries(Object.entries(slots.others).map(([name, values]) => [name, extended(values)])),
      tokens: [...slots.tokens, 0, 1, 2],
    },
    {
      scalars: fed.scalars,
      features: Object.fromEntries(
        Object.entries(fed.features).map(([name, values]) => [name, Float64Array.from([...values, 0, 0, 0])]),
      ),
    },
    true,
  );
  const total = Object.values(result.terms).reduce((a, b) => a + b, 0);
  const { constant = 0 } = done.result.selection;
  assert.ok(Math.abs(total + constant - done.loss) < 1e-12, "padding: filled slots change the loss");
  assert.ok(
    result.gradient.every((x, i) => (i < gradient.length ? Math.abs(x - gradient[i]!) < 1e-12 : x === 0)),
    "padding: filled slots change the gradient",
  );
}

async function checkDeterministic(subject: Subject): Promise<void> {
  const run = () => evaluate(contractRows(subject.auxiliary), optionsOf(subject));
  assert.deepEqual(await run(), await run(), "deterministic: the same batch twice gives different results");
}

/** The state after a step survives JSON, and the next step from the copy is the same. */
async function checkState(subject: Subject): Promise<void> {
  const { states } = await compute(subject);
  const copy = JSON.parse(JSON.stringify(states.after)) as unknown;
  assert.deepEqual(copy, states.after, "state: JSON changes it");
  const next = (state: unknown) =>
    evaluate(contractRows(subject.auxiliary), optionsOf(subject, { step: 2, ...(state === null ? {} : { state }) }));
  assert.deepEqual(await next(copy), await next(states.after), "state: the step from its copy is another one");
}

const SPLITS = [
  [[0, 1, 2, 3, 4, 5, 6]],
  [
    [0, 1],
    [2, 3, 6],
    [4, 5],
  ],
  [[5], [6, 4, 0], [1, 2, 3]],
];

async function checkSplit(subject: Subject): Promise<void> {
  const results: Outcome[] = [];
  for (const microBatches of SPLITS)
    results.push(
      await evaluate(contractRows(subject.auxiliary), optionsOf(subject, { microBatches, floatType: "float32" })),
    );
  const [first, ...others] = results.map(({ dLogits }) => dLogits.flat(2));
  const largest = Math.max(...first!.map(Math.abs));
  const spread = Math.max(...others.flatMap((other) => other.map((x, i) => Math.abs(x - first![i]!)))) / largest;
  if (subject.split === "invariant")
    assert.ok(spread <= 1e-6, `split: gradients differ by ${spread} of the largest entry`);
  else assert.ok(spread > 1e-6, `split: declared to follow the micro-batches, differs by ${spread} only`);
}

async function checkOff(subject: Subject): Promise<void> {
  if (!subject.off) return;
  const { objective = subject.objective ?? {}, control, base = objective, state = subject.state } = subject.off;
  // auxiliary rows have no part in the base objective
  const rows = contractRows(false);
  const off = await evaluate(rows, optionsOf({ ...subject, objective, control, state }));
  const expected = await evaluate(rows, optionsOf({ ...subject, objective: base, control: null, state: undefined }));
  assert.equal(off.loss, expected.loss, "off: another loss than the base objective");
  const [a, b] = [off.dLogits.flat(2), expected.dLogits.flat(2)];
  assert.ok(
    a.every((x, i) => x === b[i]),
    "off: another gradient than the base objective, in the last bit",
  );
}

/** Where all rewards of a group are equal the policy term is 0, and what is left, the control's own pull, does not see the rewards. */
export async function checkForgetsNothing(subject: Subject): Promise<void> {
  const run = (reward: number): Promise<Outcome> =>
    evaluate(
      contractRows().map((row) => ({ ...row, reward })),
      optionsOf(subject),
    );
  const [zero, one, base] = [await run(0), await run(1), await run(0.1)];
  for (const { terms, advantages } of [zero, one, base]) {
    assert.equal(Math.abs(terms.policy), 0, "no signal: the policy term is not 0");
    assert.ok(advantages.every((a) => a === 0));
  }
  for (const other of [one, base]) {
    assert.deepEqual(other.terms, zero.terms, "no signal: the size of the rewards changes a term");
    assert.deepEqual(other.dLogits, zero.dLogits, "no signal: the size of the rewards changes the gradient");
  }
}

/** Where no completion has an advantage, nothing is learned and nothing forgotten. */
export async function checkNoSignal(subject: Subject): Promise<void> {
  const rows = contractRows().map((row) => ({ ...row, reward: 0.1 }));
  const { dLogits, terms } = await evaluate(rows, optionsOf(subject));
  assert.equal(Math.abs(terms.policy), 0, "no signal: the policy term is not 0");
  assert.ok(
    dLogits.flat(2).every((x) => x === 0),
    "no signal: a gradient without advantage",
  );
}
