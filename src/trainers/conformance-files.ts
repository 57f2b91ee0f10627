import { dirname, resolve } from "node:path";
import type { Json } from "../rollout/types.ts";
import { DataError, messageOf, RlvrError } from "../utils/errors.ts";
import { objectiveOf } from "./conformance.ts";
import { type ConformanceBatch, type ConformanceCase, readCases } from "./conformance-case.ts";

/** A vectors file that can be run. */
export interface VectorsFile {
  readonly path: string;
  readonly cases: readonly ConformanceCase[];
}

/**
 * Reads vectors files and checks everything that can be wrong with them before a case runs. A control of one's own (`module`) is looked for
 * beside the file.
 * @throws DataError naming file, case and field
 */
export async function openVectors(paths: readonly string[]): Promise<VectorsFile[]> {
  const files = paths.map((path) => ({ path, cases: readCases(path).map((given) => withModule(given, path)) }));
  for (const { path, cases } of files) {
    for (const [i, given] of cases.entries()) {
      const problem = caseProblem(given) ?? (await objectiveProblem(given));
      if (problem) throw new DataError(`${path}: case ${i + 1} (${given.name}): ${problem}`);
    }
  }
  return files;
}

function withModule(given: ConformanceCase, path: string): ConformanceCase {
  const { control } = given;
  if (!control || !("module" in control)) return given;
  return { ...given, control: { ...control, module: resolve(dirname(path), control.module as string) } };
}

async function objectiveProblem(given: ConformanceCase): Promise<string | null> {
  try {
    const { given: policies, control } = await objectiveOf(given);
    const wrong = stateProblem(given.state, control?.control.init() ?? null);
    if (wrong) return `state: ${wrong}`;
    if (given.batch && policies.includes("reference") && !given.batch.refLogits)
      return "batch.refLogits: is missing, the objective needs the distribution of the reference";
    return null;
  } catch (error) {
    if (error instanceof RlvrError) return `objective: ${messageOf(error)}`;
    throw error;
  }
}

/** A state has the keys that the control starts with; null stands for "not yet". */
function stateProblem(state: Json | undefined, start: Json): string | null {
  if (state === undefined || state === null) return null;
  const keys = (value: Json): string | null =>
    value !== null && typeof value === "object" && !Array.isArray(value) ? Object.keys(value).sort().join(", ") : null;
  const [got, wanted] = [keys(state), keys(start)];
  if (wanted === null) return start === null && got !== "" ? "must be absent, the control has none" : null;
  if (got !== wanted)
    return `must be an object with ${wanted}, ${got === null ? "is none" : `has ${got || "nothing"}`}`;
  const bad = Object.entries(state).find(([, value]) => typeof value === "string" || typeof value === "boolean");
  return bad ? `${bad[0]} must be a number, is ${JSON.stringify(bad[1])}` : null;
}

/** What is wrong with the sizes and indices of a case, with the field; null when nothing is. */
export function caseProblem(given: ConformanceCase): string | null {
  if (Object.keys(given.expect).length === 0) return "expect: is empty, there is nothing to compare";
  const { auxiliaryPool: pool, batch } = given;
  if (pool && pool.rewards.length !== pool.groups.length)
    return `auxiliaryPool.rewards: must have ${pool.groups.length} entries like auxiliaryPool.groups, has ${pool.rewards.length}`;
  if (!batch) return null;
  return shapeProblem(batch) ?? valueProblem(batch) ?? referenceProblem(given, batch) ?? microProblem(given, batch);
}

/** Sizes: [N], [N][T] with the T of `tokens`, [N][T][V] with one V. */
function shapeProblem(batch: ConformanceBatch): string | null {
  const rows = batch.groups.length;
  for (const field of ["rewards", "tokens", "auxiliary"] as const) {
    const got = batch[field]?.length ?? rows;
    if (got !== rows) return `batch.${field}: must have ${rows} rows like batch.groups, has ${got}`;
  }
  const vocab = batch.logits.flat()[0]?.length ?? 0;
  const fields = [
    "mask",
    "turns",
    "oldLogp",
    "refLogp",
    "rolloutLogp",
    "chosen",
    "logits",
    "oldLogits",
    "refLogits",
  ] as const;
  for (const field of fields) {
    const values = batch[field] as readonly (readonly (number | readonly number[])[])[] | undefined;
    if (!values) continue;
    if (values.length !== rows) return `batch.${field}: must have ${rows} rows like batch.groups, has ${values.length}`;
    for (const [i, row] of values.entries()) {
      const length = batch.tokens[i]!.length;
      if (row.length !== length)
        return `batch.${field}[${i}]: must have ${length} entries like batch.tokens[${i}], has ${row.length}`;
      const bad = row.findIndex((entry) => typeof entry !== "number" && entry.length !== vocab);
      if (bad >= 0) return `batch.${field}[${i}][${bad}]: must have ${vocab} entries like batch.logits[0][0]`;
    }
  }
  return null;
}

/** Numbers that are indices, bits or a temperature. */
function valueProblem(batch: ConformanceBatch): string | null {
  const vocab = batch.logits.flat()[0]?.length ?? 0;
  const bit = (x: number): boolean => x === 0 || x === 1;
  const rules = {
    tokens: [batch.tokens, (x: number) => x >= 0 && x < vocab, `a token id from 0 to ${vocab - 1}`],
    mask: [batch.mask, bit, "0 or 1"],
    chosen: [batch.chosen ?? [], bit, "0 or 1"],
    auxiliary: [batch.auxiliary ? [batch.auxiliary] : [], bit, "0 or 1"],
    turns: [batch.turns ?? [], (x: number) => Number.isInteger(x) && x >= -1, "a turn index, or -1"],
  } as const;
  for (const [field, [rows, holds, what]] of Object.entries(rules)) {
    for (const [i, row] of rows.entries()) {
      // values at masked positions may be anything, except token ids
      const counts = (t: number): boolean => (field !== "turns" && field !== "chosen") || batch.mask[i]?.[t] === 1;
      const at = row.findIndex((x, t) => !holds(x) && counts(t));
      const where = field === "auxiliary" ? `[${at}]` : `[${i}][${at}]`;
      if (at >= 0) return `batch.${field}${where}: must be ${what}, is ${row[at]}`;
    }
  }
  const { temperature } = batch;
  return temperature !== undefined && temperature <= 0 ? `batch.temperature: must be above 0, is ${temperature}` : null;
}

function referenceProblem({ objective }: ConformanceCase, batch: ConformanceBatch): string | null {
  const { kl, importance } = objective;
  if (importance && !batch.rolloutLogp) return "batch.rolloutLogp: is missing, objective.importance needs it";
  if (!kl || batch.refLogits) return null;
  if (kl.estimator === "full") return "batch.refLogits: is missing, the full divergence needs it";
  return batch.refLogp ? null : "batch.refLogp: is missing, objective.kl needs it (or refLogits)";
}

function microProblem({ microBatches }: ConformanceCase, { groups }: ConformanceBatch): string | null {
  if (!microBatches) return null;
  const seen = microBatches.flat().sort((a, b) => a - b);
  const all = seen.length === groups.length && seen.every((row, i) => row === i);
  return all ? null : `microBatches: must hold each row from 0 to ${groups.length - 1} once, holds ${seen.join(", ")}`;
}
