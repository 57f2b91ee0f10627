import { choiceOf } from "./choices.ts";
import { type Comparison, compareAnswers, readAnswer, type Step } from "./equivalent.ts";
import { type ExtractionOptions, extractAnswer } from "./extraction.ts";

/** What the verifier found in one completion. */
export interface MathVerdict extends Comparison {
  /** The text of the answer as it was extracted; null when there is none. */
  readonly parsed: string | null;
}

/** What a gold answer asks for. */
export function wantedKind(gold: string): ExtractionOptions["wants"] {
  const read = readAnswer(gold);
  if (choiceOf(read) !== null) return "option";
  return read.node === null || /^[a-z][a-z' ]{2,}$/.test(read.words) ? "words" : "mathematics";
}

/**
 * Finds the answer of a completion and compares it with the gold answer.
 * @throws Unreadable when the gold answer is empty or too long
 */
export function judgeCompletion(
  completion: string,
  gold: string,
  options: Omit<ExtractionOptions, "wants">,
): MathVerdict {
  const wants = wantedKind(gold);
  const extracted = extractAnswer(completion, { ...options, wants });
  if (!extracted)
    return {
      outcome: "unparseable",
      rule: "extraction",
      reason: "no answer was found in the text",
      parsed: null,
      steps: [],
    };
  const step: Step = { step: "extraction", found: `${extracted.rule}: ${extracted.content.slice(0, 200)}` };
  const comparison = compareAnswers(gold, extracted.content);
  return { ...comparison, parsed: extracted.content.slice(0, 500), steps: [step, ...comparison.steps] };
}
