import { z } from "zod";
import type { Value } from "../graph/index.ts";
import { ConfigError, messageOf, RlvrError, TrainingError } from "../utils/errors.ts";
import type {
  ControlGraph,
  ControlReport,
  EntropyControl,
  MiniBatchResult,
  Selection,
  TokenBatch,
  TokenProgram,
} from "./types.ts";

/** Phases that run on the host, and what `state` they may return. */
const PHASES = ["init", "knobs", "plan", "rows", "old", "begin", "select", "report", "next"] as const;
const SELECTION = ["features", "scalars", "policyTokens", "policyFactor", "constant"];

/**
 * A control of a user's own whose results are checked at every call: what is wrong is named with the phase and the shape expected, instead of
 * a failure somewhere behind it.
 * @param where the control's name and file, for messages
 * @throws ConfigError when the value is no control
 */
export function guardControl(control: EntropyControl, where: string): EntropyControl {
  const wrong = checkPhases(control);
  if (wrong) throw new ConfigError(`${where}: ${wrong}`);
  const started = run(where, "init", ConfigError, () => checkState(control.init()));
  const call = <T>(phase: string, body: () => T): T => run(where, phase, TrainingError, body);
  const { knobs, plan, rows, begin, select, report, next, graph, measure, old } = control;
  return {
    ...control,
    init: () => started,
    ...(knobs && { knobs: (...args) => call("knobs", () => checkNumbers(knobs(...args), "number")) }),
    ...(plan && { plan: (state) => call("plan", () => plan(state)) }),
    ...(rows && { rows: (all) => call("rows", () => rows(all)) }),
    ...(old && { old: (state) => call("old", () => guardProgram(old(state), where, "old")) }),
    ...(begin && { begin: (...args) => call("begin", () => checkState(begin(...args))) }),
    ...(measure && { measure: guardProgram(measure, where, "measure")! }),
    ...(select && {
      select: (measured, ...rest) =>
        call("select", () => checkSelection(select(measured, ...rest), measured.batch, graph ?? {})),
    }),
    ...(graph && { graph: guardGraph(graph, where) }),
    ...(report && { report: (result, ...rest) => call("report", () => checkReport(report(result, ...rest), result)) }),
    ...(next && { next: (...args) => call("next", () => checkState(next(...args))) }),
  };
}

function run<T>(
  where: string,
  phase: string,
  Kind: new (message: string, options?: ErrorOptions) => Error,
  body: () => T,
) {
  try {
    return body();
  } catch (error) {
    if (error instanceof RlvrError) throw error;
    throw new Kind(`${where}: ${phase}() ${error instanceof Expected ? "" : "failed: "}${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** A result of another shape than expected. */
class Expected extends Error {}

function expected(what: string, got: unknown): Expected {
  const length = (got as { length?: unknown } | null | undefined)?.length;
  const kind =
    got === null ? "null" : Array.isArray(got) ? "Array" : ((got as object)?.constructor?.name ?? typeof got);
  const shown = typeof got === "number" ? `${got}` : typeof length === "number" ? `${kind} of ${length}` : kind;
  return new Expected(`must return ${what}, got ${shown}`);
}

function checkPhases(control: unknown): string | null {
  if (control === null || typeof control !== "object")
    return `create() must return an object with init() and the phases that the method needs, got ${control === null ? "null" : typeof control}`;
  const phases = control as Record<string, unknown>;
  if (typeof phases.init !== "function")
    return "create() must return an object with init(): the state at the start, or null";
  const known = [...PHASES, "slotAfterEnd", "measure", "graph"];
  const unknown = Object.keys(phases).filter((name) => !(known as string[]).includes(name));
  if (unknown.length > 0) return `unknown phase ${unknown.join(", ")} (known: ${known.join(", ")})`;
  const notFunctions = PHASES.filter((name) => phases[name] !== undefined && typeof phases[name] !== "function");
  return notFunctions.length > 0 ? `${notFunctions.join(", ")} must be a function` : null;
}

function checkState<T>(state: T): T {
  if (!z.json().safeParse(state).success)
    throw expected("plain JSON with finite numbers, since checkpoints keep it", state);
  return state;
}

function checkNumbers<T extends Readonly<Record<string, number>>>(values: T, what: string): T {
  if (values === null || typeof values !== "object") throw expected(`an object of ${what}s by name`, values);
  for (const [name, value] of Object.entries(values))
    if (!Number.isFinite(value)) throw new Expected(`must return finite numbers, ${what} ${name} is ${value}`);
  return values;
}

function checkSlots(name: string, values: ArrayLike<number> | undefined, { live }: TokenBatch): void {
  if (values === undefined) return;
  if (!ArrayBuffer.isView(values) || values.length !== live.length)
    throw expected(`${name} as a typed array with one entry per slot [${live.length}]`, values);
  for (let t = 0; t < live.length; t++)
    if (!Number.isFinite(values[t])) throw new Expected(`must return finite values, ${name}[${t}] is ${values[t]}`);
}

function checkSelection(selection: Selection, batch: TokenBatch, graph: ControlGraph): Selection {
  if (selection === null || typeof selection !== "object")
    throw expected(`an object with ${SELECTION.join(", ")}`, selection);
  const unknown = Object.keys(selection).filter((name) => !SELECTION.includes(name));
  if (unknown.length > 0) throw new Expected(`returned unknown ${unknown.join(", ")} (known: ${SELECTION.join(", ")})`);
  const { features = {}, scalars = {}, policyTokens, policyFactor, constant } = selection;
  for (const name of graph.features ?? []) {
    if (!features[name]) throw new Expected(`must return features.${name}, which graph.features lists`);
    checkSlots(`features.${name}`, features[name], batch);
  }
  checkNumbers(scalars, "scalar");
  for (const name of graph.scalars ?? [])
    if (scalars[name] === undefined) throw new Expected(`must return scalars.${name}, which graph.scalars lists`);
  checkSlots("policyTokens", policyTokens, batch);
  checkSlots("policyFactor", policyFactor, batch);
  if (constant !== undefined) checkNumbers({ constant }, "number");
  return selection;
}

function checkReport(report: ControlReport, { batch }: MiniBatchResult): ControlReport {
  if (typeof report?.metrics !== "object") throw expected("an object with metrics", report);
  checkNumbers(report.metrics, "metric");
  const outside = Object.keys(report.metrics).filter((name) => !/^control\/[\w-]+$/.test(name));
  if (outside.length > 0)
    throw new Expected(`must name its metrics control/NAME (letters, digits, dash), got ${outside.join(", ")}`);
  checkSlots("selected", report.selected, batch);
  return report;
}

function guardProgram(program: TokenProgram | null, where: string, phase: string): TokenProgram | null {
  if (program === null) return null;
  const build: TokenProgram["build"] = (g, tokens) =>
    run(where, `${phase}.build`, ConfigError, () => {
      const values = program.build(g, tokens);
      for (const name of program.outputs) checkColumn(values?.[name], `an object whose ${name} is`);
      return values;
    });
  return { ...program, build };
}

function guardGraph(graph: ControlGraph, where: string): ControlGraph {
  const { advantage, policyLoss, perToken, penalty } = graph;
  const build = <T>(phase: string, body: () => T): T => run(where, `graph.${phase}`, ConfigError, body);
  return {
    ...graph,
    ...(advantage && { advantage: (...args) => build("advantage", () => checkColumn(advantage(...args))) }),
    ...(policyLoss && { policyLoss: (...args) => build("policyLoss", () => checkColumn(policyLoss(...args))) }),
    ...(penalty && { penalty: (...args) => build("penalty", () => checkColumn(penalty(...args))) }),
    ...(perToken && {
      perToken: (...args) =>
        build("perToken", () => {
          const values = perToken(...args);
          for (const [name, value] of Object.entries(values)) checkColumn(value, `an object whose ${name} is`);
          return values;
        }),
    }),
  };
}

/** One number per token of the chunk. */
function checkColumn(value: Value | undefined, what = ""): Value {
  const shape = value?.shape;
  if (!value || !Array.isArray(shape) || shape.length !== 1)
    throw new Expected(
      `must return ${what} a value of shape [c], one number per token; got ${Array.isArray(shape) ? `shape [${shape.join(", ")}]` : typeof value}`.replace(
        "  ",
        " ",
      ),
    );
  return value;
}
