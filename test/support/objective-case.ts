import assert from "node:assert/strict";
import { ControlConfig } from "../../src/entropy-control/index.ts";
import { ObjectiveConfig } from "../../src/trainers/config.ts";
import { runCase } from "../../src/trainers/conformance.ts";
import type { ConformanceCase } from "../../src/trainers/conformance-case.ts";

/** One token of a row: its logits and id, and what other policies say about it. */
export interface CaseToken {
  readonly z: readonly number[];
  readonly o: number;
  /** ℓ − ℓ_old; 0 when absent. Not used where a token of the case has `old`. */
  readonly logRatio?: number;
  /** logits of the policy that sampled */
  readonly old?: readonly number[];
  /** logits of the reference */
  readonly reference?: readonly number[];
  /** ℓ_old − ℓ_roll */
  readonly mismatch?: number;
  readonly turn?: number;
  /** false: a padded slot */
  readonly live?: boolean;
}

export interface CaseRow {
  readonly group?: number;
  readonly reward?: number;
  readonly auxiliary?: boolean;
  readonly tokens: readonly CaseToken[];
}

export interface CaseOptions {
  readonly objective?: object;
  readonly control?: object | null;
  readonly state?: unknown;
  readonly step?: number;
  readonly totalSteps?: number;
  readonly temperature?: number;
  readonly microBatches?: readonly (readonly number[])[];
  /** Draw of Clip-Cov, [N][T]. */
  readonly chosen?: readonly (readonly number[])[];
  readonly floatType?: "float32" | "float64";
}

export interface Outcome {
  readonly advantages: readonly number[];
  readonly loss: number;
  readonly terms: { readonly policy: number; readonly kl: number; readonly control: number };
  /** [N][T][V], rows of full padded length */
  readonly dLogits: readonly (readonly (readonly number[])[])[];
  readonly entropy: readonly (readonly number[])[];
  readonly selected?: readonly (readonly number[])[];
  readonly knobs?: Readonly<Record<string, number>>;
  readonly state: unknown;
  readonly metrics: Readonly<Record<string, number>>;
}

/** The case of some rows: the same form as a conformance vector. `advantage: reinforce` (A = R) unless the objective says otherwise. */
export function caseOf(rows: readonly CaseRow[], options: CaseOptions = {}): ConformanceCase {
  const {
    objective = {},
    control = null,
    state,
    step = 0,
    totalSteps = 1,
    temperature,
    microBatches,
    chosen,
  } = options;
  const length = Math.max(0, ...rows.map(({ tokens }) => tokens.length));
  const all = rows.flatMap(({ tokens }) => tokens);
  const vocab = all[0]?.z.length ?? 2;
  const padded = <T>(of: (token: CaseToken) => T, padding: T): T[][] =>
    rows.map(({ tokens }) => Array.from({ length }, (_, t) => (tokens[t] ? of(tokens[t]) : padding)));
  const flat = new Array<number>(vocab).fill(0);
  const has = (key: keyof CaseToken): boolean => all.some((token) => token[key] !== undefined);
  const oldOf = (token: CaseToken): number =>
    has("old") ? logpAt(token.old ?? token.z, token.o) : logpAt(token.z, token.o) - (token.logRatio ?? 0);
  return {
    name: "test",
    objective: ObjectiveConfig.parse({ advantage: { name: "reinforce" }, ...objective }),
    control: control && ControlConfig.parse(control),
    ...{ step, totalSteps, expect: {} },
    ...(state === undefined ? {} : { state: state as never }),
    ...(microBatches ? { microBatches: microBatches.map((members) => [...members]) } : {}),
    batch: {
      groups: rows.map(({ group }, i) => group ?? i),
      rewards: rows.map(({ reward }) => reward ?? 0),
      tokens: padded(({ o }) => o, 0),
      mask: padded(({ live }) => (live === false ? 0 : 1), 0),
      logits: padded(({ z }) => [...z], flat),
      ...(has("old") ? { oldLogits: padded(({ old, z }) => [...(old ?? z)], flat) } : { oldLogp: padded(oldOf, 0) }),
      ...(has("reference") ? { refLogits: padded(({ reference, z }) => [...(reference ?? z)], flat) } : {}),
      ...(has("mismatch") ? { rolloutLogp: padded((token) => oldOf(token) - (token.mismatch ?? 0), 0) } : {}),
      ...(has("turn") ? { turns: padded(({ turn }) => turn ?? 0, -1) } : {}),
      ...(rows.some(({ auxiliary }) => auxiliary) ? { auxiliary: rows.map((row) => (row.auxiliary ? 1 : 0)) } : {}),
      ...(temperature === undefined ? {} : { temperature }),
      ...(chosen ? { chosen: chosen.map((row) => [...row]) } : {}),
    },
  };
}

/** Runs rows through the graph code that trains. */
export async function evaluate(rows: readonly CaseRow[], options: CaseOptions = {}): Promise<Outcome> {
  return (await runCase(caseOf(rows, options), options.floatType ?? "float64")) as unknown as Outcome;
}

/** One row of one token. */
export const one = (
  z: readonly number[],
  o: number,
  more: Partial<CaseToken> & Omit<CaseRow, "tokens"> = {},
): CaseRow => {
  const { group, reward, auxiliary, ...token } = more;
  return {
    ...(group === undefined ? {} : { group }),
    ...(reward === undefined ? {} : { reward }),
    ...(auxiliary === undefined ? {} : { auxiliary }),
    tokens: [{ z, o, ...token }],
  };
};

/** Plain numbers, worked out apart from the graph. */
export function softmax(z: readonly number[]): number[] {
  const most = Math.max(...z);
  const e = z.map((x) => Math.exp(x - most));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((x) => x / sum);
}

export const logpAt = (z: readonly number[], o: number): number => {
  const most = Math.max(...z);
  return z[o]! - most - Math.log(z.reduce((sum, x) => sum + Math.exp(x - most), 0));
};

/** H of logits, nats. */
export const entropyOf = (z: readonly number[]): number =>
  -softmax(z).reduce((sum, p, v) => sum + (p === 0 ? 0 : p * logpAt(z, v)), 0);

/** ∂H/∂z_j = −π_j (log π_j + H) */
export function entropyGradient(z: readonly number[]): number[] {
  const h = entropyOf(z);
  return softmax(z).map((p, v) => -p * (logpAt(z, v) + h));
}

/** ∂ℓ/∂z_j = 1[j = o] − π_j */
export const logpGradient = (z: readonly number[], o: number): number[] =>
  softmax(z).map((p, v) => (v === o ? 1 : 0) - p);

/** Logits [x, 0, 0, …] of a given entropy. */
export function logitsOfEntropy(h: number, vocab = 4): number[] {
  let [low, high] = [0, 60]; // entropy falls in x
  const of = (x: number): number[] => [x, ...new Array<number>(vocab - 1).fill(0)];
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (entropyOf(of(middle)) > h) low = middle;
    else high = middle;
  }
  return of((low + high) / 2);
}

export const scaled = (values: readonly number[], factor: number): number[] => values.map((x) => x * factor);
export const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

/** Numbers within an absolute distance, in nested arrays of the same form. */
export function near(got: unknown, expected: unknown, tolerance = 1e-8, where = "value"): void {
  if (Array.isArray(expected)) {
    assert.equal((got as unknown[])?.length, expected.length, `${where}: length`);
    expected.forEach((x, i) => {
      near((got as unknown[])[i], x, tolerance, `${where}[${i}]`);
    });
    return;
  }
  assert.ok(
    typeof got === "number" && Math.abs(got - (expected as number)) <= tolerance,
    `${where} is ${got}, expected ${expected}`,
  );
}
