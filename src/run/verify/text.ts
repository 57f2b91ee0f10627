import type { Tokenizer } from "../../policy/index.ts";
import { DataError } from "../../utils/errors.ts";
import type { ConversationReference, PromptReference, Reference, StringReference } from "./reference.ts";
import type { Tally } from "./tally.ts";

/** Ids and texts of `strings`, `conversations` and prompts, by the model's own tokenizer and chat template. */
export function verifyText(
  tokenizer: Tokenizer,
  { strings, conversations, prompts, gradient }: Reference,
  tally: Tally,
): void {
  strings.forEach((entry, i) => {
    verifyString(tokenizer, entry, `string ${i} (${excerpt(entry.text)})`, tally);
  });
  conversations.forEach((entry, i) => {
    verifyConversation(tokenizer, entry, `conversation ${i}`, tally);
  });
  for (const prompt of prompts) verifyPrompt(tokenizer, prompt, tally);
  if (gradient?.text !== undefined && gradient.ids)
    sameIds(tally, "the gradient's text", tokenizer.encode(gradient.text), gradient.ids);
}

/** Says whether verifying needs a tokenizer. */
export function needsTokenizer({ strings, conversations, prompts, gradient }: Reference): boolean {
  const isText = ({ text, messages, promptText, greedyText }: PromptReference): boolean =>
    [text, messages, promptText, greedyText].some((source) => source !== undefined);
  return strings.length + conversations.length > 0 || prompts.some(isText) || gradient?.text !== undefined;
}

/** Ids of a prompt: those given, or those of its text. */
export function promptIdsOf(tokenizer: Tokenizer | null, prompt: PromptReference): readonly number[] {
  if (prompt.promptIds) return prompt.promptIds;
  if (!tokenizer) throw new DataError(`${prompt.name}: has no promptIds, and the model has no tokenizer`);
  return tokenizer.encode(promptTextOf(tokenizer, prompt));
}

function promptTextOf(tokenizer: Tokenizer, prompt: PromptReference): string {
  const { messages, addGenerationPrompt, assistantPrefix, text, promptText } = prompt;
  if (messages) return tokenizer.renderChat(messages, { addGenerationPrompt, assistantPrefix });
  return text ?? promptText ?? "";
}

function verifyString(tokenizer: Tokenizer, entry: StringReference, where: string, tally: Tally): void {
  const { ids, decoded, decodedSkipSpecial, idsWithoutDigitSplit } = entry;
  const found = tokenizer.encode(entry.text);
  const isSplitMissing = idsWithoutDigitSplit !== undefined && String(found) === String(idsWithoutDigitSplit);
  sameIds(tally, where, found, ids, isSplitMissing ? " (digits are not split off one by one)" : "");
  if (decoded !== undefined) sameText(tally, "decodedText", where, tokenizer.decode(ids), decoded);
  if (decodedSkipSpecial !== undefined) {
    const text = tokenizer.decode(ids, { skipSpecial: true });
    sameText(tally, "decodedText", `${where} without special tokens`, text, decodedSkipSpecial);
  }
}

function verifyConversation(tokenizer: Tokenizer, entry: ConversationReference, where: string, tally: Tally): void {
  const { messages, addGenerationPrompt, assistantPrefix, rendered, ids } = entry;
  const options = { addGenerationPrompt, assistantPrefix };
  sameText(tally, "chatTemplates", where, tokenizer.renderChat(messages, options), rendered);
  if (ids) sameIds(tally, where, tokenizer.encodeChat(messages, options), ids);
}

function verifyPrompt(tokenizer: Tokenizer, prompt: PromptReference, tally: Tally): void {
  const { name, messages, text: raw, promptText, promptIds, greedyIds, greedyText } = prompt;
  const text = promptTextOf(tokenizer, prompt);
  if (messages && promptText !== undefined) sameText(tally, "chatTemplates", name, text, promptText);
  const hasText = messages !== undefined || raw !== undefined || promptText !== undefined;
  if (promptIds && hasText) sameIds(tally, name, tokenizer.encode(text), promptIds);
  if (greedyText !== undefined) sameText(tally, "decodedText", name, tokenizer.decode(greedyIds), greedyText);
}

/** Compares lists of token ids. */
function sameIds(tally: Tally, where: string, found: readonly number[], expected: readonly number[], hint = ""): void {
  const at = firstDifference(found, expected);
  tally.same(
    "tokenIds",
    at < 0,
    where,
    () => `id ${at} is ${found[at] ?? "missing"}, expected ${expected[at] ?? "the end"}${hint}`,
  );
}

function sameText(
  tally: Tally,
  kind: "decodedText" | "chatTemplates",
  where: string,
  found: string,
  expected: string,
): void {
  const at = firstDifference(found, expected);
  const near = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 10), at + 20));
  tally.same(kind, at < 0, where, () => `at character ${at}: ${near(found)}, expected ${near(expected)}`);
}

/** First place where two lists differ, or -1. */
export function firstDifference<T>(a: ArrayLike<T>, b: ArrayLike<T>): number {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return -1;
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > 20 ? `${text.slice(0, 20)}…` : text);
}
