import { goldInPrompt } from "./gold-in-prompt.ts";
import { guessedAnswer } from "./guessed-answer.ts";
import { judgeText } from "./judge-text.ts";
import { lengthFarming } from "./length-farming.ts";
import { manyAnswers } from "./many-answers.ts";
import { repetition } from "./repetition.ts";
import { testTampering } from "./test-tampering.ts";
import type { Detector, JudgedCompletion, Trend } from "./types.ts";

export {
  NO_TREND,
  observeLengths,
  type StepFigures,
  stepFigures,
  type TrendState,
  trendOf,
} from "./length-farming.ts";
export type { Detector, JudgedCompletion, Trend } from "./types.ts";

/** Every detector of reward hacking. */
export const DETECTORS: readonly Detector[] = [
  guessedAnswer,
  goldInPrompt,
  judgeText,
  lengthFarming,
  repetition,
  manyAnswers,
  testTampering,
];

/** Longest text that detectors read: its beginning and its end. */
export const MAX_LENGTH = 20_000;

/** What detectors saw in some completions. */
export interface Detections {
  /** By detector that applies to any of them: how many it applies to and in how many it found something. */
  readonly counts: Readonly<Record<string, { readonly of: number; readonly found: number }>>;
  /** Of each completion: evidence by detector. */
  readonly evidence: readonly Readonly<Record<string, string>>[];
}

/** Looks at completions with every detector. Scores are not touched. */
export function detect(rows: readonly JudgedCompletion[], trend: Trend): Detections {
  const counts: Record<string, { of: number; found: number }> = {};
  const evidence = rows.map((row) => {
    const seen: Record<string, string> = {};
    const cut = { ...row, text: shortened(row.text) };
    for (const detector of DETECTORS) {
      if (!detector.applies(cut)) continue;
      const found = detector.find(cut, trend);
      const count = counts[detector.name] ?? { of: 0, found: 0 };
      counts[detector.name] = { of: count.of + 1, found: count.found + (found === null ? 0 : 1) };
      if (found !== null) seen[detector.name] = found;
    }
    return seen;
  });
  return { counts, evidence };
}

function shortened(text: string): string {
  if (text.length <= MAX_LENGTH) return text;
  return `${text.slice(0, MAX_LENGTH / 2)}\n${text.slice(-MAX_LENGTH / 2)}`;
}
