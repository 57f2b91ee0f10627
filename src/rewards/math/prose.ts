import { plainCharacters } from "./characters.ts";
import { formulas, MAX_FORMULA } from "./formulas.ts";
import { isMathematics } from "./readable.ts";
import { isChangedBehind, statedIn } from "./statements.ts";
import { isHedge } from "./words.ts";

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

/** Formulas at the start of a text, with what joins them and a unit behind; `isWhole`: only when nothing else follows. */
export function leadingFormulas(text: string, isWhole = false): string | null {
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
  if (isWhole && !/^[\s.]*$/.test(text.slice(end + (unit?.[0].length ?? 0)))) return null;
  if (!unit && isChangedBehind(text.slice(end, end + 40))) return null;
  return unit ? `${content} ${unit[0]}` : content;
}

/** Text up to the end of the sentence. A point inside a number, or behind one letter, ends nothing. */
function sentence(text: string): string {
  const plain = text.replace(/\*\*/g, "");
  const end = /(?<![\s(][A-Za-z])[.!?](?=["')\]]*(?:\s|$))|[。！？]/u.exec(plain);
  return (end ? plain.slice(0, end.index) : plain).trim();
}

const REASON = /[\s,;]+(?:because|since|as|which|where|after|therefore|hence|thus|so|for|with|given)\b/i;
/** Conditions and remarks: what stands before them counts only when no other number follows. */
const CONDITION = /[\s,;]+(?:but|if|when)\b/i;
const COPULA = /(?:^|\s)(?:is|are|equals|be|:|=)\s+(?!.*\s(?:is|are|equals|be)\s)/i;
/** A remark in brackets that begins with a word. */
const REMARK = /\s+\((?=[a-z]{2,})(?![^()]*\b(?:or|and|not)\b)[^()]*\)/gi;

function fromClause(clause: string): string {
  const first = clause.split(/\s/, 1)[0]!;
  if (isHedge(first)) {
    const but = /\bbut\s+/i.exec(clause);
    return but ? fromClause(clause.slice(but.index + but[0].length)) : clause;
  }
  if (isMathematics(clause)) return clause;
  const short = withoutReason(clause);
  if (short !== "" && isMathematics(short)) return short;
  return statedIn(short, true) ?? short;
}

/** A clause up to its reason, condition or remark. */
function withoutReason(clause: string): string {
  const plain = clause.replace(REMARK, "");
  const reason = REASON.exec(plain);
  const short = reason ? plain.slice(0, reason.index) : plain;
  const condition = CONDITION.exec(short);
  return condition && !/\d/.test(short.slice(condition.index)) ? short.slice(0, condition.index) : short;
}

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
    if (/\?["')]*\s*$/.test(part)) continue; // a question states nothing
    const found = inSentence(part.replace(/\*\*|[.!?。]+$/gu, "").trim(), wantsWords);
    if (found !== null) return found;
  }
  return null;
}

function inSentence(sentence: string, wantsWords: boolean): string | null {
  const stated = statedIn(sentence, false);
  if (stated === null && !wantsWords) return null;
  const copula = COPULA.exec(sentence);
  const behind = copula ? sentence.slice(copula.index + copula[0].length) : null;
  if (behind !== null && (wantsWords || (!behind.includes("$") && /\d|\([A-J]\)/.test(behind)))) {
    if (wantsWords || isHedge(behind.split(/\s/, 1)[0]!)) return behind;
    if (stated !== sentence) {
      for (const clause of [behind, withoutReason(behind)]) if (isMathematics(clause)) return clause;
    }
  }
  return stated;
}

/** Whether a text is one JSON object: something written for a program, not an answer. */
export function isJsonObject(text: string): boolean {
  const plain = plainCharacters(text.slice(0, 20_000)).trim();
  return /^\{\s*"/.test(plain) && plain.endsWith("}");
}
