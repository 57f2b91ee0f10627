import { Budget, OverBudget, Unreadable } from "./budget.ts";
import { plainCharacters } from "./characters.ts";
import { readAnswer } from "./equivalent.ts";
import { interpret } from "./interpret.ts";
import { FUNCTIONS, PERCENT_WORDS, PLAIN_COMMANDS } from "./names.ts";
import { contains } from "./nodes.ts";
import { unitOf } from "./units.ts";
import { isHedge } from "./words.ts";

/** A piece of mathematics between delimiters. */
interface Formula {
  readonly start: number;
  readonly end: number;
  readonly content: string;
}

const MAX_FORMULA = 3000;

/** `$…$`, `$$…$$`, `\(…\)`, `\[…\]`. A dollar before an amount that no dollar closes is money. */
export function formulas(text: string): Formula[] {
  const found: Formula[] = [];
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf("$", at);
    const backslash = nextDelimiter(text, at);
    const start = dollar < 0 ? backslash : backslash < 0 ? dollar : Math.min(dollar, backslash);
    if (start < 0) break;
    const formula = formulaAt(text, start);
    if (formula) found.push(formula);
    at = formula ? formula.end : start + (text.startsWith("$$", start) ? 2 : 1);
  }
  return found;
}

function nextDelimiter(text: string, from: number): number {
  const [round, square] = [text.indexOf("\\(", from), text.indexOf("\\[", from)];
  return round < 0 ? square : square < 0 ? round : Math.min(round, square);
}

function formulaAt(text: string, start: number): Formula | null {
  const [open, close] = text.startsWith("$$", start)
    ? ["$$", "$$"]
    : text[start] === "$"
      ? ["$", "$"]
      : text.startsWith("\\(", start)
        ? ["\\(", "\\)"]
        : ["\\[", "\\]"];
  if (text[start - 1] === "\\") return null;
  const window = text.slice(start + open!.length, start + MAX_FORMULA);
  let end = window.indexOf(close!);
  while (close === "$" && end > 0 && window[end - 1] === "\\") end = window.indexOf("$", end + 1);
  if (end <= 0) return null;
  const content = window.slice(0, end);
  if (close === "$" && (content.includes("\n") || isMoney(content, window[end + 1]))) return null;
  return { start, end: start + open!.length + end + close!.length, content };
}

/** "$5 and " before another dollar: money, not mathematics. */
function isMoney(content: string, next: string | undefined): boolean {
  return (
    /^\d/.test(content) &&
    (/[a-z]{3,}\s+[a-z]{2,}/.test(content.replace(/\\[a-z]+\s*(?:\{[^{}]*\})?/g, "")) ||
      (/\s$/.test(content) && /\d/.test(next ?? "")))
  );
}

/** Whether a text is mathematics by itself, with at most a unit. */
export function isMathematics(text: string): boolean {
  if (isProse(text)) return false;
  const read = readAnswer(text);
  if (!read.node) return false;
  try {
    const { kind } = interpret(read.node, { free: true }, new Budget(20_000));
    return kind === "scalar" || (kind !== "words" && !contains(read.node, (node) => node.kind === "word"));
  } catch (error) {
    if (error instanceof Unreadable || error instanceof OverBudget) return false;
    throw error;
  }
}

/** Whether a text has two words beside names of functions and units: then letters are not variables. */
function isProse(text: string): boolean {
  const plain = text.slice(0, 3000).replace(/\\[A-Za-z]+\s*(?:\{[^{}]*\})?/g, " ");
  const words = plain.match(/(?<![A-Za-z_])[A-Za-z]{2,}(?:'[a-z]+)?/g) ?? [];
  return words.filter((word) => !isNameOrUnit(word)).length >= 2;
}

function isNameOrUnit(word: string): boolean {
  const lower = word.toLowerCase();
  return (
    lower === "or" ||
    lower === "and" ||
    PERCENT_WORDS.has(lower) ||
    Object.hasOwn(FUNCTIONS, lower) ||
    Object.hasOwn(PLAIN_COMMANDS, lower) ||
    unitOf(word) !== undefined ||
    /^[A-Z]{2,3}$/.test(word)
  );
}

/** What stands behind "answer is" or "Answer:": formulas joined by commas and words, or a clause up to a reason or the end of the sentence. */
export function answerClause(text: string): string | null {
  const start = text.replace(/^[\s:*"'_=]+/, "");
  const line = start.slice(0, 2000).split("\n")[0]!;
  const leading = leadingFormulas(start.slice(0, 2 * MAX_FORMULA));
  if (leading !== null) return leading;
  const clause = sentence(line);
  if (clause === "") return null;
  return fromClause(clause);
}

/** Formulas at the start of a text, with what joins them and a unit behind. */
function leadingFormulas(text: string): string | null {
  const found = formulas(text);
  if (found.length === 0 || found[0]!.start > 0) return null;
  let content = found[0]!.content;
  let end = found[0]!.end;
  for (const formula of found.slice(1)) {
    const joint = /^\s*(,|;|and|or|,\s*and|,\s*or)\s*$/.exec(text.slice(end, formula.start));
    if (!joint) break;
    content += ` ${joint[1]!.includes("or") ? "\\text{ or }" : ","} ${formula.content}`;
    end = formula.end;
  }
  const unit = /^\s?(?:\\?%|percent\b|pct\b|degrees\b|°)/.exec(text.slice(end, end + 12));
  return unit ? `${content} ${unit[0]}` : content;
}

/** Text up to the end of the sentence. A point inside a number, or behind one letter, ends nothing. */
function sentence(text: string): string {
  const plain = text.replace(/\*\*/g, "");
  const end = /(?<![\s(][A-Za-z])[.!?](?=["')\]]*(?:\s|$))|[。！？]/u.exec(plain);
  return (end ? plain.slice(0, end.index) : plain).trim();
}

const REASON = /[\s,;]+(?:because|since|as|which|where|when|after|therefore|hence|thus|so|but|if|for|with|given)\b/i;
const COPULA = /(?:^|\s)(?:is|are|equals|be|:|=)\s+(?!.*\s(?:is|are|equals|be)\s)/i;

function fromClause(clause: string): string {
  const first = clause.split(/\s/, 1)[0]!;
  if (isHedge(first)) return clause;
  if (isMathematics(clause)) return clause;
  const reason = REASON.exec(clause);
  const short = reason ? clause.slice(0, reason.index) : clause;
  if (short !== "" && isMathematics(short)) return short;
  const inner = lastMathematics(short, false);
  return inner ?? short;
}

const NUMBER = String.raw`(?:\d[\d,]*(?:\.\d+)?|\.\d+)`;
/** What plain text shows as mathematics, in order of length. */
const CANDIDATE = new RegExp(
  [
    String.raw`-?\\[dtc]?frac\s?\{[^{}]{1,40}\}\s?\{[^{}]{1,40}\}`,
    String.raw`[([]\s?-?${NUMBER}(?:\s?[,;]\s?-?${NUMBER})+\s?[)\]]`,
    String.raw`\b\d{1,2}:\d{2}(?:\s?[ap]\.?m\.?)?`,
    String.raw`\([A-J]\)`,
    String.raw`(?<![\w)])-?\s?[$€£]?\s?${NUMBER}(?:\s?[/^*]\s?-?${NUMBER})*(?:\s?(?:\\?%|percent\b|pct\b|\\?°|degrees\b|[€£]|\p{L}{1,3}[²³]?(?![\p{L}\d])))?`,
  ].join("|"),
  "gu",
);

/** The last mathematics of a text: behind the last "is" or "are" of its last sentence with a number, else the last formula or number. */
export function lastMathematics(text: string, wantsWords: boolean): string | null {
  const tail = text.slice(-6000);
  const lines = tail.split("\n").filter((line) => line.trim() !== "");
  for (const line of lines.reverse().slice(0, 40)) {
    const found = inLine(line, wantsWords);
    if (found !== null) return found;
  }
  const display = formulas(tail).at(-1);
  return display ? display.content : null;
}

function inLine(line: string, wantsWords: boolean): string | null {
  const sentences = line.split(/(?<=[.!?。])\s+/u).filter((part) => part.trim() !== "");
  for (const part of sentences.reverse().slice(0, 40)) {
    const plain = part.replace(/\*\*|[.!?。]+$/gu, "").trim();
    const found = formulas(plain).at(-1);
    const candidate = lastCandidate(plain);
    if (!found && !candidate && !wantsWords) continue;
    const copula = COPULA.exec(plain);
    const behind = copula ? plain.slice(copula.index + copula[0].length) : null;
    if (behind !== null && (wantsWords || (!found && /\d|\([A-J]\)/.test(behind)))) {
      if (isHedge(behind.split(/\s/, 1)[0]!)) return behind;
      if (wantsWords || isMathematics(behind)) return behind;
    }
    if (found && (!candidate || candidate.at < found.end)) return withUnit(plain, found);
    if (candidate) return candidate.text;
  }
  return null;
}

function withUnit(text: string, { content, end }: Formula): string {
  const unit = /^\s?(?:\\?%|percent\b|pct\b|degrees\b|°)/.exec(text.slice(end, end + 12));
  return unit ? `${content} ${unit[0]}` : content;
}

function lastCandidate(text: string): { at: number; text: string } | null {
  let last: { at: number; text: string } | null = null;
  for (const match of text.slice(-3000).matchAll(CANDIDATE))
    last = { at: Math.max(0, text.length - 3000) + match.index, text: match[0].trim().replace(/,$/, "") };
  return last;
}

/** Whether a text is one JSON object: something written for a program, not an answer. */
export function isJsonObject(text: string): boolean {
  const plain = plainCharacters(text.slice(0, 20_000)).trim();
  return /^\{\s*"/.test(plain) && plain.endsWith("}");
}
