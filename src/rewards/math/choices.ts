import type { Read } from "./equivalent.ts";

const OPTION = /^\(?([a-j])\)?$/;
const OPTION_AND_VALUE = /^\(([a-j])\)|^([a-j])[).:]\s/;

/** The letter of a gold answer that names an option: `A`, `(A)`, `\text{(A)}`, `\textbf{(A)}\ 17`; null for all others. A small letter alone is a variable. */
export function choiceOf({ words, text }: Read): string | null {
  const marked = /^\([a-j]\)(?![a-z\d])/.exec(words);
  if (marked && !/^\([a-j]\)\s*[-+*/^=,]/.test(words)) return marked[0][1]!;
  const letter = OPTION.exec(words)?.[1];
  return letter !== undefined &&
    /(?:^|[^A-Za-z\\])[A-J](?![A-Za-z])/.test(text.replace(/\\(?:text|mathrm|textbf|mathbf)/g, " "))
    ? letter
    : null;
}

/** The option that an answer names: `A`, `(a)`, `A. 17`, `option A`; null when it names none or several. */
export function readChoice({ words }: Read): string | null {
  const plain = words.replace(/^(?:the )?(?:correct )?(?:option|choice|answer)(?: is)?:? /, "");
  const only = OPTION.exec(plain);
  if (only) return only[1]!;
  const first = OPTION_AND_VALUE.exec(plain);
  if (!first) return null;
  return /\([a-j]\)|\b(?:or|and)\b|,\s*\(?[a-j]\)?$/.test(plain.slice(first[0].length))
    ? null
    : (first[1] ?? first[2])!;
}
