/** Content of the last closed `<answer>…</answer>`; null when there is none. */
export function lastAnswerTag(text: string): string | null {
  const end = text.lastIndexOf("</answer>");
  const start = end < 0 ? -1 : text.lastIndexOf("<answer>", end);
  return start < 0 ? null : text.slice(start + "<answer>".length, end);
}

/** A place in a text and what stands there. */
export interface Found {
  readonly at: number;
  readonly content: string;
}

/** Boxes that were opened and never closed are passed over; this many at most, so that hostile texts cost linear time. */
const MAX_OPEN_BOXES = 16;

/** The last closed `\boxed{…}` or `\fbox{…}`, braces inside matched; null when there is none. */
export function lastBox(text: string): Found | null {
  let before = text.length;
  for (let tries = 0; tries < MAX_OPEN_BOXES && before > 0; tries++) {
    const at = Math.max(text.lastIndexOf("\\boxed", before - 1), text.lastIndexOf("\\fbox", before - 1));
    if (at < 0) return null;
    const content = braced(text, at + (text.startsWith("\\boxed", at) ? "\\boxed".length : "\\fbox".length));
    if (content !== null) return { at, content };
    before = at;
  }
  return null;
}

/** Content of the braces that open at `from`, after blanks; null when they do not close. */
function braced(text: string, from: number): string | null {
  let start = from;
  while (text[start] === " ") start++;
  if (text[start] !== "{") return null;
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return text.slice(start + 1, i);
  }
  return null;
}
