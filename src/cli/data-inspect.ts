import { Command } from "commander";
import type { OverlapPair, OverlapReport } from "../rollout/data/compare.ts";
import type { FileReport } from "../rollout/data/inspect.ts";
import type { ColumnReport } from "../rollout/data/inspect-columns.ts";
import type { LengthSummary } from "../rollout/data/lengths.ts";
import { wholeNumber, withExample, withJson } from "./options.ts";
import { columns, result } from "./output.ts";

interface Options {
  readonly against?: string;
  readonly column?: string;
  readonly model?: string;
  readonly ngram: number;
  readonly json?: boolean;
}

/** `rlvr data inspect FILE` */
export function inspectCommand(): Command {
  const command = new Command("inspect")
    .description("Columns, rows, lengths, duplicates, malformed rows, and what of a file occurs in another one.")
    .argument("<file>", "data file (.jsonl, .json, .parquet, .csv, .tsv), or hub:NAME for what was pulled")
    .option("--against <other>", "a second file, such as that of the evaluation")
    .option("--column <name>", "column of the question (default: guessed from the first row)")
    .option("--ngram <n>", "words in a row that count as shared", wholeNumber(1), 8)
    .option("--model <model>", "count lengths in tokens of this model too")
    .action(inspectAction);
  return withExample(
    withJson(command),
    "rlvr data inspect train.jsonl --model models/smollm2-135m-instruct-gguf",
    "rlvr data inspect hub:gsm8k/train --against hub:gsm8k/test",
  );
}

async function inspectAction(file: string, { against, column, model, ngram, json }: Options): Promise<void> {
  const [{ inspectFile }, { compareFiles }] = await Promise.all([
    import("../rollout/data/inspect.ts"),
    import("../rollout/data/compare.ts"),
  ]);
  const choice = column === undefined ? {} : { column };
  const overlap = against === undefined ? null : await compareFiles(file, against, { n: ngram, ...choice });
  const tokensOf = model === undefined ? {} : { tokensOf: await tokenCounter(model) };
  const report = await inspectFile(file, { ...choice, ...tokensOf });
  result(json, overlap ? { ...report, overlap: { against, ...overlap } } : report, () =>
    [fileText(report), ...(overlap ? [overlapText(overlap, against!)] : [])].join("\n\n"),
  );
}

async function tokenCounter(model: string): Promise<(text: string) => number> {
  const { openModel } = await import("../policy/index.ts");
  const files = openModel(model);
  files.close();
  return (text) => files.tokenizer.encode(text).length;
}

function fileText(report: FileReport): string {
  const { path, rows, malformed, question, preset, duplicates, droppedFields } = report;
  const hasTokens = report.columns.some(({ tokens }) => tokens !== null);
  const head = ["column", "values", "empty", "characters: min", "median", "p95", "max"];
  const tokensHead = hasTokens ? ["tokens: min", "median", "p95", "max"] : [];
  const row = ({ name, types, empty, characters, tokens }: ColumnReport): string[] => [
    name,
    Object.entries(types)
      .map(([type, count]) => (count === rows ? type : `${type} ${count}`))
      .join(", "),
    empty === 0 ? "" : String(empty),
    ...lengthCells(characters),
    ...(hasTokens ? lengthCells(tokens) : []),
  ];
  return [
    `${path}: ${rows} rows`,
    columns([[...head, ...tokensHead], ...report.columns.map(row)]),
    ...(droppedFields > 0 ? [`${droppedFields} more fields under other names are not shown`] : []),
    `question: ${question === null ? "no known column; name it with --column" : `column ${question}`}${preset === null ? "" : ` (columns as in preset ${preset})`}`,
    finding("malformed rows", malformed),
    finding(question === null ? "repeated rows" : "repeated questions", duplicates),
  ].join("\n");
}

function lengthCells(lengths: LengthSummary | null): string[] {
  return lengths === null ? ["", "", "", ""] : [lengths.min, lengths.median, lengths.p95, lengths.max].map(String);
}

function finding(
  name: string,
  { count, first }: { readonly count: number; readonly first: readonly string[] },
): string {
  return [`${name}: ${count}`, ...first.map((text) => `  ${text}`)].join("\n");
}

function overlapText(overlap: OverlapReport, against: string): string {
  const { rows, otherRows, exact, n, stride, ngramShare, halfCovered, worst } = overlap;
  const sample = stride === 1 ? "" : ` (1 of ${stride} was looked at)`;
  return [
    `against ${against}: ${rows} questions, ${otherRows} there`,
    `the same question: ${exact.count}`,
    ...exact.first.map(({ where, other, text }) => `  ${where} = ${other}: ${text}`),
    `runs of ${n} words in common: ${percent(ngramShare)} of all${sample}; ${halfCovered === 1 ? "1 question shares" : `${halfCovered} questions share`} at least half of theirs`,
    ...worst.flatMap(pairText),
  ].join("\n");
}

function pairText({ share, where, text, other, otherText }: OverlapPair): string[] {
  return [`  ${percent(share)}  ${where}: ${text}`, `  ${" ".repeat(percent(share).length)}  ${other}: ${otherText}`];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
