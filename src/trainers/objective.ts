import {
  type ControlConfig,
  type ControlContext,
  type ControlTokens,
  type EntropyControl,
  type OpenControl,
  openControl,
} from "../entropy-control/index.ts";
import type { Graph, Value } from "../graph/index.ts";
import type { LossSource, OtherPolicy, PolicyTokens, TokenLoss } from "../policy/index.ts";
import { ConfigError } from "../utils/errors.ts";
import type { ObjectiveConfig } from "./config.ts";
import { klTerm } from "./kl.ts";
import { type LossTokens, type TokenSurrogate, tokenSurrogate } from "./losses.ts";

/** What an objective is made from; can be sent to a thread. */
export interface ObjectiveOptions {
  readonly objective: ObjectiveConfig;
  readonly control: ControlConfig | null;
  /** The weights do not change between sampling and the only update: the old distribution is the current one. */
  readonly oldIsCurrent: boolean;
}

/** An objective that is ready: its parts, and what the passes over a mini-batch must provide. */
export interface Objective {
  readonly config: ObjectiveConfig;
  readonly surrogate: TokenSurrogate;
  readonly control: OpenControl | null;
  readonly loss: TokenLoss;
  /** Names of the control's inputs. */
  readonly controlFeatures: readonly string[];
  /** A pass without gradient goes before each update. */
  readonly measures: boolean;
  /** Reference log-probs are needed. */
  readonly referenceLogp: boolean;
  /** Hidden states of these policies are needed in the update. */
  readonly given: readonly OtherPolicy[];
}

const MAX_LOG_RATIO = 20; // exp(20) stays finite in float32; no gradient outside
const CONTROL = "control/";

/**
 * Composes advantage, loss, aggregation, KL, importance correction and control into one loss on tokens: Σ weight · loss + Σ live weight · β ·
 * kl + the control's penalty. The weights come from the host, so that the result does not depend on the split into micro-batches.
 * @throws ConfigError when parts do not fit together
 */
export async function openObjective({
  objective,
  control: config,
  oldIsCurrent,
}: ObjectiveOptions): Promise<Objective> {
  const { importance } = objective;
  if (importance && "low" in importance && importance.low > importance.high)
    throw new ConfigError(
      `objective.importance: low (${importance.low}) must be at most high (${importance.high}), or every token is masked`,
    );
  const control = config ? await openControl(config, objective) : null;
  const surrogate = tokenSurrogate(objective.loss);
  const graph = control?.control.graph ?? {};
  const kl = objective.kl?.place === "loss" ? objective.kl : null;
  const controlFeatures = graph.features ?? [];
  const distributions: { old?: "given" | "current"; reference?: "given" } = {
    ...(graph.needsOld ? { old: oldIsCurrent ? "current" : "given" } : {}),
    ...(kl?.estimator === "full" || graph.needsReference ? { reference: "given" } : {}),
  };
  const referenceLogp = objective.kl !== null && objective.kl.estimator !== "full";
  const loss: TokenLoss = {
    features: [
      ...["weight", "liveWeight", "advantage", "oldLogp"],
      ...(kl && referenceLogp ? ["refLogp"] : []),
      ...(surrogate.perSequence ? ["rowLogRatio"] : []),
      ...controlFeatures.map((name) => `${CONTROL}${name}`),
    ],
    scalars: (graph.scalars ?? []).map((name) => `${CONTROL}${name}`),
    distributions,
    build: (g, tokens) => buildTerms(g, tokens, { surrogate, kl, control: control?.control ?? null }),
  };
  return {
    config: objective,
    surrogate,
    control,
    loss,
    controlFeatures,
    measures: control?.control.measure !== undefined || surrogate.perSequence,
    referenceLogp,
    given: (Object.keys(distributions) as OtherPolicy[]).filter((name) => distributions[name] === "given"),
  };
}

function buildTerms(
  g: Graph,
  tokens: PolicyTokens,
  parts: { surrogate: TokenSurrogate; kl: ObjectiveConfig["kl"]; control: EntropyControl | null },
): { terms: Record<string, Value>; perToken: Record<string, Value> } {
  const graph = parts.control?.graph ?? {};
  const { features } = tokens;
  const logRatio = g.clip(g.sub(tokens.logp, features.oldLogp!), -MAX_LOG_RATIO, MAX_LOG_RATIO);
  const seen: ControlTokens = {
    ...tokens,
    ...own(tokens),
    advantage: features.advantage!,
    oldLogp: features.oldLogp!,
    logRatio,
    ratio: g.exp(logRatio),
    weight: features.liveWeight!,
  };
  const shaped = graph.advantage ? { ...seen, advantage: graph.advantage(g, seen) } : seen;
  const withRow: LossTokens = features.rowLogRatio ? { ...shaped, rowLogRatio: features.rowLogRatio } : shaped;
  const policyLoss = graph.policyLoss ? graph.policyLoss(g, shaped) : parts.surrogate.build(g, withRow);
  const sum = (x: Value, weight?: Value): Value => g.reduceSum(weight ? g.mul(x, weight) : x);
  const terms: Record<string, Value> = { policy: sum(policyLoss, features.weight!) };
  if (parts.kl) {
    const kl = klTerm(g, parts.kl.estimator, tokens, features.refLogp ?? null);
    terms.kl = sum(g.mul(kl, parts.kl.coefficient), features.liveWeight!);
  }
  if (graph.penalty) terms.control = sum(graph.penalty(g, { ...shaped, policyLoss }));
  return { terms, perToken: graph.perToken?.(g, shaped) ?? {} };
}

/** The control's own inputs under its own names. */
function own({ features, scalars }: PolicyTokens): Pick<PolicyTokens, "features" | "scalars"> {
  const strip = (values: Readonly<Record<string, Value>>): Record<string, Value> =>
    Object.fromEntries(
      Object.entries(values).flatMap(([name, value]) =>
        name.startsWith(CONTROL) ? [[name.slice(CONTROL.length), value]] : [],
      ),
    );
  return { features: strip(features), scalars: strip(scalars) };
}

/** Names of a control's inputs as the graph has them. */
export function controlInputs<T>(values: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${CONTROL}${name}`, value]));
}

/** The update loss of a recipe, for the policy's thread. */
export async function objectiveLoss(options: unknown): Promise<TokenLoss> {
  return (await openObjective(options as ObjectiveOptions)).loss;
}

/** A program of a recipe's control, for the policy's thread. `state` decides whether the program of the old policy runs. */
export async function controlProgram(options: unknown): Promise<TokenLoss> {
  const { which, ...rest } = options as ObjectiveOptions & { which: "old" | "measure"; state: never };
  const { control } = await openObjective(rest);
  const program = which === "old" ? control?.control.old?.(rest.state) : control?.control.measure;
  if (!program) throw new Error(`internal: the control has no program ${which}`);
  return {
    features: [],
    scalars: [],
    build: (g, tokens) => ({ terms: {}, perToken: program.build(g, tokens) }),
  };
}

/** Mean negative log-likelihood of the targets: Σ weight · (−ℓ). */
export function nllLoss(): TokenLoss {
  return {
    features: ["weight"],
    scalars: [],
    build: (g, { logp, features }) => ({ terms: { policy: g.reduceSum(g.mul(g.neg(logp), features.weight!)) } }),
  };
}

/** Where the policy's thread finds a loss of this module. */
export function lossSource(
  exportName: "objectiveLoss" | "controlProgram" | "nllLoss",
  options: unknown = null,
): LossSource {
  return { module: import.meta.url, exportName, options };
}

/** What a control is told about the rest of the objective. */
export type ContextBase = Pick<ControlContext, "step" | "totalSteps" | "draw">;
