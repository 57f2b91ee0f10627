import type { FamilyName } from "../../rollout/tasks/generated/index.ts";
import type { Verdict } from "../types.ts";

/** A problem as a scorer sees it. */
export interface Problem {
  readonly family: FamilyName;
  /** The gold answer, as reasoning-gym writes it. */
  readonly answer: string;
  /** Under reasoning-gym's names; not trusted to have the fields that a scorer needs. */
  readonly metadata: unknown;
  /** A wrong word or list scores the share of its items that are in their places, instead of 0. */
  readonly partialCredit?: boolean;
}

/**
 * Judges the content of an answer tag. It reads the text with a small parser of its own and never evaluates it.
 * @throws RewardError when the problem lacks what the scorer needs
 */
export type Scorer = (answer: string, problem: Problem) => Verdict;
