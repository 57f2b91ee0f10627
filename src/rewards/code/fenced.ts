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
    const match = /^ {0,3}(`{3,}|~{3,})(.{0,200})$/.exec(line);
    const [fence, info] = [match?.[1], match?.[2]?.trim() ?? ""];
    if (!open) {
      if (fence && !(fence.startsWith("`") && info.includes("`"))) open = { fence, info, lines: [] };
    } else if (fence && info === "" && fence[0] === open.fence[0] && fence.length >= open.fence.length) {
      const word = open.info.toLowerCase().split(/[\s{,]/)[0] ?? "";
      if (NAMES[language].includes(word)) named = open.lines.join("\n");
      else if (word === "") unnamed = open.lines.join("\n");
      open = null;
    } else open.lines.push(line);
  }
  return named ?? unnamed;
}
