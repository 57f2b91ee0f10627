/** Controls, zero-width characters, direction marks, soft hyphens, byte order marks, selectors of glyph variants. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Variation_Selector}]|\u034f/gu;
const BLANKS = /[\t\r\n\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/gu;

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ";
const PLAIN_SUPERSCRIPTS = "0123456789+-()ni";
const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₙ";
const PLAIN_SUBSCRIPTS = "0123456789+-()n";

/** Single characters that stand for a command or an ASCII sign. */
const SIGNS: Readonly<Record<string, string>> = {
  "−": "-",
  "–": "-",
  "—": "-",
  "﹣": "-",
  "－": "-",
  "‐": "-",
  "‑": "-",
  "×": "\\times ",
  "·": "\\cdot ",
  "⋅": "\\cdot ",
  "∙": "\\cdot ",
  "•": "\\cdot ",
  "∗": "*",
  "÷": "/",
  "∕": "/",
  "⁄": "/",
  "±": "\\pm ",
  "∓": "\\mp ",
  "√": "\\surd ",
  "∛": "\\sqrt[3]",
  "∞": "\\infty ",
  "°": "^\\circ ",
  º: "^\\circ ",
  "˚": "^\\circ ",
  "≤": "\\le ",
  "⩽": "\\le ",
  "≦": "\\le ",
  "≥": "\\ge ",
  "⩾": "\\ge ",
  "≧": "\\ge ",
  "≠": "\\ne ",
  "≈": "\\approx ",
  "≃": "\\approx ",
  "≡": "\\equiv ",
  "∈": "\\in ",
  "∉": "\\notin ",
  "∪": "\\cup ",
  "∩": "\\cap ",
  "∖": "\\setminus ",
  "∅": "\\emptyset ",
  "∧": "\\land ",
  "∨": "\\lor ",
  ℝ: "\\mathbb{R}",
  ℤ: "\\mathbb{Z}",
  ℕ: "\\mathbb{N}",
  ℚ: "\\mathbb{Q}",
  ℂ: "\\mathbb{C}",
  π: "\\pi ",
  θ: "\\theta ",
  α: "\\alpha ",
  β: "\\beta ",
  γ: "\\gamma ",
  δ: "\\delta ",
  λ: "\\lambda ",
  μ: "\\mu ",
  φ: "\\phi ",
  ϕ: "\\phi ",
  ω: "\\omega ",
  ε: "\\epsilon ",
  σ: "\\sigma ",
  ρ: "\\rho ",
  τ: "\\tau ",
  "′": "'",
  "’": "'",
  "‘": "'",
  "“": '"',
  "”": '"',
  "⟨": "\\langle ",
  "⟩": "\\rangle ",
  "∠": "\\angle ",
  "…": "\\dots ",
  "⋯": "\\dots ",
  "∑": "\\sum ",
  "∏": "\\prod ",
  "→": "\\to ",
  "、": ",",
  "，": ",",
  "；": ";",
  "：": ":",
  "。": ".",
  "（": "(",
  "）": ")",
  "％": "%",
  "＝": "=",
  "＋": "+",
};

const VULGAR = /\p{No}/u;
const OTHER_DIGIT = /\p{Nd}/u;

/** Value of a decimal digit of any script: digits stand in runs of ten. */
function digitValue(character: string): string {
  const code = character.codePointAt(0)!;
  let before = 0;
  while (before < 60 && OTHER_DIGIT.test(String.fromCodePoint(code - before - 1))) before++;
  return String(before % 10);
}

/** What one character beyond ASCII stands for. */
function plain(character: string): string {
  const sign = SIGNS[character];
  if (sign !== undefined) return sign;
  const compatible = character.normalize("NFKC");
  if (/^[\x20-\x7e]$/.test(compatible)) return compatible;
  if (OTHER_DIGIT.test(character)) return digitValue(character);
  if (VULGAR.test(character) && /^\d*⁄\d+$/.test(compatible)) return ` \\frac{${compatible.replace("⁄", "}{")}}`; // ½
  if (/^[ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ]$/u.test(character)) return String(character.codePointAt(0)! - 0x215f);
  return SIGNS[compatible] ?? character;
}

/** Runs of raised or lowered signs as `^{…}` or `_{…}`. */
function unraise(text: string): string {
  const shift = (run: string, from: string, to: string): string =>
    [...run].map((sign) => to[[...from].indexOf(sign)]).join("");
  return text
    .replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ]+/gu, (run) => `^{${shift(run, SUPERSCRIPTS, PLAIN_SUPERSCRIPTS)}}`)
    .replace(/[₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₙ]+/gu, (run) => `_{${shift(run, SUBSCRIPTS, PLAIN_SUBSCRIPTS)}}`);
}

/**
 * An answer in ASCII as far as it goes: invisible characters are dropped, blanks are spaces, digits of all scripts are 0–9, and signs such as
 * `≤`, `√`, `π`, `½`, `²` are the LaTeX that stands for them.
 */
export function plainCharacters(text: string): string {
  const visible = text.replace(BLANKS, " ").replace(INVISIBLE, "");
  if (/^[\x20-\x7e]*$/.test(visible)) return visible;
  let out = "";
  for (const character of unraise(visible)) out += character < "\x7f" ? character : plain(character);
  return out;
}
