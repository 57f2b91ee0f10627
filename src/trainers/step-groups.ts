import { groupAdvantages } from "./advantages.ts";
import type { AdvantageConfig } from "./config.ts";

/** A completion as step groups see it: what the environment's state was before each of its turns, and what came of it. */
export interface TurnRow {
  /** Completions are compared within their group only. */
  readonly group: number;
  /** Of the whole completion, paid at its last turn; null where no verifier could judge: such a completion counts nowhere. */
  readonly reward: number | null;
  /** Key of the environment's state before each turn, not of the text so far: equal keys are the same state. */
  readonly states: readonly string[];
}

/**
 * Advantages of turns among the turns that started from the same state (GiGPO, arXiv:2505.10978, section 4.2):
 * A_S(turn t of i) = (R_t − mean) / (std + epsilon) over all turns of the group with that state, R_t = gamma^(T − 1 − t) · reward. The paper
 * adds them to the advantage of the whole episode with the weight omega (eq. 8).
 *
 * Departures: a state that occurs once has nothing to compare with and gets 0, as in the paper's text (its code leaves the return itself); the
 * unbiased standard deviation is used in both parts.
 * @returns [rows][turns], times `stepWeight`; null for advantages without step groups
 */
export function stepAdvantages(rows: readonly TurnRow[], config: AdvantageConfig): number[][] | null {
  if (config.name !== "gigpo") return null;
  const { gamma, epsilon, stepWeight, normalise } = config;
  const turns = rows.flatMap(({ group, reward, states }) =>
    states.map((state, turn) => ({
      key: JSON.stringify([group, state]),
      value: reward === null ? null : gamma ** (states.length - 1 - turn) * reward,
    })),
  );
  const counts = new Map<string, number>();
  for (const { key, value } of turns) if (value !== null) counts.set(key, (counts.get(key) ?? 0) + 1);
  const ids = new Map([...counts.keys()].map((key, id) => [key, id]));
  const advantages = groupAdvantages(
    turns.map(({ key, value }) => (counts.get(key)! > 1 ? value : null)),
    turns.map(({ key }) => ids.get(key) ?? -1),
    normalise ? { name: "grpo", epsilon } : { name: "dr-grpo" },
  );
  let at = 0;
  return rows.map(({ states }) => states.map(() => stepWeight * advantages[at++]!));
}

/**
 * State keys of a completion's turns. Turns inside one completion are tries at one problem: each starts from the same state.
 * @param turns index of the turn of each token; absent: one turn
 */
export function statesOf(turns: ArrayLike<number> | undefined): string[] {
  return new Array<string>(turns && turns.length > 0 ? turns[turns.length - 1]! + 1 : 1).fill("");
}

/** The row's own advantage plus that of each token's turn. [tokens] */
export function perToken(
  own: number,
  ofTurns: readonly number[],
  turns: ArrayLike<number> | undefined,
  tokens: number,
): Float64Array {
  return Float64Array.from({ length: tokens }, (_, t) => own + ofTurns[turns?.[t] ?? 0]!);
}
