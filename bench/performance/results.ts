import type { Row, Spread } from "./summary.ts";

const HEADER = ["", "s", "tokens/s", "GFLOP/s", "of the peak", "peak GB", "first s", "rlvr is … times as fast"];

/** Rows of a case as a Markdown table. */
export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.name,
    triple(row.seconds, (s) => s.toPrecision(3)),
    row.tokensPerSecond === null ? "" : row.tokensPerSecond.toFixed(0),
    row.gflops === null ? "" : row.gflops.toFixed(row.gflops < 10 ? 1 : 0),
    row.peakShare === null ? "" : `${(100 * row.peakShare).toFixed(0)} %`,
    row.memoryGb === null ? "" : row.memoryGb.toFixed(2),
    row.firstSeconds === null ? "" : row.firstSeconds.toFixed(1),
    row.ratio === null ? "" : triple(row.ratio, (x) => x.toFixed(2)),
  ]);
  return [HEADER, HEADER.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The median, with smallest and largest value in brackets where they say more. */
function triple({ min, median, max }: Spread, text: (x: number) => string): string {
  return min === max ? text(median) : `**${text(median)}** (${text(min)}–${text(max)})`;
}

/** What a section of the results begins with. */
export interface Section {
  readonly name: string;
  readonly what: string;
  /** Lines under the table: date, machine, versions, what was left out. */
  readonly facts: readonly string[];
  readonly table: string;
}

const TITLE = `# Results of \`npm run bench\`

Written by \`npm run bench -- --write\`, which replaces the sections of the cases that it ran. [README.md](README.md) says what the cases are and how to read the ratio.
`;

/** The text of a results file with one section replaced, or added at the end. */
export function withSection(text: string, { name, what, facts, table }: Section): string {
  const section = [`## ${name}`, "", `${what}.`, "", table, "", facts.map((fact) => `- ${fact}`).join("\n"), ""].join(
    "\n",
  );
  const [, ...old] = text.split(/^(?=## )/m);
  const sections = old.map((part) => `${part.trimEnd()}\n`);
  const at = sections.findIndex((part) => part.startsWith(`## ${name}\n`));
  if (at < 0) sections.push(section);
  else sections[at] = section;
  return [TITLE, ...sections].join("\n");
}
