import { z } from "zod";
import { PART_HELP, Part } from "../parts.ts";

const PROMPT = `Question:
{question}

Reference answer:
{gold}

Answer to judge:
{answer}

Does the answer to judge give the same final result as the reference answer?`;

/** Options of the reward that asks a model. */
export const JudgeOptions = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).describe("base of an OpenAI-compatible API, such as http://localhost:8000/v1"),
  model: z.string().min(1).describe("name of the model at that API"),
  keyVariable: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("environment variable with the API key; null = no key is sent"),
  prompt: z
    .string()
    .default(PROMPT)
    .describe("what is asked; {question}, {gold} and {answer} stand for fenced texts, {answer} is needed"),
  system: z.string().default("").describe("follows the built-in system message: criteria, a language, …"),
  verdict: z
    .enum(["word", "json"])
    .default("word")
    .describe(
      'how the reply ends: its last line is CORRECT or WRONG; or it is {"score": 0 to 1, "reason": "…"} as a whole',
    ),
  passFrom: z.number().gt(0).max(1).default(0.5).describe("for json: from this score on the outcome is correct"),
  part: Part.default("answer").describe(PART_HELP),
  maxChars: z.int().min(100).default(20_000).describe("of a longer answer only the end is judged, characters"),
  temperature: z.number().min(0).nullable().default(0).describe("of the judge's sampling; null = not sent"),
  maxTokens: z
    .int()
    .min(1)
    .nullable()
    .default(1024)
    .describe("longest reply of the judge; one that is cut off is an error; null = not sent, the server's own"),
  timeoutMs: z.int().min(10).default(60_000).describe("longest wait for one reply, ms; then the outcome is timeout"),
  tries: z
    .int()
    .min(1)
    .max(10)
    .default(4)
    .describe("requests for one answer, when the server is busy (429) or fails (5xx)"),
  backoffMs: z
    .int()
    .min(1)
    .default(1000)
    .describe("pause before the second try, ms; it doubles each time, and a Retry-After of the server counts instead"),
  concurrency: z.int().min(1).max(256).default(8).describe("requests under way at the same time"),
  requestsPerMinute: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe("requests are spaced to this rate; null = not"),
  cache: z
    .string()
    .min(1)
    .nullable()
    .default("~/.cache/rlvr/judge")
    .describe(
      "folder of verdicts by content, so that a run that is resumed or repeated asks nothing twice; relative: from the folder of the recipe; null = none",
    ),
});
export type JudgeOptions = z.infer<typeof JudgeOptions>;
