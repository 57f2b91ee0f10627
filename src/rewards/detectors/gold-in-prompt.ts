import { promptText, quote } from "./texts.ts";
import type { Detector } from "./types.ts";

/** What stands before an answer that is given away. A number of the question is not one. */
const MARKS =
  /(?:\b(?:final |correct |right |gold |expected |reference )?(?:answer|ground[ _-]?truth|expected[ _-]?output)\b["'*_]{0,3} ?(?:is|:|=|->|→){1,2}|####|<answer>|\\boxed\s?\{)[\s"'$*(]{0,6}/gi;

/** A gold answer of so many characters is not in a prompt by chance. */
const LONG = 40;

/** Longest prompt that is read. */
const MAX_LENGTH = 100_000;

/** The prompt says the answer. */
export const goldInPrompt: Detector = {
  name: "gold-in-prompt",
  what: "the prompt gives its own answer away",
  advice: "the data leaks: look at the columns that make the prompt, and at worked examples in it",
  warnAt: 0.01,
  applies: ({ task }) => (task.answer ?? "").trim() !== "",
  find({ task }) {
    const gold = task.answer!.trim();
    const prompt = promptText(task).slice(0, MAX_LENGTH);
    for (const { index, 0: mark } of prompt.matchAll(MARKS)) {
      const at = index + mark.length;
      if (prompt.startsWith(gold, at) && !/^[\p{L}\d]|^[.,]\d/u.test(prompt.slice(at + gold.length)))
        return quote(prompt, index, mark.length + gold.length);
    }
    const at = gold.length >= LONG ? prompt.indexOf(gold) : -1;
    return at < 0 ? null : quote(prompt, at, gold.length);
  },
};
