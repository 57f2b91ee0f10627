import type { Outcome, Verdict } from "../types.ts";

const OUTCOMES: readonly Outcome[] = ["correct", "wrong", "unparseable", "timeout", "error"];

/** The verifier could not judge. */
export function failed(reason: string): Verdict {
  return { outcome: "error", score: 0, reason };
}

/** The verifier did not end in time. */
export function late(ms: number): Verdict {
  return { outcome: "timeout", score: 0, reason: `no verdict within ${ms} ms` };
}

/** What a reward returned, as a verdict: anything but one with a known outcome and a score in [0, 1] is an `error` that says what it was. */
export function checkedVerdict(name: string, value: unknown): Verdict {
  if (typeof value !== "object" || value === null)
    return failed(`reward ${name} returned ${String(value)}, not a verdict`);
  const { outcome, score, reason, parsed } = value as Partial<Verdict>;
  if (!OUTCOMES.includes(outcome as Outcome)) return failed(`reward ${name} returned the outcome ${String(outcome)}`);
  if (typeof score !== "number" || !(score >= 0 && score <= 1))
    return failed(`reward ${name} returned the score ${String(score)}`);
  if (typeof reason !== "string") return failed(`reward ${name} gave no reason`);
  return parsed === undefined ? { ...(value as Verdict) } : { ...(value as Verdict), parsed: String(parsed) };
}
