/** What a comparison found. `equal: null` = not decided. */
export interface Judgement {
  readonly equal: boolean | null;
  /** Name of the rule that decided. */
  readonly rule: string;
  /** In words, when there is more to say than the rule's name. */
  readonly reason?: string;
}

export function equalBy(rule: string, reason?: string): Judgement {
  return { equal: true, rule, ...(reason === undefined ? {} : { reason }) };
}

export function differentBy(rule: string, reason?: string): Judgement {
  return { equal: false, rule, ...(reason === undefined ? {} : { reason }) };
}

export function undecided(reason: string): Judgement {
  return { equal: null, rule: "undecided", reason };
}

/** Equal when all parts are; different when one is; else undecided. Stops at the first that is not equal. */
export function allEqual(rule: string, count: number, part: (index: number) => Judgement): Judgement {
  let open: Judgement | null = null;
  for (let i = 0; i < count; i++) {
    const judgement = part(i);
    if (judgement.equal === false) return differentBy(rule, `element ${i + 1} differs`);
    if (judgement.equal === null) open = judgement;
  }
  return open ?? equalBy(rule);
}
