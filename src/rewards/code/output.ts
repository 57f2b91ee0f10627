/** How a program's output is compared with the expected one. */
export interface OutputComparison {
  /** `tokens`: words line by line; `lines`: without blanks at the ends of lines; `exact`: every byte. Blank lines at the end never count, but for `exact`. */
  readonly compare: "tokens" | "lines" | "exact";
  /** With `tokens`: numbers may differ by this much, absolutely or relative to the expected one; 0 = compared as text. */
  readonly tolerance: number;
}

/** Is this the expected output? */
export function sameOutput(got: string, expected: string, { compare, tolerance }: OutputComparison): boolean {
  if (compare === "exact") return got === expected;
  const [a, b] = [trimmedLines(got), trimmedLines(expected)];
  if (a.length !== b.length) return false;
  if (compare === "lines") return a.every((line, i) => line === b[i]);
  return a.every((line, i) => sameTokens(line, b[i]!, tolerance));
}

function trimmedLines(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trimEnd());
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

function sameTokens(a: string, b: string, tolerance: number): boolean {
  const [got, expected] = [a, b].map((line) => line.split(/\s+/).filter((token) => token !== "")) as [
    string[],
    string[],
  ];
  return (
    got.length === expected.length &&
    got.every((token, i) => token === expected[i] || close(token, expected[i]!, tolerance))
  );
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

function close(got: string, expected: string, tolerance: number): boolean {
  if (tolerance === 0 || !NUMBER.test(got) || !NUMBER.test(expected)) return false;
  const [x, y] = [Number(got), Number(expected)];
  return Number.isFinite(y) && Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(y));
}
