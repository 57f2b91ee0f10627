import type { CodeLanguage } from "./types.ts";

/** Words after the fence that name a language. */
const NAMES: Record<CodeLanguage, readonly string[]> = {
  python: ["python", "py", "python3"],
  javascript: ["javascript", "js", "node", "mjs"],
};

/**
 * Content of the last closed fenced block of a language; of the last block that names no language when none names this one; null without
 * either. Fences are lines of three or more ` or ~ as in CommonMark. Time is linear.
 */
export function lastFencedBlock(text: string, language: CodeLanguage): string | null {
  let named: string | null = null;
  let unnamed: string | null = null;
  let open: { fence: string; info: string; lines: string[] } | null = null;
  for (const line of text.split(/\r?\n/)) {
    const { fence, info } = fenceOf(line);
    if (!open) {
      if (fence !== "" && !(fence.startsWith("`") && info.includes("`"))) open = { fence, info, lines: [] };
    } else if (info === "" && fence[0] === open.fence[0] && fence.length >= open.fence.length) {
      const word = open.info.toLowerCase().split(/[\s{,]/)[0] ?? "";
      if (NAMES[language].includes(word)) named = open.lines.join("\n");
      else if (word === "") unnamed = open.lines.join("\n");
      open = null;
    } else open.lines.push(line);
  }
  return named ?? unnamed;
}

/** The fence that a line begins with, after three blanks at most, and what follows it; an empty fence when there is none. */
function fenceOf(line: string): { fence: string; info: string } {
  let start = 0;
  while (start < 3 && line[start] === " ") start++;
  const sign = line[start];
  let end = start;
  while (line[end] === sign && (sign === "`" || sign === "~")) end++;
  return end - start < 3 ? { fence: "", info: "" } : { fence: line.slice(start, end), info: line.slice(end).trim() };
}
