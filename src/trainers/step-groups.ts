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
  const places = new Map<string, { row: number; turn: number; value: number }[]>();
  rows.forEach(({ group, reward, states }, row) => {
    if (reward === null) return;
    states.forEach((state, turn) => {
      const key = JSON.stringify([group, state]);
      const value = gamma ** (states.length - 1 - turn) * reward;
      places.set(key, [...(places.get(key) ?? []), { row, turn, value }]);
    });
  });
  const advantages = rows.map(({ states }) => states.map(() => 0));
  for (const members of places.values()) {
    const values = members.map(({ value }) => value);
    if (values.every((value) => value === values[0])) continue;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
    const scale = normalise ? Math.sqrt(variance) + epsilon : 1;
    for (const { row, turn, value } of members) advantages[row]![turn] = (stepWeight * (value - mean)) / scale;
  }
  return advantages;
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
