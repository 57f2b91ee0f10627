import type { Outcome, RubricResult, ScoredTerm } from "../rewards/index.ts";
import type { Completion } from "../rollout/index.ts";
import type { FilterConfig, OutcomesConfig } from "./config.ts";

/** What became of a completion: why it does or does not train. */
export type CompletionUse =
  | "trained"
  | "zero-signal"
  | "overlong"
  | "unscorable"
  | "failed-group"
  | "surplus"
  | "displaced"
  | "auxiliary";

/** A scored completion of a step. */
export interface ScoredCompletion {
  readonly completion: Completion;
  /** What the rubric said; its reward is a number also where the recipe counts a completion without a verdict as wrong. */
  readonly scored: RubricResult;
  /** What advantages are made from: the rubric's reward with the length penalty; null when it could not be judged. */
  readonly reward: number | null;
  readonly use: CompletionUse;
}

/**
 * Soft overlong punishment (DAPO, arXiv:2503.14476, eq. 13): 0 up to maxTokens − cache tokens, then linear to −1 at maxTokens.
 * @returns what is added to the reward
 */
export function overlongPenalty(tokens: number, maxTokens: number, cache: number): number {
  return Math.max(-1, Math.min(0, (maxTokens - cache - tokens) / cache));
}

/** Reward and use of each completion, before groups are compared. */
export function judge(
  completion: Completion,
  verdict: RubricResult,
  { overlong, overlongCache, outcomes }: FilterConfig,
  maxTokens: number,
): ScoredCompletion {
  const scored = withPolicy(verdict, outcomes);
  const penalty = overlongCache === null ? 0 : overlongPenalty(completion.ids.length, maxTokens, overlongCache);
  const reward = scored.reward === null ? null : scored.reward + penalty;
  const use =
    reward === null ? "unscorable" : overlong === "mask" && completion.stop === "length" ? "overlong" : "trained";
  return { completion, scored, reward, use };
}

/** Whether a reward gave a verdict. */
export function isJudged({ outcome }: { readonly outcome: Outcome }): boolean {
  return outcome === "correct" || outcome === "wrong";
}

/** What the recipe does with a completion that some weighted reward could not judge: the strictest of its policies; null when all judged. */
function policyFor({ terms }: RubricResult, outcomes: OutcomesConfig): OutcomesConfig[keyof OutcomesConfig] | null {
  const wanted = Object.values(terms)
    .filter((term) => term.weight !== 0 && !isJudged(term))
    .map(({ outcome }) => outcomes[outcome as keyof OutcomesConfig]);
  return (["drop-group", "mask", "wrong"] as const).find((policy) => wanted.includes(policy)) ?? null;
}

/** The verdict with score 0 in the place of those that could not be given, where the recipe wants that. */
function withPolicy(verdict: RubricResult, outcomes: OutcomesConfig): RubricResult {
  if (verdict.reward !== null || policyFor(verdict, outcomes) !== "wrong") return verdict;
  return { ...verdict, reward: Object.values(verdict.terms).reduce((sum, term) => sum + contribution(term), 0) };
}

/** What a term adds to the reward: its weighted score, 0 when it could not judge. */
export function contribution(term: ScoredTerm): number {
  return term.weight !== 0 && isJudged(term) ? term.weight * term.score : 0;
}

/** Takes the groups out of the step that hold a completion whose outcome asks for that. */
export function dropFailedGroups(
  rows: readonly ScoredCompletion[],
  { outcomes }: Pick<FilterConfig, "outcomes">,
): ScoredCompletion[] {
  const failed = rows.filter(({ scored }) => policyFor(scored, outcomes) === "drop-group");
  const groups = new Set(failed.map(({ completion }) => completion.group));
  return rows.map((row) =>
    groups.has(row.completion.group) && row.use !== "unscorable" ? { ...row, use: "failed-group" } : row,
  );
}

/** Groups with a signal: those whose rewards, before any length penalty, are not all equal. */
export function groupsWithSignal(rows: readonly ScoredCompletion[]): Set<number> {
  const first = new Map<number, number>();
  const found = new Set<number>();
  for (const { completion, scored, use } of rows) {
    if (scored.reward === null || use === "failed-group") continue;
    const seen = first.get(completion.group);
    if (seen === undefined) first.set(completion.group, scored.reward);
    else if (seen !== scored.reward) found.add(completion.group);
  }
  return found;
}

/**
 * Dynamic sampling: groups without signal leave the step, and of those with signal only the first `wanted` stay.
 * @returns the same rows with their use
 */
export function dropGroups(rows: readonly ScoredCompletion[], wanted: number): ScoredCompletion[] {
  const useful = groupsWithSignal(rows);
  const kept = new Set(
    [...new Set(rows.map(({ completion }) => completion.group))].filter((g) => useful.has(g)).slice(0, wanted),
  );
  return rows.map((row) => {
    if (row.use !== "trained" || kept.has(row.completion.group)) return row;
    return { ...row, use: useful.has(row.completion.group) ? "surplus" : "zero-signal" };
  });
}
