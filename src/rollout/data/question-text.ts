import { sha256 } from "../../utils/hash.ts";
import type { Message } from "../types.ts";

/** A question as one text: a conversation with the role before each message. */
export function questionText(prompt: string | readonly Message[]): string {
  return typeof prompt === "string" ? prompt : prompt.map(({ role, content }) => `${role}: ${content}`).join("\n");
}

/** Text by which two questions are the same: they may differ in blanks, capital letters and Unicode's forms of one character. Signs count: 3 + 4 is not 3 - 4. */
export function sameQuestion(text: string): string {
  return text.normalize("NFKC").toLowerCase().trim().split(/\s+/u).join(" ");
}

/** A name for a question, the same for all that {@link sameQuestion} does not tell apart. */
export function questionKey(prompt: string | readonly Message[]): string {
  return sha256(sameQuestion(questionText(prompt))).slice(0, 24);
}

const WORD = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{M}\p{N}]+|[-+*/=<>^%±×÷≤≥−]/gu;

/** The words that n-grams are made of: runs of letters and digits in lower case, mathematical signs, single characters of scripts without blanks. */
export function wordsOf(text: string): readonly string[] {
  return text.normalize("NFKC").toLowerCase().match(WORD) ?? [];
}
