/** A number as it is written: `text` is `12.5`, `1e400`, or `0.8(3)` for a repeating decimal. */
export interface Numeral {
  readonly text: string;
  readonly end: number;
  /** Significant digits, when there is a decimal point. */
  readonly digits?: number;
}

const isDigit = (character: string | undefined): boolean =>
  character !== undefined && character >= "0" && character <= "9";

function digitsFrom(text: string, at: number): number {
  let end = at;
  while (isDigit(text[end])) end++;
  return end;
}

/** Separators of groups of three digits that are never anything else. */
const SURE = ["{,}\\!", "{,}", ",\\!", "\\,", "\\;", "\\:", "{\\,}", "\\ ", "~"];

/** The separator of digit groups at this place: it stands before exactly three digits. */
function groupSeparator(text: string, at: number, joinCommas: boolean): string | null {
  const candidates = joinCommas ? [...SURE, ",", " "] : SURE;
  for (const separator of candidates) {
    if (!text.startsWith(separator, at)) continue;
    const start = at + separator.length;
    if (digitsFrom(text, start) - start === 3) return separator;
  }
  return null;
}

/** A number that starts here: groups of three digits, a decimal point, a repeating part, an exponent such as e-3; null when there is none. */
export function scanNumber(text: string, at: number, joinCommas: boolean): Numeral | null {
  let end = digitsFrom(text, at);
  let whole = text.slice(at, end);
  if (whole.length >= 1 && whole.length <= 3 && !whole.startsWith("0")) {
    const separator = groupSeparator(text, end, joinCommas);
    for (let next = separator; next !== null && next === separator; next = groupSeparator(text, end, joinCommas)) {
      whole += text.slice(end + next.length, end + next.length + 3);
      end += next.length + 3;
    }
  }
  let part = "";
  let hasPoint = false;
  if (
    text[end] === "." &&
    text[end + 1] !== "." &&
    (isDigit(text[end + 1]) || (whole !== "" && endsNumber(text, end + 1)))
  ) {
    const stop = digitsFrom(text, end + 1);
    part = text.slice(end + 1, stop);
    hasPoint = part !== "" || repeatingPart(text, stop) !== null;
    end = stop;
  }
  if (whole === "" && part === "") return null;
  const repeating = hasPoint ? repeatingPart(text, end) : null;
  if (repeating) return { text: `${whole || "0"}.${part}${repeating.before}(${repeating.digits})`, end: repeating.end };
  const exponent = /^[eE][-+]?\d{1,6}(?![\d.A-Za-z])/.exec(text.slice(end, end + 12))?.[0] ?? "";
  const digits = (whole + part).replace(/^0+/, "").length;
  return {
    text: `${whole || "0"}${part === "" ? "" : `.${part}`}${exponent.toLowerCase()}`,
    end: end + exponent.length,
    ...(part === "" ? {} : { digits }),
  };
}

/** Whether a point after a number may be its end: `5.`, `5. `, `0.\overline{3}`, `0.(3)`. */
function endsNumber(text: string, at: number): boolean {
  return at >= text.length || " ,)}]$".includes(text[at]!) || repeatingPart(text, at) !== null;
}

interface Repeating {
  readonly before: string;
  readonly digits: string;
  readonly end: number;
}

/** `\overline{18}`, `\bar3`, `\dot{3}`, `\dot{1}4\dot{2}`, `(3)`. */
function repeatingPart(text: string, at: number): Repeating | null {
  const window = text.slice(at, at + 80);
  const line = /^\\(?:overline|bar)\s*(?:\{(\d{1,30})\}|(\d))/.exec(window);
  if (line) return { before: "", digits: line[1] ?? line[2]!, end: at + line[0].length };
  const dots = /^\\dot\s*\{?(\d)\}?(?:(\d{0,30})\\dot\s*\{?(\d)\}?)?/.exec(window);
  if (dots) return { before: "", digits: `${dots[1]}${dots[2] ?? ""}${dots[3] ?? ""}`, end: at + dots[0].length };
  const brackets = /^\((\d{1,30})\)/.exec(window);
  return brackets && /\.\d*$/.test(text.slice(Math.max(0, at - 40), at))
    ? { before: "", digits: brackets[1]!, end: at + brackets[0].length }
    : null;
}

/** A number in a base: `1011_2`, `1A3_{16}`, `204_{\text{five}}` is left to the parser. Null when there is none. */
export function scanBased(text: string, at: number): { digits: string; base: number; end: number } | null {
  const match = /^([0-9A-F]{1,200})(\})?_\{?(\d{1,2})\}?(?!\d)/.exec(text.slice(at, at + 210));
  if (
    !match ||
    (!/\d/.test(match[1]!) && !/^..+_\{?16/.test(match[0])) ||
    (at > 0 && /[\dA-Za-z.\\]/.test(text[at - 1]!))
  )
    return null;
  const base = Number(match[3]);
  if (base < 2 || base > 16 || match[2]) return null;
  const fits = [...match[1]!].every((digit) => Number.parseInt(digit, 16) < base);
  return fits ? { digits: match[1]!.replace(/^0+(?=.)/, ""), base, end: at + match[0].length } : null;
}
