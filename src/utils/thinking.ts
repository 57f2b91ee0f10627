/** What follows the last `</think>`, the whole text when there is none; up to a `<think>` that is never closed. */
export function afterThinking(text: string): string {
  const end = text.lastIndexOf("</think>");
  const rest = end < 0 ? text : text.slice(end + "</think>".length);
  const open = rest.indexOf("<think>");
  return open < 0 ? rest : rest.slice(0, open);
}
