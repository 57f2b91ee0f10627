import { draw, type Family, type Range } from "./family.ts";
import { wordsOfLength } from "./words.ts";

interface Parameters {
  /** How many words. */
  readonly words: Range;
  /** Letters of each word. */
  readonly length: Range;
  /** Each letter becomes upper or lower case by chance: upper case sorts first. */
  readonly randomCase: boolean;
}

/** Sorting of words by code points. The words are this project's own. */
export const wordSorting: Family<Parameters> = {
  name: "word_sorting",
  defaults: { words: [3, 10], length: [3, 12], randomCase: false },
  levels: [
    { words: [3, 3], length: [3, 4], randomCase: false },
    { words: [3, 4], length: [3, 6], randomCase: false },
    { words: [4, 6], length: [3, 8], randomCase: false },
    { words: [5, 8], length: [3, 12], randomCase: false },
    { words: [8, 12], length: [3, 12], randomCase: false },
    { words: [12, 20], length: [3, 12], randomCase: true },
  ],
  generate(random, { words: range, length, randomCase }) {
    const chosen = random.sample(wordsOfLength(length), draw(random, range));
    const words = randomCase
      ? chosen.map((word) =>
          [...word].map((letter) => (random.choice([true, false]) ? letter.toUpperCase() : letter)).join(""),
        )
      : chosen;
    const direction = random.choice([true, false]) ? "ascending" : "descending";
    const rising = words.toSorted();
    const sorted = direction === "ascending" ? rising : rising.toReversed();
    const question =
      "Your task is to sort words in ascending or descending order using ASCII/Unicode ordering.\n\n" +
      "Your output should be a comma-separated list of words, e.g. word_1, word_2, word_3\n\n" +
      `Now, sort these words in ${direction} order (using ASCII/Unicode ordering) ` +
      `and return them as a comma-separated list: ${words.join(", ")}\n`;
    return {
      question,
      answer: sorted.join(", "),
      metadata: { original_words: chosen, transformed_words: words, sorted_words: sorted, direction },
      key: rising.join(","),
    };
  },
};
