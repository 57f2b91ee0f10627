import { draw, type Family, type Range } from "./family.ts";
import type { PythonRandom } from "./python-random.ts";
import { STORY } from "./story.ts";

interface Parameters {
  /** How many words in a row. */
  readonly words: Range;
  /** Prefer texts in which a letter comes twice, draw a count first and then a letter that occurs so often: otherwise "1" is mostly right. */
  readonly balanced: boolean;
}

/** Draws until some letter comes twice, when balanced. */
const TRIES = 5;

/** How often a letter occurs in a piece of text. The text is this project's own. */
export const letterCounting: Family<Parameters> = {
  name: "letter_counting",
  defaults: { words: [5, 15], balanced: false },
  levels: [
    { words: [1, 2], balanced: true },
    { words: [2, 4], balanced: true },
    { words: [4, 7], balanced: true },
    { words: [7, 12], balanced: true },
    { words: [12, 20], balanced: true },
    { words: [20, 35], balanced: true },
  ],
  generate(random, { words, balanced }) {
    let span = drawSpan(random, words);
    let counts = countLetters(span);
    for (let i = 1; balanced && i < TRIES && !isVaried(counts); i++) {
      span = drawSpan(random, words);
      counts = countLetters(span);
    }
    const letter = drawLetter(random, counts, balanced);
    const text = span.join(" ");
    return {
      question: `How many times does the letter "${letter}" appear in the text: "${text}"?`,
      answer: String(counts.get(letter)),
      metadata: { span, target_letter: letter, span_length: span.length },
      key: `${letter}:${text}`,
    };
  },
};

function drawSpan(random: PythonRandom, words: Range): readonly string[] {
  const length = draw(random, words);
  const start = random.randint(0, STORY.length - length);
  return STORY.slice(start, start + length);
}

function isVaried(counts: ReadonlyMap<string, number>): boolean {
  return new Set(counts.values()).size > 1;
}

/** Letters in lower case. */
function countLetters(span: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const letter of span.join("").toLowerCase()) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  return counts;
}

function drawLetter(random: PythonRandom, counts: ReadonlyMap<string, number>, balanced: boolean): string {
  const letters = [...counts.keys()].sort();
  if (!balanced) return random.choice(letters);
  const count = random.choice([...new Set(counts.values())].sort((a, b) => a - b));
  return random.choice(letters.filter((letter) => counts.get(letter) === count));
}
