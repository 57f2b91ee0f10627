import { z } from "zod";
import { ConfigError } from "../utils/errors.ts";
import { PART_HELP, Part, partOf } from "./parts.ts";
import type { Reward, RewardDef } from "./types.ts";
import { graded } from "./verdicts.ts";

const Options = z.strictObject({
  scripts: z
    .array(z.string().min(1))
    .min(1)
    .describe(
      "Unicode names of the scripts that are wanted, together: [Latin]; Chinese [Han]; Japanese [Han, Hiragana, Katakana]; Korean [Hangul]; Russian [Cyrillic]",
    ),
  share: z.number().gt(0).max(1).default(0.95).describe("from this share of the letters the score is 1"),
  skipMath: z
    .boolean()
    .default(true)
    .describe("formulas between dollars or LaTeX brackets, LaTeX commands and fenced code don't count"),
  part: Part.default("text").describe(PART_HELP),
});

/** Only the end of a longer text is read, characters. */
const MAX_LENGTH = 200_000;

/** Each is found in linear time: a piece that is opened and not closed reaches no further than its bound. */
const NO_LANGUAGE = [
  /```[^`]*(?:```|$)/gu,
  /\$\$[^$]{0,5000}\$\$|\$[^$\n]{0,500}\$/gu,
  /\\\[[^\\]{0,500}(?:\\[^\]][^\\]{0,500}){0,50}\\\]/gu,
  /\\[a-zA-Z]+/gu,
  /<\/?[a-zA-Z_]{1,20}>/gu,
];

/**
 * Is the text written in the wanted scripts? The share is that of its letters in them; letters that belong to no script (ª, 𝑥) don't count. The score
 * is min(1, share found / share wanted), and 1 without any letter. Languages of one script are not told apart.
 */
export const languageReward: RewardDef<typeof Options> = {
  name: "language",
  options: Options,
  runs: () => "main",
  create: ({ scripts, share, skipMath, part }): Reward => {
    const wanted = lettersOf(scripts);
    return {
      name: "language",
      score({ text }) {
        const { found, all } = countLetters(readable(partOf(text, part).slice(-MAX_LENGTH), skipMath), wanted);
        if (all === 0) return graded(1, "there are no letters");
        const shown = `${((100 * found) / all).toFixed(1)} %`;
        return graded(
          Math.min(1, found / all / share),
          `${shown} of ${all} letters are ${scripts.join(" or ")}`,
          shown,
        );
      },
    };
  },
};

/** Finds letters: those in the scripts in its first group, those of other scripts without. */
function lettersOf(scripts: readonly string[]): RegExp {
  for (const script of scripts) {
    try {
      new RegExp(`\\p{Script=${script}}`, "u");
    } catch (error) {
      throw new ConfigError(
        `language: scripts holds ${JSON.stringify(script)}, which is no name of a Unicode script, such as Latin, Han or Cyrillic`,
        { cause: error },
      );
    }
  }
  const any = scripts.map((script) => `\\p{Script_Extensions=${script}}`).join("");
  return new RegExp(`(?=\\p{L})(?:([${any}])|[^\\p{Script=Common}\\p{Script=Inherited}])`, "gu");
}

function countLetters(text: string, wanted: RegExp): { found: number; all: number } {
  let [found, all] = [0, 0];
  for (const match of text.matchAll(wanted)) {
    all++;
    if (match[1] !== undefined) found++;
  }
  return { found, all };
}

function readable(text: string, skipMath: boolean): string {
  return skipMath ? NO_LANGUAGE.reduce((rest, pattern) => rest.replaceAll(pattern, " "), text) : text;
}
