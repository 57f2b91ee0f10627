/** A text that cannot be read as mathematics, in words. Never leaves `rewards/math`. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

/** The work that one pair may cost is used up. Never leaves `rewards/math`. */
export class OverBudget extends Error {
  override readonly name = "OverBudget";
}

/** Sizes beyond which an answer is not read or not computed. All loops are bounded by one of them or by the budget. */
export const LIMITS = {
  /** Characters of an answer or a gold answer, once it is found in the text. */
  characters: 3000,
  tokens: 2000,
  /** Brackets, braces, roots and functions inside each other. */
  depth: 60,
  /** Elements of one list, set, tuple or matrix, and of what ± unfolds to. */
  elements: 200,
  /** Size of an exact whole number in bits. */
  bits: 20_000,
  /** Largest n whose factorial is computed exactly. */
  factorial: 2500,
  /** Terms of one sum or product. */
  terms: 2000,
} as const;

/** Steps of one pair. A step is about the work of one operation on 200-bit numbers: a microsecond. */
const STEPS = 150_000;

/** Counts the work of one comparison; shared by everything that loops. */
export class Budget {
  #left: number;

  constructor(steps: number = STEPS) {
    this.#left = steps;
  }

  /** Takes steps away. @throws OverBudget when none are left */
  spend(steps = 1): void {
    this.#left -= steps;
    if (this.#left < 0) throw new OverBudget("the comparison needs more work than one pair may cost");
  }
}
