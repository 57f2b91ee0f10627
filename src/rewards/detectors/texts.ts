import type { Task } from "../../rollout/types.ts";

/** The whole prompt as text. */
export function promptText({ prompt }: Task): string {
  return typeof prompt === "string" ? prompt : prompt.map(({ content }) => content).join("\n");
}

/** What was found, with a little of what stands around it, on one line. */
export function quote(text: string, at: number, length: number): string {
  const from = Math.max(0, at - 20);
  const part = text.slice(from, Math.min(at + length + 20, from + 160));
  return `"${part.replace(/\s+/g, " ").trim()}"`;
}

/** Evidence of the first pattern that is found; null for none. */
export function firstMatch(text: string, patterns: readonly RegExp[]): string | null {
  for (const pattern of patterns) {
    const match = pattern.exec(text);
    if (match) return quote(text, match.index, match[0].length);
  }
  return null;
}
