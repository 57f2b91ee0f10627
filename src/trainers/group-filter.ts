import type { RubricResult } from "../rewards/index.ts";
import type { Completion } from "../rollout/index.ts";
import type { FilterConfig } from "./config.ts";

/** What became of a completion: why it does or does not train. */
export type CompletionUse =
  | "trained"
  | "zero-signal"
  | "overlong"
  | "unscorable"
  | "surplus"
  | "displaced"
  | "auxiliary";

/** A scored completion of a step. */
export interface ScoredCompletion {
  readonly completion: Completion;
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
  scored: RubricResult,
  { overlong, overlongCache }: FilterConfig,
  maxTokens: number,
): ScoredCompletion {
  const penalty = overlongCache === null ? 0 : overlongPenalty(completion.ids.length, maxTokens, overlongCache);
  const reward = scored.reward === null ? null : scored.reward + penalty;
  const use =
    reward === null ? "unscorable" : overlong === "mask" && completion.stop === "length" ? "overlong" : "trained";
  return { completion, scored, reward, use };
}

/** Groups with a signal: those whose rewards, before any length penalty, are not all equal. */
export function groupsWithSignal(rows: readonly ScoredCompletion[]): Set<number> {
  const first = new Map<number, number>();
  const found = new Set<number>();
  for (const { completion, scored } of rows) {
    if (scored.reward === null) continue;
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
