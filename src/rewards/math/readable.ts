import { Budget, OverBudget, Unreadable } from "./budget.ts";
import { readAnswer } from "./equivalent.ts";
import { interpret } from "./interpret.ts";
import { FUNCTIONS, PERCENT_WORDS, PLAIN_COMMANDS } from "./names.ts";
import { contains } from "./nodes.ts";
import { unitOf } from "./units.ts";

/** Whether a text is mathematics by itself, with at most a unit. */
export function isMathematics(text: string): boolean {
  if (isProse(text)) return false;
  const read = readAnswer(text);
  if (!read.node) return false;
  try {
    const { kind } = interpret(read.node, { free: true }, new Budget(20_000));
    return kind === "scalar" || (kind !== "words" && !contains(read.node, (node) => node.kind === "word"));
  } catch (error) {
    if (error instanceof Unreadable || error instanceof OverBudget) return false;
    throw error;
  }
}

/** Words that no product of variables is. */
const SMALL_WORDS = new Set(
  "so thus hence then is are be at on in the we get have to of for by it its as if no yes he she they has was were with this that there here but not now per day all one two can any our her his how who too out off up an".split(
    " ",
  ),
);

/** Whether a text has a small word, or two words beside names of functions and units: then letters are not variables. */
function isProse(text: string): boolean {
  const plain = text.slice(0, 3000).replace(/\\[A-Za-z]+\s*(?:\{[^{}]*\})?/g, " ");
  const words = (plain.match(/(?<![A-Za-z_])[A-Za-z]{2,}(?:'[a-z]+)?/g) ?? []).filter((word) => !isNameOrUnit(word));
  return words.length >= 2 || words.some((word) => SMALL_WORDS.has(word.toLowerCase()));
}

function isNameOrUnit(word: string): boolean {
  const lower = word.toLowerCase();
  return (
    lower === "or" ||
    lower === "and" ||
    PERCENT_WORDS.has(lower) ||
    Object.hasOwn(FUNCTIONS, lower) ||
    Object.hasOwn(PLAIN_COMMANDS, lower) ||
    unitOf(word) !== undefined ||
    /^[A-Z]{2,3}$/.test(word)
  );
}
