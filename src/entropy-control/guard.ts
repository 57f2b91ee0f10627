import type { Value } from "../graph/index.ts";
import { ConfigError, messageOf, RlvrError, TrainingError } from "../utils/errors.ts";
import {
  checkMetrics,
  checkNumbers,
  checkPhases,
  checkProgram,
  checkReport,
  checkRoles,
  checkSelection,
  checkState,
  Expected,
  expected,
} from "./guard-checks.ts";
import type { AuxiliaryPlan, ControlGraph, EntropyControl, TokenProgram } from "./types.ts";

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
  const { knobs, plan, rows, begin, select, report, next, summary, graph, measure, old } = control;
  return {
    ...control,
    init: () => started,
    ...(knobs && { knobs: (...args) => call("knobs", () => checkNumbers(knobs(...args), "number")) }),
    ...(plan && { plan: (state) => call("plan", () => guardPlan(plan(state), where)) }),
    ...(rows && { rows: (all) => call("rows", () => checkRoles(rows(all), all.length)) }),
    ...(old && { old: (state) => call("old", () => guardProgram(checkProgram(old(state)), where, "old")) }),
    ...(begin && { begin: (...args) => call("begin", () => checkState(begin(...args))) }),
    ...(measure && { measure: guardProgram(measure, where, "measure")! }),
    ...(select && {
      select: (measured, ...rest) =>
        call("select", () => checkSelection(select(measured, ...rest), measured.batch, graph ?? {})),
    }),
    ...(graph && { graph: guardGraph(graph, where) }),
    ...(report && { report: (result, ...rest) => call("report", () => checkReport(report(result, ...rest), result)) }),
    ...(next && { next: (...args) => call("next", () => checkState(next(...args))) }),
    ...(summary && { summary: (state) => call("summary", () => checkMetrics(summary(state))) }),
  };
}

function run<T>(
  where: string,
  phase: string,
  Kind: new (message: string, options?: ErrorOptions) => Error,
  body: () => T,
) {
  try {
    const result = body();
    if (typeof (result as { then?: unknown } | null | undefined)?.then === "function")
      throw new Expected("must return its result at once, got a promise");
    return result;
  } catch (error) {
    if (error instanceof RlvrError) throw error;
    throw new Kind(`${where}: ${phase}() ${error instanceof Expected ? "" : "failed: "}${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** A plan whose values are sensible, and whose functions are checked when they are called. */
function guardPlan(plan: AuxiliaryPlan | null, where: string): AuxiliaryPlan | null {
  if (plan === null) return null;
  const shape = "null, or {promptShare, temperature, place, qualify, count}";
  if (typeof plan !== "object" || typeof plan.qualify !== "function" || typeof plan.count !== "function")
    throw expected(`${shape} with the functions qualify and count`, plan);
  const { promptShare, temperature, place, qualify, count, report } = plan;
  if (!(promptShare > 0 && promptShare <= 1)) throw new Expected(`must return ${shape}, promptShare is ${promptShare}`);
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw new Expected(`must return ${shape}, temperature is ${temperature}`);
  if (place !== "replace" && place !== "add")
    throw new Expected(`must return ${shape} with place "replace" or "add", it is ${JSON.stringify(place)}`);
  const call = <T>(phase: string, body: () => T): T => run(where, `plan.${phase}`, TrainingError, body);
  return {
    ...plan,
    qualify: (groups, rewards) =>
      call("qualify", () => {
        const rows = qualify(groups, rewards);
        const known = (i: unknown): boolean =>
          Number.isInteger(i) && (i as number) >= 0 && (i as number) < groups.length;
        if (!Array.isArray(rows) || !rows.every(known) || new Set(rows).size < rows.length)
          throw expected(`different indices of the ${groups.length} auxiliary rows`, rows);
        return rows;
      }),
    count: (qualifying) =>
      call("count", () => {
        const used = count(qualifying);
        if (!Number.isInteger(used) || used < 0) throw expected("a whole number of rows, 0 or more", used);
        return used;
      }),
    ...(report && { report: (counts) => call("report", () => checkMetrics(report(counts))) }),
  };
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
          if (values === null || typeof values !== "object") throw expected("an object of values by name", values);
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
