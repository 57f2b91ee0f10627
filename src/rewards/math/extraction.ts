import { afterThinking } from "../../utils/thinking.ts";
import { findBoxes, lastBoxes } from "./boxes.ts";
import { answerClause, isJsonObject, lastMathematics, leadingFormulas } from "./prose.ts";
import { isMathematics } from "./readable.ts";
import { CLAUSE, NEGATION } from "./statements.ts";

/** Where the answer stands in a completion. */
export interface Extracted {
  readonly content: string;
  /** Which rule found it. */
  readonly rule:
    | "box"
    | "open box"
    | "answer tag"
    | "####"
    | "phrase"
    | "whole text"
    | "last mathematics"
    | "option first";
}

/** How a completion is read. */
export interface ExtractionOptions {
  /** Whether only what follows the last `</think>` counts, or all of the text. */
  readonly thinking: "after" | "anywhere";
  /** Which marks count: a box only; or boxes, marks and phrases; or, without any of them, also the last mathematics of the text. */
  readonly from: "box" | "marked" | "anything";
  /** Whether the gold answer is a letter of an option, or words. */
  readonly wants: "option" | "words" | "mathematics";
}

/** Only the end of a longer text is looked at. */
const MAX_TEXT = 400_000;

/** The answer of a completion: the last box, else the last mark such as `#### …` or "the answer is …", else the last mathematics. Null when there is none. */
export function extractAnswer(completion: string, options: ExtractionOptions): Extracted | null {
  const text = visibleText(completion.slice(-MAX_TEXT), options.thinking);
  const { closed, open } = findBoxes(withoutTexComments(text));
  const boxed = lastBoxes(withoutTexComments(text), closed);
  if (boxed !== null) return { content: boxed, rule: "box" };
  if (open) return { content: open.content, rule: "open box" };
  if (options.from === "box" || isJsonObject(text)) return null;
  const marked = lastMark(text);
  if (marked) return marked;
  return options.from === "anything" ? unmarked(text, options.wants) : null;
}

/** What counts of a completion: no thoughts, no special tokens, no HTML comments. */
function visibleText(completion: string, thinking: "after" | "anywhere"): string {
  let text = completion;
  if (thinking === "after") {
    text = afterThinking(text);
    const unclosed = text.indexOf("<think>");
    if (unclosed >= 0) text = text.slice(0, unclosed);
  }
  text = text.replace(/<\|[\w-]{1,40}\|>(?:assistant|user|system)?/g, " ");
  let from = text.indexOf("<!--");
  while (from >= 0) {
    const end = text.indexOf("-->", from);
    text = text.slice(0, from) + (end < 0 ? "" : text.slice(end + 3));
    from = text.indexOf("<!--");
  }
  return text;
}

/** Blanks out `% …` behind a blank, up to the end of its line; not per cent behind a number. Places in the text stay. */
function withoutTexComments(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(
    /(^|[^\d\s$)\\])([ \t]+)(%[^\n]*)/gm,
    (_, before: string, blank: string, comment: string) => before + blank + " ".repeat(comment.length),
  );
}

const PHRASE =
  /(?:\bans(?:wers?)?\b|答案)(?:[^\w\n]{0,4}\b(?:is|are)\b(?!\s*:?\s*$)|[^\w\n$\\]{0,4}[:：=]|是|为|[ \t]*(?=\$|\\\(|\\\[))/giu;

/** The last `####`, answer tag or phrase. */
function lastMark(text: string): Extracted | null {
  const marks: { at: number; read(): Extracted | null }[] = [];
  const hashes = text.lastIndexOf("####");
  if (hashes >= 0) marks.push({ at: hashes, read: () => afterHashes(text.slice(hashes + 4)) });
  const close = text.lastIndexOf("</answer>");
  const openTag = close < 0 ? -1 : text.lastIndexOf("<answer>", close);
  if (openTag >= 0) {
    const content = text.slice(openTag + "<answer>".length, close);
    marks.push({ at: openTag, read: () => ({ content: inTag(content), rule: "answer tag" }) });
  }
  const phrases = lastMatches(text, PHRASE, 4);
  for (const end of phrases.filter((at) => !isDoubted(text, at)))
    marks.push({ at: end, read: () => asPhrase(answerClause(text.slice(end))) });
  for (const mark of marks.sort((a, b) => b.at - a.at)) {
    const found = mark.read();
    if (found && found.content.trim() !== "") return found;
  }
  return null;
}

/** "I don't think the answer is", "the wrong answer is", "if the answer is". */
function isDoubted(text: string, end: number): boolean {
  const sentence = text.slice(Math.max(0, end - 80), end).replace(/^.*[.!?。\n]\s/su, "");
  return NEGATION.test(sentence.replace(CLAUSE, ""));
}

/** An answer tag may hold a sentence. */
function inTag(content: string): string {
  return isMathematics(content) ? content : (lastMark(content)?.content ?? content);
}

function afterHashes(rest: string): Extracted | null {
  const line = rest.trimStart().slice(0, 3000).split("\n")[0]!.replace(/^#+/, "").trim();
  return line === "" ? null : { content: line, rule: "####" };
}

function asPhrase(content: string | null): Extracted | null {
  return content === null ? null : { content, rule: "phrase" };
}

/** Ends of the last matches of a pattern, at most `count`. */
function lastMatches(text: string, pattern: RegExp, count: number): number[] {
  const ends: number[] = [];
  for (const match of text.matchAll(pattern)) {
    ends.push(match.index + match[0].length);
    if (ends.length > count) ends.shift();
  }
  return ends;
}

function unmarked(text: string, wants: ExtractionOptions["wants"]): Extracted | null {
  const trimmed = text.trim();
  if (wants === "option") {
    const option = /^\(?([A-J])\)?[.):](?=\s|$)/.exec(trimmed);
    if (option) return { content: option[1]!, rule: "option first" };
  }
  const joined = trimmed.length <= 300 ? leadingFormulas(trimmed, true) : null;
  if (joined !== null) return { content: joined, rule: "whole text" };
  if (
    trimmed !== "" &&
    trimmed.length <= 300 &&
    (isMathematics(trimmed) || (wants === "words" && !trimmed.includes(" ")))
  )
    return { content: trimmed, rule: "whole text" };
  const last = lastMathematics(text, wants === "words");
  return last === null ? null : { content: last, rule: "last mathematics" };
}
