import { z } from "zod";
import type {
  ControlGraph,
  ControlReport,
  MiniBatchResult,
  RowRoles,
  Selection,
  TokenBatch,
  TokenProgram,
} from "./types.ts";

/** Phases that run on the host. */
const PHASES = ["init", "knobs", "plan", "rows", "old", "begin", "select", "report", "next", "summary"] as const;
const SELECTION = ["features", "scalars", "policyTokens", "policyFactor", "constant"];
const names = { what: "a list of names", holds: (value: unknown): boolean => isNames(value) };
const flag = { what: "true or false", holds: (value: unknown): boolean => typeof value === "boolean" };
const builder = {
  what: "a function (g, tokens) => value",
  holds: (value: unknown): boolean => typeof value === "function",
};
const GRAPH: Readonly<Record<string, { readonly what: string; holds(value: unknown): boolean }>> = {
  ...{ features: names, scalars: names, needsOld: flag, needsReference: flag },
  ...{ advantage: builder, policyLoss: builder, perToken: builder, penalty: builder },
};

/** A result of another shape than expected. */
export class Expected extends Error {}

export function expected(what: string, got: unknown): Expected {
  const length = (got as { length?: unknown } | null | undefined)?.length;
  const kind =
    got === null ? "null" : Array.isArray(got) ? "Array" : ((got as object)?.constructor?.name ?? typeof got);
  const shown = typeof got === "number" ? `${got}` : typeof length === "number" ? `${kind} of ${length}` : kind;
  return new Expected(`must return ${what}, got ${shown}`);
}

export function checkPhases(control: unknown): string | null {
  if (control === null || typeof control !== "object")
    return `create() must return an object with init() and the phases that the method needs, got ${control === null ? "null" : typeof control}`;
  const phases = control as Record<string, unknown>;
  if (typeof phases.init !== "function")
    return "create() must return an object with init(): the state at the start, or null";
  const known = [...PHASES, "slotAfterEnd", "measure", "graph"];
  const unknown = Object.keys(phases).filter((name) => !(known as string[]).includes(name));
  if (unknown.length > 0) return `unknown phase ${unknown.join(", ")} (known: ${known.join(", ")})`;
  const notFunctions = PHASES.filter((name) => phases[name] !== undefined && typeof phases[name] !== "function");
  if (notFunctions.length > 0) return `${notFunctions.join(", ")} must be a function`;
  const { slotAfterEnd, measure, graph } = phases;
  if (slotAfterEnd !== undefined && typeof slotAfterEnd !== "boolean") return "slotAfterEnd must be true or false";
  if (measure !== undefined && !isProgram(measure)) return `measure must be ${PROGRAM}`;
  return graph === undefined ? null : graphProblem(graph, phases.select !== undefined);
}

const PROGRAM = "a program: {outputs: names, build: (g, tokens) => values by these names}";
const isNames = (value: unknown): boolean => Array.isArray(value) && value.every((name) => typeof name === "string");

function isProgram(value: unknown): value is TokenProgram {
  const { outputs, build } = (value ?? {}) as Partial<TokenProgram>;
  return isNames(outputs) && typeof build === "function";
}

function graphProblem(graph: unknown, selects: boolean): string | null {
  if (graph === null || typeof graph !== "object")
    return `graph must be an object with ${Object.keys(GRAPH).join(", ")}`;
  for (const [name, value] of Object.entries(graph)) {
    const rule = GRAPH[name];
    if (!rule) return `unknown graph.${name} (known: ${Object.keys(GRAPH).join(", ")})`;
    if (value !== undefined && !rule.holds(value)) return `graph.${name} must be ${rule.what}`;
  }
  const { features = [], scalars = [] } = graph as ControlGraph;
  if (!selects && features.length + scalars.length > 0)
    return `graph lists ${[...features, ...scalars].join(", ")}: select() must be there to return them`;
  return null;
}

/** What `old` returned. */
export function checkProgram(program: TokenProgram | null): TokenProgram | null {
  if (program !== null && !isProgram(program)) throw expected(`null, or ${PROGRAM}`, program);
  return program;
}

export function checkState<T>(state: T): T {
  if (!z.json().safeParse(state).success)
    throw expected("plain JSON with finite numbers, since checkpoints keep it", state);
  return state;
}

export function checkNumbers<T extends Readonly<Record<string, number>>>(values: T, what: string): T {
  if (values === null || typeof values !== "object") throw expected(`an object of ${what}s by name`, values);
  for (const [name, value] of Object.entries(values))
    if (!Number.isFinite(value)) throw new Expected(`must return finite numbers, ${what} ${name} is ${value}`);
  return values;
}

export function checkSlots(name: string, values: ArrayLike<number> | undefined, { live }: TokenBatch): void {
  if (values === undefined) return;
  if (!ArrayBuffer.isView(values) || values.length !== live.length)
    throw expected(`${name} as a typed array with one entry per slot [${live.length}]`, values);
  for (let t = 0; t < live.length; t++)
    if (!Number.isFinite(values[t])) throw new Expected(`must return finite values, ${name}[${t}] is ${values[t]}`);
}

export function checkSelection(selection: Selection, batch: TokenBatch, graph: ControlGraph): Selection {
  if (selection === null || typeof selection !== "object")
    throw expected(`an object with ${SELECTION.join(", ")}`, selection);
  const unknown = Object.keys(selection).filter((name) => !SELECTION.includes(name));
  if (unknown.length > 0) throw new Expected(`returned unknown ${unknown.join(", ")} (known: ${SELECTION.join(", ")})`);
  const { features = {}, scalars = {}, policyTokens, policyFactor, constant } = selection;
  for (const [part, values] of Object.entries({ features, scalars })) {
    const listed: readonly string[] = graph[part as "features" | "scalars"] ?? [];
    const extra = Object.keys(values).filter((name) => !listed.includes(name));
    if (extra.length > 0)
      throw new Expected(
        `returned ${part}.${extra[0]}, which graph.${part} does not list (${listed.join(", ") || "nothing"})`,
      );
  }
  for (const name of graph.features ?? []) {
    if (!features[name]) throw new Expected(`must return features.${name}, which graph.features lists`);
    checkSlots(`features.${name}`, features[name], batch);
  }
  checkNumbers(scalars, "scalar");
  for (const name of graph.scalars ?? [])
    if (scalars[name] === undefined) throw new Expected(`must return scalars.${name}, which graph.scalars lists`);
  checkSlots("policyTokens", policyTokens, batch);
  const wrong = policyTokens?.findIndex((bit, t) => bit !== 0 && (bit !== 1 || batch.live[t] !== 1)) ?? -1;
  if (wrong >= 0)
    throw new Expected(
      `must return policyTokens of 0 and 1, with 1 at live tokens only; policyTokens[${wrong}] is ${policyTokens![wrong]}`,
    );
  checkSlots("policyFactor", policyFactor, batch);
  if (constant !== undefined) checkNumbers({ constant }, "number");
  return selection;
}

export function checkRoles(roles: RowRoles, rows: number): RowRoles {
  const { advantages, inBase } = roles ?? {};
  const advantage = (x: unknown): boolean => x === null || Number.isFinite(x);
  if (!Array.isArray(advantages) || advantages.length !== rows || !advantages.every(advantage))
    throw expected(`advantages with a number or null for each of the ${rows} rows`, advantages);
  if (!Array.isArray(inBase) || inBase.length !== rows || !inBase.every((x) => typeof x === "boolean"))
    throw expected(`inBase with true or false for each of the ${rows} rows`, inBase);
  return roles;
}

export function checkReport(report: ControlReport, { batch }: MiniBatchResult): ControlReport {
  if (typeof report?.metrics !== "object") throw expected("an object with metrics", report);
  checkMetrics(report.metrics);
  checkSlots("selected", report.selected, batch);
  return report;
}

export function checkMetrics(metrics: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  checkNumbers(metrics, "metric");
  const outside = Object.keys(metrics).filter((name) => !/^control\/[\w-]+$/.test(name));
  if (outside.length > 0)
    throw new Expected(`must name its metrics control/NAME (letters, digits, dash), got ${outside.join(", ")}`);
  return metrics;
}
