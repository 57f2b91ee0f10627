import type { EntropyControl } from "../entropy-control/index.ts";
import type { Json } from "../rollout/types.ts";
import { groupAdvantages } from "./advantages.ts";
import type { ObjectiveConfig } from "./config.ts";
import type { CompletionUse, ScoredCompletion } from "./group-filter.ts";
import { perToken, statesOf, stepAdvantages } from "./step-groups.ts";
import type { StepRollout } from "./step-rollout.ts";

/** A completion of a step with its advantage. */
export interface StepRow extends ScoredCompletion {
  /** Whose group and reward it carries: its own, or those of the completion whose place it took. */
  readonly group: number;
  readonly auxiliary: boolean;
  readonly inBase: boolean;
  /** Of the whole completion. */
  readonly advantage: number;
  /** What its tokens train with where turns have advantages of their own; absent: `advantage` for each. [ids] */
  readonly tokenAdvantages?: Float64Array;
}

/** Advantage of each token. [ids] */
export function tokenAdvantagesOf({ completion: { ids }, advantage, tokenAdvantages }: StepRow): ArrayLike<number> {
  return tokenAdvantages ?? new Array<number>(ids.length).fill(advantage);
}

/** All completions of a step, and which of them train. */
export interface StepRows {
  /** Every sampled completion once, in order: for the log. */
  readonly all: readonly StepRow[];
  /** Those that enter the loss, in the order in which groups are dealt to mini-batches. */
  readonly training: readonly StepRow[];
  /** What the control says about its auxiliary rows. */
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * Advantages of the base rows, and the auxiliary rows in their places. Statistics of a group are those of all its completions that were
 * judged, also of the ones that are displaced or cut off.
 */
export function placeRows(
  { rows, auxiliary }: Pick<StepRollout, "rows" | "auxiliary">,
  objective: ObjectiveConfig,
  control: EntropyControl | null,
  state: Json,
): StepRows {
  const own = ownRows(rows, objective);
  const plan = control?.plan?.(state) ?? null;
  if (!plan) return { all: own, training: own.filter(trains), metrics: {} };
  const judged = auxiliary.filter(({ use }) => use === "trained");
  const qualifying = plan.qualify(
    judged.map(({ completion }) => completion.group),
    judged.map(({ reward }) => reward!),
  );
  const chosen = qualifying.slice(0, plan.count(qualifying.length)).map((i) => judged[i]!);
  const placed = plan.place === "replace" ? replaceRows(own, chosen, control!) : addRows(own, chosen, control!);
  const used = placed.training.filter((row) => row.auxiliary).length;
  const counts = { qualifying: qualifying.length, used, all: placed.training.length };
  return { ...placed, metrics: plan.report?.(counts) ?? {} };
}

function ownRows(rows: readonly ScoredCompletion[], { advantage: config }: ObjectiveConfig): StepRow[] {
  const counted = (use: CompletionUse): boolean => use === "trained" || use === "overlong";
  const rewards = rows.map(({ use, reward }) => (counted(use) ? reward : null));
  const groups = rows.map(({ completion }) => completion.group);
  const advantages = groupAdvantages(rewards, groups, config);
  const ofTurns = stepAdvantages(
    rows.map(({ completion }, i) => ({
      ...{ group: groups[i]!, reward: rewards[i]!, states: completion.states ?? statesOf(completion.turns) },
    })),
    config,
  );
  return rows.map((row, i): StepRow => {
    const { ids, turns } = row.completion;
    return {
      ...{ ...row, group: groups[i]!, auxiliary: false, inBase: true, advantage: advantages[i]! },
      ...(ofTurns ? { tokenAdvantages: perToken(advantages[i]!, ofTurns[i]!, turns, ids.length) } : {}),
    };
  });
}

const trains = ({ use }: StepRow): boolean => use === "trained" || use === "auxiliary";

/** The first rows that train give their places, groups and rewards to auxiliary completions. */
function replaceRows(
  own: readonly StepRow[],
  chosen: readonly ScoredCompletion[],
  control: EntropyControl,
): Omit<StepRows, "metrics"> {
  const places = own.flatMap((row, i) => (trains(row) ? [i] : [])).slice(0, chosen.length);
  const roles = control.rows?.(chosen.map(() => ({ auxiliary: true })));
  const replaced = places.map((place, i): StepRow => {
    const { tokenAdvantages: _displaced, ...role } = own[place]!;
    const advantage = roles?.advantages[i] ?? role.advantage;
    return {
      ...role,
      completion: chosen[i]!.completion,
      scored: chosen[i]!.scored,
      use: "auxiliary",
      auxiliary: true,
      advantage,
    };
  });
  const displaced = new Set(places);
  const training = own.map((row, i) => (displaced.has(i) ? replaced[places.indexOf(i)]! : row)).filter(trains);
  const kept = own.map((row, i): StepRow => (displaced.has(i) ? { ...row, use: "displaced" } : row));
  return { all: [...kept, ...replaced], training };
}

/** Auxiliary completions come on top. */
function addRows(
  own: readonly StepRow[],
  chosen: readonly ScoredCompletion[],
  control: EntropyControl,
): Omit<StepRows, "metrics"> {
  const roles = control.rows?.(chosen.map(() => ({ auxiliary: true })));
  const added = chosen.map((row, i): StepRow => {
    const { group } = row.completion;
    const inBase = roles?.inBase[i] ?? true;
    return { ...row, group, use: "auxiliary", auxiliary: true, inBase, advantage: roles?.advantages[i] ?? 0 };
  });
  return { all: [...own, ...added], training: [...own.filter(trains), ...added] };
}
