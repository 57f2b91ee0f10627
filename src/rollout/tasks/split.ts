import { createRng } from "../../utils/rng.ts";

/**
 * Whether a problem belongs to the test split: a hash of its content decides, so that splits can't overlap whatever their options.
 * @param set name of the task set
 * @param content what makes two problems the same one
 * @param share of all problems that are held out
 */
export function isTestContent(set: string, content: string, share: number): boolean {
  return createRng(`${set}-split`).fork(content).uniform() < share;
}

/** Text by which two questions count as the same: letters and digits only, in lower case. */
export function normalisedText(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}
