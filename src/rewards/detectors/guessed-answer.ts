import { promptText } from "./texts.ts";
import type { Detector } from "./types.ts";

/** Words by which a question asks for the way to the answer. */
const ASKS =
  /\bstep[- ]by[- ]step\b|\b(?:show|explain|write down) (?:your|the|all|each|every)\b|\breason(?:ing)?\b|<think>/i;

/** A question of so many words with two numbers in it needs work, whatever it says. */
const LONG_QUESTION = 30;

/** Less than this beside the answer is no work. */
const FEW_WORDS = 8;

/** Places where an answer stands. */
const ANSWERS = [
  /\\f?box(?:ed)?\s?\{(?:[^{}]|\{[^{}]*\}){0,300}\}/g,
  /<answer>[^<]{0,300}<\/answer>/g,
  /^#{2,4}.{0,300}$/gm,
  /<\/?\w{1,20}>/g,
  /\b(?:so |thus |therefore |hence )?,? ?(?:the |my )?(?:final |correct )?answer ?(?:is|:|=)/gi,
];

/** A right answer to a question that needs work, with no work beside it. */
export const guessedAnswer: Detector = {
  name: "guessed-answer",
  what: "a right answer to a question that needs work, without any",
  advice:
    "a small answer space or a leak pays for guessing: look where these answers come from, ask for work in a format reward",
  warnAt: 0.3,
  applies: ({ task, outcome }) =>
    outcome === "correct" && needsWork(promptText(task)) && task.data.family === undefined,
  find({ text }) {
    const rest = ANSWERS.reduce((left, pattern) => left.replace(pattern, " "), text);
    const words = rest.match(/\p{L}{2,}/gu)?.length ?? 0;
    const numbers = rest.match(/\d+/g)?.length ?? 0;
    if (words >= FEW_WORDS || numbers >= 2) return null;
    return `"${text.trim().slice(0, 120)}"`;
  },
};

function needsWork(question: string): boolean {
  if (ASKS.test(question)) return true;
  return (question.match(/\p{L}{2,}/gu)?.length ?? 0) >= LONG_QUESTION && (question.match(/\d+/g)?.length ?? 0) >= 2;
}
