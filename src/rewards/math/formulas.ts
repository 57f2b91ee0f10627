/** A piece of mathematics between delimiters. */
export interface Formula {
  readonly start: number;
  readonly end: number;
  readonly content: string;
}

/** Longer ones are not looked for. */
export const MAX_FORMULA = 3000;

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
