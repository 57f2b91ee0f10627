import type { Verdict } from "./types.ts";

/** Right: score 1. */
export function correct(reason: string, parsed?: string): Verdict {
  return { outcome: "correct", score: 1, reason, ...(parsed === undefined ? {} : { parsed }) };
}

/** Read and found wrong: score 0. */
export function wrong(reason: string, parsed?: string): Verdict {
  return { outcome: "wrong", score: 0, reason, ...(parsed === undefined ? {} : { parsed }) };
}

/** No answer could be read: counted apart, score 0. */
export function unparseable(reason: string): Verdict {
  return { outcome: "unparseable", score: 0, reason };
}

/** Between right and wrong: `correct` at score 1, `wrong` with part of the credit below. */
export function graded(score: number, reason: string, parsed?: string): Verdict {
  return { ...(score === 1 ? correct(reason, parsed) : wrong(reason, parsed)), score };
}
