import { afterThinking } from "../../utils/thinking.ts";
import type { Detector } from "./types.ts";

/** From so many different answers on. */
const MANY = 4;

const ANSWERS = /\\f?box(?:ed)?\s?\{([^}]{0,80})|<answer>([^<]{0,80})<\/answer>|^####[ \t]*(\S.{0,79})/gm;

/** Several answers to one question, in the hope that one of them counts. */
export const manyAnswers: Detector = {
  name: "many-answers",
  what: `${MANY} or more different boxed or marked answers`,
  advice:
    "a reward that takes any of several answers pays for trying: let only the last one count, and ask for one in a format reward",
  warnAt: 0.05,
  applies: () => true,
  find({ text }) {
    const found = new Set<string>();
    for (const [, box, tag, line] of afterThinking(text).matchAll(ANSWERS))
      found.add((box ?? tag ?? line ?? "").replace(/\s+/g, ""));
    if (found.size < MANY) return null;
    return `${found.size} answers: ${[...found]
      .slice(0, 6)
      .map((one) => one.slice(0, 20))
      .join(" | ")}`;
  },
};
