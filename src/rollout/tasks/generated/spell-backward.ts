import type { Family, Range } from "./family.ts";
import { wordsOfLength } from "./words.ts";

interface Parameters {
  /** Letters of the word. */
  readonly length: Range;
}

/** Spelling a word from its end. The words are this project's own. */
export const spellBackward: Family<Parameters> = {
  name: "spell_backward",
  defaults: { length: [3, 10] },
  levels: [
    { length: [3, 3] },
    { length: [3, 4] },
    { length: [4, 5] },
    { length: [5, 7] },
    { length: [7, 9] },
    { length: [9, 12] },
  ],
  generate(random, { length }) {
    const word = random.choice(wordsOfLength(length));
    return {
      question: `Spell this word backward (example: sun -> nus): ${word}`,
      answer: [...word].reverse().join(""),
      metadata: { word, word_len: word.length },
      key: word,
    };
  },
};
