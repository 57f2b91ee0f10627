import assert from "node:assert/strict";
import { runCase } from "../../src/trainers/conformance.ts";
import { createRng } from "../../src/utils/rng.ts";
import { optionsOf, type Subject } from "./contract-subject.ts";
import { type CaseOptions, type CaseRow, caseOf, evaluate } from "./objective-case.ts";

/** Trains the logits of two arms; the right one must become likely. @returns steps that it took */
export async function checkBandit(subject: Subject): Promise<number> {
  const rng = createRng("bandit");
  const z = [0.5, -0.5]; // the right arm has 0.27
  const { objective, control } = { ...subject, ...subject.bandit };
  let state: unknown;
  const draw = (logits: readonly number[]): number =>
    rng.uniform() < 1 / (1 + Math.exp(logits[0]! - logits[1]!)) ? 1 : 0;
  const group = (id: number, temperature: number): CaseRow[] =>
    Array.from({ length: 4 }, () => {
      const arms = [0, 0, 0].map(() => draw(z.map((x) => x / temperature)));
      const tokens = arms.map((o) => ({ z: [...z], o, reference: [0, 0], mismatch: 0, old: [...z] }));
      return { group: id, reward: arms.filter((o) => o === 1).length > 1 ? 1 : 0, tokens };
    });
  for (let step = 0; step < 300; step++) {
    const options = {
      ...optionsOf({ ...subject, ...(objective && { objective }), ...(control && { control }) }),
      step,
      totalSteps: 300,
    };
    const { state: _first, ...rest } = options;
    const at: CaseOptions = state === undefined ? rest : { ...rest, state };
    const rows = [0, 1, 2, 3].flatMap((id) => group(id, 1));
    await addAuxiliary(rows, at, group);
    const { dLogits, state: next } = await evaluate(rows, at);
    state = next ?? undefined;
    for (const dz of dLogits.flat()) for (const [v, x] of dz.entries()) z[v] = z[v]! - 2 * x;
    if (1 / (1 + Math.exp(z[0]! - z[1]!)) > 0.9) return step + 1;
  }
  assert.fail(`bandit: the right arm has ${1 / (1 + Math.exp(z[0]! - z[1]!))} after 300 steps`);
}

/** Rows at the temperature that the control plans, in the places that it says. */
async function addAuxiliary(
  rows: CaseRow[],
  options: CaseOptions,
  group: (id: number, temperature: number) => CaseRow[],
): Promise<void> {
  const { batch: _none, ...plan } = caseOf([], options);
  const temperature = options.control
    ? ((await runCase(plan, "float64")).knobs as Record<string, number>).temperature
    : undefined;
  if (temperature === undefined) return;
  const pool = group(0, temperature);
  const auxiliaryPool = { groups: pool.map(() => 0), rewards: pool.map(({ reward }) => reward!) };
  const { chosenRows } = await runCase({ ...plan, auxiliaryPool }, "float64");
  const replace = (options.control as { variant?: string }).variant !== "scope";
  (chosenRows as number[]).forEach((i, place) => {
    if (replace) rows[place] = { ...rows[place]!, auxiliary: true, tokens: pool[i]!.tokens };
    else rows.push({ ...pool[i]!, auxiliary: true });
  });
}
