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
