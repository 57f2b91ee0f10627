export type { Comparison, Step } from "./equivalent.ts";
export { compareAnswers, goldProblem } from "./equivalent.ts";
export type { ExtractionOptions } from "./extraction.ts";
export { extractAnswer } from "./extraction.ts";
export type { MathVerdict } from "./score.ts";
export { judgeCompletion } from "./score.ts";
