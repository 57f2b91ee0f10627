/** Longest observation that a simulator's world passes on, characters. The longest that were seen are below 10,000. */
const MAX_OBSERVATION = 50_000;
/** Longest action that is sent to a simulator, characters. The longest admissible ones are below 200. */
const MAX_ACTION = 500;

/**
 * An action that no protocol can trip over: every run of blanks, line breaks and control characters is one space, none at the ends; what follows the
 * 500th character is cut off; a half character (lone surrogate) is replaced.
 */
export function cleanAction(text: string): string {
  const head = text.slice(0, 100 * MAX_ACTION).replace(/[\s\p{Cc}\u2028\u2029]+/gu, " ");
  return head
    .trim()
    .slice(0, MAX_ACTION)
    .replace(/\p{Cs}/gu, "\ufffd");
}

/** An observation of bounded length; how much was left out stands at its end. */
export function boundObservation(text: string): string {
  if (text.length <= MAX_OBSERVATION) return text;
  return `${text.slice(0, MAX_OBSERVATION)}\n[… ${text.length - MAX_OBSERVATION} more characters]`;
}
