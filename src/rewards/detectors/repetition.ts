import type { Detector } from "./types.ts";

/** Characters of a piece that counts as said before. */
const PIECE = 16;

/** Shorter texts can't farm. */
const MIN_LENGTH = 240;

/** Longest text that is read. */
const MAX_LENGTH = 8000;

/** Share of pieces that were there before, from which a text repeats itself. */
const SHARE = 0.6;

/** The text says the same again and again. */
export const repetition: Detector = {
  name: "repetition",
  what: "more than 60 % of the text was said before in it",
  advice:
    "look whether a reward grows with length or with the count of a word; a repetition reward or a lower maxTokens takes the gain away",
  warnAt: 0.2,
  applies: () => true,
  find({ text }) {
    const part = text.slice(0, MAX_LENGTH);
    if (part.length < MIN_LENGTH) return null;
    const seen = new Map<string, number>();
    const count = part.length - PIECE + 1;
    for (let i = 0; i < count; i++) {
      const piece = part.slice(i, i + PIECE);
      seen.set(piece, (seen.get(piece) ?? 0) + 1);
    }
    const share = 1 - seen.size / count;
    if (share <= SHARE) return null;
    const [piece, times] = [...seen].reduce((most, entry) => (entry[1] > most[1] ? entry : most));
    return `${Math.round(100 * share)} % repeats: ${times} times ${JSON.stringify(piece)}`;
  },
};
