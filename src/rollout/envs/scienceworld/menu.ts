/** First line of the question which of several actions was meant. */
const QUESTION = /^Ambiguous request/;
const CHOICE = /^(\d+):\t(.*)$/;

/** The actions by their numbers when an observation asks which was meant; null when it doesn't. */
export function menuOf(observation: string): ReadonlyMap<string, string> | null {
  if (!QUESTION.test(observation)) return null;
  const lines = observation.split("\n").map((line) => CHOICE.exec(line));
  return new Map(lines.flatMap((match) => (match ? [[match[1]!, match[2]!] as const] : [])));
}

/** Whether two questions offer the same actions. Their numbers follow hash codes of the JVM and differ from run to run. */
export function isSameMenu(expected: string, got: string): boolean {
  const [one, other] = [menuOf(expected), menuOf(got)];
  if (!one || !other) return false;
  const texts = (menu: ReadonlyMap<string, string>): string => [...menu.values()].sort().join("\n");
  return texts(one) === texts(other);
}

/** The number that chooses now what a number chose in the recording; any other text is itself. */
export function sameChoice(action: string, recorded: string, now: string): string {
  const chosen = menuOf(recorded)?.get(action.trim());
  if (chosen === undefined) return action;
  for (const [number, text] of menuOf(now) ?? []) if (text === chosen) return number;
  return action;
}
