/** A closed box: where it starts and ends in the text, and what is in it. */
export interface Box {
  readonly start: number;
  readonly end: number;
  readonly content: string;
}

/** Deeper braces than this are passed over. */
const MAX_OPEN = 100_000;

/**
 * All closed `\boxed{…}` and `\fbox{…}` that do not stand in another one, in one pass; and the last one that was never closed, whose content is the rest of
 * its line.
 */
export function findBoxes(text: string): { readonly closed: readonly Box[]; readonly open: Box | null } {
  const closed: Box[] = [];
  const stack: { at: number; content: number; isBox: boolean }[] = [];
  const openings = boxOpenings(text);
  for (const { at, content } of openings.bare)
    closed.push({ start: at, end: content, content: text.slice(at + 6, content).trim() });
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "\\") {
      const brace = openings.braced.get(i);
      if (brace === undefined) {
        i++; // what is escaped, or the first letter of a command
        continue;
      }
      stack.push({ at: i, content: brace + 1, isBox: true });
      i = brace;
    } else if (character === "{") {
      if (stack.length < MAX_OPEN) stack.push({ at: i, content: i + 1, isBox: false });
    } else if (character === "}") {
      const opened = stack.pop();
      if (opened?.isBox) closed.push({ start: opened.at, end: i + 1, content: text.slice(opened.content, i) });
    }
  }
  closed.sort((a, b) => a.start - b.start);
  const outer: Box[] = [];
  for (const box of closed) if (box.start >= (outer.at(-1)?.end ?? 0)) outer.push(box);
  const unclosed = stack.findLast(({ isBox }) => isBox);
  return { closed: outer, open: unclosed ? restOfLine(text, unclosed) : null };
}

function restOfLine(text: string, { at, content }: { at: number; content: number }): Box {
  const lineEnd = text.indexOf("\n", content);
  const end = Math.min(lineEnd < 0 ? text.length : lineEnd, content + 4000);
  return { start: at, end, content: text.slice(content, end) };
}

/** Places of box commands → places of their opening braces; boxes around one number without braces apart. */
function boxOpenings(text: string): { braced: Map<number, number>; bare: { at: number; content: number }[] } {
  const braced = new Map<number, number>();
  const bare: { at: number; content: number }[] = [];
  for (const command of ["\\boxed", "\\fbox"]) {
    for (let at = text.indexOf(command); at >= 0; at = text.indexOf(command, at + 1)) {
      let next = at + command.length;
      while (next < at + 20 && (text[next] === " " || text[next] === "\n")) next++;
      if (text[next] === "{") braced.set(at, next);
      else if (/\d/.test(text[next] ?? "")) {
        while (/[\d.]/.test(text[next] ?? "")) next++;
        if (command === "\\boxed") bare.push({ at, content: next });
      }
    }
  }
  return { braced, bare };
}

const JOINT = /^(?:[\s$,;&]|\\[()[\],;:! ]|\\q?quad|\\text\{\s*(?:,\s*)?(?:and|or)\s*\}|and|or)*$/;

/** The last box; with the boxes before it that only commas, "and" or "or" part from it, as one list. */
export function lastBoxes(text: string, boxes: readonly Box[]): string | null {
  const last = boxes.at(-1);
  if (!last) return null;
  const contents = [last.content];
  for (let i = boxes.length - 2; i >= 0 && contents.length < 100; i--) {
    const between = text.slice(boxes[i]!.end, boxes[i + 1]!.start);
    if (between.length > 60 || !JOINT.test(between) || !/,|;|and|or/.test(between.replace(/\\[,;]/g, ""))) break;
    contents.unshift(boxes[i]!.content);
  }
  if (contents.length > 1) return contents.join(", ");
  const behind = /^[\s$]{0,3}(?:\\?%|percent\b|pct\b|\^\{?\\circ\}?|°)/.exec(text.slice(last.end, last.end + 12));
  return behind ? `${last.content}${behind[0].replaceAll("$", " ")}` : last.content;
}
