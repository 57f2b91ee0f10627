const PART = String.raw`\s?(?:\{\s?([-+−]?)(\d[\d,]{0,30}(?:\.\d{1,30})?)\s?\}|(\d))`;
const FRACTION = new RegExp(String.raw`\\[cdt]?frac${PART}${PART}`, "gu");

/** Commands that only set type or space, and what stands for them. */
const COMMANDS: readonly (readonly [RegExp, string])[] = [
  [/\\(?:[,;:!]|left(?![a-z])|right(?![a-z])|displaystyle(?![a-z])|limits(?![a-z]))/g, ""],
  [/\\(?:[ ()[\]]|q?quad(?![a-z]))|~/g, " "],
  [/\\(?=[$%#&])/g, ""],
  [/\{,\}/g, ","],
  [/\{\}/g, ""],
  [/\\(?:text|textbf|textit|textnormal|textrm|mathrm|mathbf|mbox|operatorname|bf|rm)\s?\{([^{}\\]{0,200})\}/g, " $1 "],
  [/\\(?:times|cdot)(?![a-z])/g, "×"],
  [/\\approx(?![a-z])/g, "="],
  [/\^\s?(?:\{\s?\\circ\s?\}|\\circ)/g, "°"],
];

/**
 * LaTeX as plain text, so far as numbers need it: `8{,}629` → `8,629`, `2\frac{1}{2}` → `2 1/2`, `5\text{ cm}` → `5 cm`. What it does not know stays,
 * backslash and all, so that readers can refuse it. Linear in the text.
 */
export function plainMath(text: string): string {
  if (!/[\\~{]/.test(text)) return text;
  const typed = COMMANDS.reduce((plain, [pattern, by]) => plain.replaceAll(pattern, by), text);
  return typed.replaceAll(FRACTION, (...match) => {
    const [, sign, above, digit, signBelow, below, digitBelow] = match as (string | undefined)[];
    const at = match[7] as number;
    const gap = /\d/.test(typed[at - 1] ?? "") ? " " : "";
    const isNegative = /[-−]/.test(sign ?? "") !== /[-−]/.test(signBelow ?? "");
    return `${gap}${isNegative ? "-" : ""}${above ?? digit}/${below ?? digitBelow}`;
  });
}
