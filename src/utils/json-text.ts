/** Longest JSON text that is read, characters. */
export const MAX_JSON = 200_000;
/** Deepest nesting that is read: validators recurse. */
const MAX_DEPTH = 100;

/** A value that was read, or why the text is none. */
export type JsonRead = { readonly value: unknown } | { readonly problem: string };

/** Parses JSON of bounded size and depth. */
export function readJson(text: string): JsonRead {
  if (text.length > MAX_JSON) return { problem: `is longer than ${MAX_JSON} characters` };
  if (depthOf(text) > MAX_DEPTH) return { problem: `is nested deeper than ${MAX_DEPTH} levels` };
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: `is not JSON: ${(error as SyntaxError).message.slice(0, 200)}` };
  }
}

/** Deepest nesting of brackets and braces outside of strings. */
function depthOf(text: string): number {
  let [depth, deepest, isString] = [0, 0, false];
  for (let i = 0; i < text.length; i++) {
    const mark = text[i];
    if (isString) {
      if (mark === "\\") i++;
      else if (mark === '"') isString = false;
    } else if (mark === '"') isString = true;
    else if (mark === "{" || mark === "[") deepest = Math.max(deepest, ++depth);
    else if (mark === "}" || mark === "]") depth--;
  }
  return deepest;
}

/** End (exclusive) of the object that opens at `start`, by its braces outside of strings; null when it does not close. */
export function objectEnd(text: string, start: number): number | null {
  let [depth, isString] = [0, false];
  for (let i = start; i < text.length; i++) {
    const mark = text[i];
    if (isString) {
      if (mark === "\\") i++;
      else if (mark === '"') isString = false;
    } else if (mark === '"') isString = true;
    else if (mark === "{") depth++;
    else if (mark === "}" && --depth === 0) return i + 1;
  }
  return null;
}

/** A fenced block: what its first line names, in lower case, and what it holds. */
export interface FencedBlock {
  readonly mark: string;
  readonly content: string;
  /** Only the last block can be open. */
  readonly isClosed: boolean;
}

/** The fenced blocks of a text that are marked with one of `marks`; "" stands for those without a mark. */
export function fencedBlocks(text: string, marks: readonly string[]): FencedBlock[] {
  const blocks: FencedBlock[] = [];
  let mark: string | null = null;
  let lines: string[] = [];
  const end = (isClosed: boolean): void => {
    if (mark !== null && marks.includes(mark)) blocks.push({ mark, content: lines.join("\n"), isClosed });
    mark = null;
  };
  for (const line of text.split("\n")) {
    const fence = /^[ \t]*```[ \t]*([\w-]{0,20})[ \t\r]*$/.exec(line);
    if (!fence) lines.push(line);
    else if (mark === null) [mark, lines] = [fence[1]!.toLowerCase(), []];
    else end(true);
  }
  end(false);
  return blocks;
}

/** Contents of the closed fenced blocks of a text that are marked as JSON or not marked. */
export function jsonBlocks(text: string): string[] {
  return fencedBlocks(text, ["", "json"])
    .filter(({ isClosed }) => isClosed)
    .map(({ content }) => content);
}
