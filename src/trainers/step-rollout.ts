import type { AuxiliaryPlan } from "../entropy-control/index.ts";
import type { Learner } from "../policy/index.ts";
import { type Rubric, scorable } from "../rewards/index.ts";
import {
  type GenerateStats,
  type Json,
  type RolloutConfig,
  sampleCompletions,
  type Task,
  type TaskSet,
  type ToolBox,
} from "../rollout/index.ts";
import type { Rng } from "../utils/rng.ts";
import type { FilterConfig } from "./config.ts";
import { dropFailedGroups, dropGroups, groupsWithSignal, judge, type ScoredCompletion } from "./group-filter.ts";
import type { TaskOrder } from "./task-order.ts";

/** What samples and scores. */
export interface RolloutParts {
  readonly learner: Learner;
  readonly rubric: Rubric;
  readonly order: TaskOrder;
  /** The set that the order draws from. */
  readonly tasks: TaskSet;
  readonly tools: ToolBox | null;
  /** State of the curriculum; null without one. */
  readonly curriculum: Json;
  readonly rollout: RolloutConfig;
  readonly filter: FilterConfig;
  /** Streams of this step. */
  readonly rng: Rng;
}

/** The completions of a step before advantages. */
export interface StepRollout {
  readonly rows: readonly ScoredCompletion[];
  /** Sampled besides, at another temperature, as a control asks. */
  readonly auxiliary: readonly ScoredCompletion[];
  readonly stats: GenerateStats;
  /** Tasks drawn from the order in this step. */
  readonly drawn: number;
  readonly seconds: { readonly generate: number; readonly reward: number };
}

/** Samples and scores groups until enough of them have a signal, and the auxiliary rows of a control. */
export async function rollOut(parts: RolloutParts, first: number, plan: AuxiliaryPlan | null): Promise<StepRollout> {
  const { promptsPerStep } = parts.rollout;
  const { zeroSignal, refillRounds } = parts.filter;
  const seconds = { generate: 0, reward: 0 };
  const stats = emptyStats();
  let rows: ScoredCompletion[] = [];
  let tasks: Task[] = [];
  for (let round = 0; round <= (zeroSignal === "drop" ? refillRounds : 0); round++) {
    const next = parts.order.take(first + tasks.length, promptsPerStep, parts.curriculum);
    rows = [...rows, ...(await sampleGroups(parts, next, { from: tasks.length, name: "sampling", stats, seconds }))];
    tasks = [...tasks, ...next];
    if (groupsWithSignal(rows).size >= promptsPerStep) break;
  }
  const kept = zeroSignal === "drop" ? dropGroups(rows, promptsPerStep) : rows;
  const again = plan ? tasks.slice(0, Math.max(1, Math.floor(plan.promptShare * promptsPerStep))) : [];
  const auxiliary = plan
    ? await sampleGroups(parts, again, { from: 0, name: "auxiliary", stats, seconds, temperature: plan.temperature })
    : [];
  return { rows: kept, auxiliary, stats, drawn: tasks.length, seconds };
}

async function sampleGroups(
  { learner, rubric, rollout, filter, rng, tasks: set, tools }: RolloutParts,
  tasks: readonly Task[],
  options: {
    from: number;
    name: string;
    stats: GenerateStats;
    seconds: { generate: number; reward: number };
    temperature?: number;
  },
): Promise<ScoredCompletion[]> {
  const { from, name, stats, seconds, temperature = rollout.temperature } = options;
  const start = performance.now();
  const requests = tasks.map((task, i) => ({ task, group: from + i, count: rollout.groupSize }));
  const generated = await sampleCompletions(learner, set, requests, {
    sampling: { ...rollout, temperature },
    ...{ rollout, tools },
    rng: rng.fork(name),
  });
  for (const key of Object.keys(stats) as (keyof GenerateStats)[]) stats[key] += generated.stats[key];
  const sampled = performance.now();
  const scored = await Promise.all(generated.completions.map((completion) => rubric.score(scorable(completion))));
  seconds.generate += (sampled - start) / 1000;
  seconds.reward += (performance.now() - sampled) / 1000;
  const rows = generated.completions.map((completion, i) => judge(completion, scored[i]!, filter, rollout.maxTokens));
  return dropFailedGroups(rows, filter);
}

function emptyStats(): GenerateStats {
  const none = { promptTokens: 0, promptTokensComputed: 0, slotSteps: 0, liveSteps: 0 };
  return { ...none, prefillSeconds: 0, decodeSeconds: 0 };
}
