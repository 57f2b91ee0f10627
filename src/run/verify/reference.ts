import { readFileSync } from "node:fs";
import { z } from "zod";
import type { ChatMessage } from "../../policy/index.ts";
import { DataError, messageOf } from "../../utils/errors.ts";

const id = z
  .int()
  .nonnegative()
  .max(2 ** 31);
const ids = z.array(id);
const numbers = z.array(z.number());
const messages = z.array(
  z.looseObject({ role: z.string().transform((role) => role as ChatMessage["role"]), content: z.string() }),
);

const Prefix = z
  .string()
  .nullish()
  .transform((text) => text ?? "");

const WeightEntry = z.looseObject({
  shape: z.array(z.int().nonnegative()).optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, "must be 64 hexadecimal digits")
    .optional(),
  sum64: z.number().optional(),
  first4: numbers.optional(),
});
const PromptScores = z.looseObject({
  logprobs: numbers.optional(),
  entropies: numbers.optional(),
  promptLogprobs: numbers.optional(),
  top5: z.array(z.looseObject({ id, logit: z.number() })).optional(),
  minTop2Margin: z.number().optional(),
});
const PromptEntry = z.looseObject({
  id: z.union([z.string(), z.number()]).optional(),
  text: z.string().optional(),
  messages: messages.optional(),
  addGenerationPrompt: z.boolean().default(true),
  assistantPrefix: Prefix,
  promptText: z.string().optional(),
  promptIds: ids.min(1).optional(),
  greedyIds: ids.default([]),
  greedyText: z.string().optional(),
  float32: PromptScores.optional(),
  float64: PromptScores.optional(),
});
const StringEntry = z.looseObject({
  text: z.string(),
  ids,
  decoded: z.string().optional(),
  decodedSkipSpecial: z.string().optional(),
  idsWithoutDigitSplit: ids.optional(),
});
const ConversationEntry = z.looseObject({
  messages,
  addGenerationPrompt: z.boolean().default(false),
  assistantPrefix: Prefix,
  rendered: z.string(),
  ids: ids.optional(),
});
const GradientNumbers = z.looseObject({
  lossValue: z.number().optional(),
  globalNorm: z.number().optional(),
  norms: z.record(z.string(), z.number()).optional(),
  first4: z.record(z.string(), numbers).optional(),
  sum: z.record(z.string(), z.number()).optional(),
  embedRowNorms: z.record(z.string().regex(/^\d+$/, "must be a token id"), z.number()).optional(),
});
const File = z.looseObject({
  weights: z.record(z.string(), WeightEntry).default({}),
  prompts: z.array(PromptEntry).default([]),
  strings: z.array(StringEntry).default([]),
  conversations: z.array(ConversationEntry).default([]),
  text: z.string().optional(),
  ids: ids.min(2).optional(),
  float32: GradientNumbers.optional(),
  float64: GradientNumbers.optional(),
});

export type WeightReference = z.output<typeof WeightEntry>;
/** A prompt and its greedy continuation; `scores` are the float64 numbers where there are any. */
export type PromptReference = z.output<typeof PromptEntry> & {
  readonly name: string;
  readonly scores: z.output<typeof PromptScores>;
};
export type StringReference = z.output<typeof StringEntry>;
export type ConversationReference = z.output<typeof ConversationEntry>;
/** Mean next-token loss of a text, and its gradient. */
export interface GradientReference {
  readonly text: string | undefined;
  readonly ids: readonly number[] | undefined;
  readonly numbers: z.output<typeof GradientNumbers>;
}

/** What one reference file holds. */
export interface Reference {
  readonly path: string;
  readonly weights: Readonly<Record<string, WeightReference>>;
  readonly prompts: readonly PromptReference[];
  readonly strings: readonly StringReference[];
  readonly conversations: readonly ConversationReference[];
  readonly gradient: GradientReference | null;
}

/**
 * Reads a reference file; what it holds is seen from its keys: `weights`, `prompts`, `strings`, `conversations`, and a gradient under
 * `float64` (or `float32`).
 * @throws DataError when it is missing, malformed, or holds none of these
 */
export function readReference(path: string): Reference {
  const parsed = File.safeParse(readJson(path));
  if (!parsed.success)
    throw new DataError(`${path}: malformed reference file\n${z.prettifyError(parsed.error).slice(0, 2000)}`);
  const { weights, strings, conversations, text, ids: tokens, float32, float64 } = parsed.data;
  const prompts = parsed.data.prompts.map((prompt, i) => ({
    ...prompt,
    name: String(prompt.id ?? `prompt ${i}`),
    scores: { ...prompt.float32, ...prompt.float64 },
  }));
  for (const prompt of prompts) checkPrompt(path, prompt);
  const gradientNumbers = float64 ?? float32;
  if (gradientNumbers && text === undefined && tokens === undefined)
    throw new DataError(`${path}: malformed reference file: a gradient needs "ids" or "text"`);
  const gradient = gradientNumbers ? { text, ids: tokens, numbers: gradientNumbers } : null;
  const count = Object.keys(weights).length + prompts.length + strings.length + conversations.length;
  if (count === 0 && gradient === null)
    throw new DataError(
      `${path}: holds nothing to verify; known keys: weights, prompts, strings, conversations, float64 or float32 with ids or text`,
    );
  return { path, weights, prompts, strings, conversations, gradient };
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new DataError(`${path}: cannot be read as a JSON reference file: ${messageOf(error)}`, { cause: error });
  }
}

/** Lengths that must agree. */
function checkPrompt(path: string, prompt: PromptReference): void {
  const { name, text, messages: turns, promptText, promptIds, greedyIds, scores } = prompt;
  const bad = (what: string): never => {
    throw new DataError(`${path}: malformed reference file: ${name}: ${what}`);
  };
  if ([text, turns, promptText, promptIds].every((source) => source === undefined))
    bad('needs "promptIds", "text" or "messages"');
  for (const key of ["logprobs", "entropies"] as const) {
    const list = scores[key];
    if (list && list.length !== greedyIds.length)
      bad(`${key} has ${list.length} numbers, greedyIds has ${greedyIds.length}`);
  }
  const { promptLogprobs } = scores;
  if (promptLogprobs && promptIds && promptLogprobs.length !== promptIds.length - 1)
    bad(
      `promptLogprobs has ${promptLogprobs.length} numbers, expected one fewer than the ${promptIds.length} promptIds`,
    );
}
