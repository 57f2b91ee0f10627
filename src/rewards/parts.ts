import { z } from "zod";
import { afterThinking } from "../utils/thinking.ts";

/** Which part of a completion a reward looks at. */
export const Part = z.enum(["text", "answer", "thoughts"]);
export type Part = z.infer<typeof Part>;

/** Help text of an option of this type. */
export const PART_HELP =
  "what is looked at: the whole completion, what follows the last </think>, or what stands before it";

/** That part of a completion. Without think tags everything is answer. */
export function partOf(text: string, part: Part): string {
  if (part === "text") return text;
  if (part === "answer") return afterThinking(text);
  const end = text.lastIndexOf("</think>");
  const open = text.indexOf("<think>");
  if (end < 0) return open < 0 ? "" : text.slice(open + "<think>".length);
  return text.slice(open >= 0 && open < end ? open + "<think>".length : 0, end);
}
