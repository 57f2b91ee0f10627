import type { Tokenizer } from "../../policy/index.ts";

/** Stands where text was left out. */
const GAP = " […] ";

/**
 * A text of at most `budget` tokens: its beginning and its end, about two thirds and one third, with a mark between them. Cut between characters, so a
 * token more or less may be had elsewhere; never more than the budget.
 */
export function truncateToTokens(tokenizer: Tokenizer, text: string, budget: number): string {
  if (text.length <= budget || tokenizer.encodePlain(text).length <= budget) return text;
  const cut = (kept: number): string => {
    const head = Math.ceil((kept * 2) / 3);
    return whole(text.slice(0, head)) + GAP + whole(text.slice(text.length - (kept - head)));
  };
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (tokenizer.encodePlain(cut(middle)).length <= budget) low = middle;
    else high = middle - 1;
  }
  if (low > 0) return cut(low);
  return tokenizer.encodePlain(GAP).length <= budget ? GAP : "";
}

/** Without half a surrogate pair at an end. */
function whole(text: string): string {
  return text.replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, "");
}
