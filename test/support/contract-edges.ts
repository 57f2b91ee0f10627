import assert from "node:assert/strict";
import { requireFinite } from "./contract-control.ts";
import { contractRows, optionsOf, type Subject } from "./contract-subject.ts";
import { type CaseRow, evaluate } from "./objective-case.ts";

/** Batches at the border of what can happen. Each must give finite numbers in both float types. */
export const EDGES: Readonly<Record<string, (rows: CaseRow[]) => CaseRow[]>> = {
  "groups of equal rewards": (rows) => rows.map((row) => ({ ...row, reward: 0.1 })),
  "no live token": (rows) => rows.map((row) => ({ ...row, tokens: row.tokens.map((t) => ({ ...t, live: false })) })),
  "a group of one": (rows) => rows.slice(0, 4).map((row, i) => ({ ...row, group: i === 3 ? 9 : 0 })),
  "one-token completions": (rows) => rows.map((row) => ({ ...row, tokens: row.tokens.slice(0, 1) })),
  "all tokens certain: empty nuclei, entropy 0": (rows) =>
    changed(rows, (token) => ({ ...token, z: [60, 0, 0, 0, 0], old: [61, 0, 0, 0, 0], o: 0 })),
  "all entropies equal": (rows) => changed(rows, (token) => ({ ...token, z: [1, 0, 0, -1, 0], old: [1, 0, 0, -1, 0] })),
  "uniform distributions": (rows) => changed(rows, (token) => ({ ...token, z: [0, 0, 0, 0, 0] })),
  "no auxiliary row": (rows) => rows.map(({ auxiliary: _none, ...row }) => row),
  "only auxiliary rows": (rows) => rows.map((row) => ({ ...row, auxiliary: true })),
  "vanishing probabilities": (rows) => changed(rows, (token) => ({ ...token, z: [900, 0, -900, 5, 0], o: 2 })),
  "huge log-ratios down": (rows) =>
    changed(rows, (token) => ({ ...token, z: [300, 0, 0, 0, 0], o: 1, old: [0, 300, 0, 0, 0] })),
  "huge log-ratios up": (rows) =>
    changed(rows, (token) => ({ ...token, z: [0, 300, 0, 0, 0], o: 1, old: [300, 0, 0, 0, 0] })),
  "huge rollout mismatch": (rows) => changed(rows, (token, t) => ({ ...token, mismatch: t % 2 === 0 ? 500 : -500 })),
};

function changed(
  rows: readonly CaseRow[],
  change: (token: CaseRow["tokens"][number], t: number) => CaseRow["tokens"][number],
): CaseRow[] {
  return rows.map((row) => ({ ...row, tokens: row.tokens.map(change) }));
}

/** @throws AssertionError naming edge and number */
export async function checkEdges(subject: Subject): Promise<void> {
  for (const [edge, change] of Object.entries(EDGES))
    for (const floatType of ["float64", "float32"] as const) {
      const rows = change(contractRows(subject.auxiliary));
      const outcome = await evaluate(rows, optionsOf(subject, { floatType, microBatches: splitOf(rows.length) }));
      requireFinite(outcome, `${subject.name}, ${edge}, ${floatType}`);
      if (edge === "no live token")
        assert.ok(outcome.loss === 0 && outcome.dLogits.flat(2).every((x) => x === 0), `${edge}: all is 0`);
    }
}

const splitOf = (rows: number): number[][] => {
  const all = Array.from({ length: rows }, (_, i) => i);
  return [all.filter((i) => i % 2 === 1), all.filter((i) => i % 2 === 0)];
};
