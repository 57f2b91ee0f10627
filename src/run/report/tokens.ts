import { escapeHtml } from "./text.ts";

/** Turns token ids into text, for the colours of single tokens; null when the run's tokenizer is not at hand. */
export type Decode = ((ids: readonly number[]) => string) | null;

/** What one token added to the text, or several that make one sign. */
export interface TokenSpan {
  /** Where it begins in the text. */
  readonly at: number;
  readonly text: string;
  /** Colour of its entropy: ten levels from 0 to 2 nats. */
  readonly level: number;
}

/** Level of an entropy in nats among the colours e0 to e9. */
export function levelOf(entropy: number): number {
  return Math.max(0, Math.min(9, Math.floor(entropy / 0.2)));
}

/**
 * Text of each token: what the text of all tokens up to it has more than that before it.
 * @param entropy nats, one per id
 */
export function tokenSpans(
  ids: readonly number[],
  entropy: readonly number[],
  decode: NonNullable<Decode>,
): TokenSpan[] {
  const spans: TokenSpan[] = [];
  let before = "";
  let level = 0;
  for (let i = 0; i < ids.length; i++) {
    const text = decode(ids.slice(0, i + 1));
    level = Math.max(level, levelOf(entropy[i] ?? 0));
    if (text.endsWith("\ufffd") || text.length <= before.length) continue; // half a character, or a token without text
    spans.push({ at: before.length, text: text.slice(before.length), level });
    [before, level] = [text, 0];
  }
  return spans;
}

/** Each token on the colour of its entropy. */
export function coloured(spans: readonly TokenSpan[]): string {
  return spans.map(({ text, level }) => `<i class="e${level}">${escapeHtml(text)}</i>`).join("");
}
