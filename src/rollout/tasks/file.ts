import { z } from "zod";
import { DataError } from "../../utils/errors.ts";
import {
  type ColumnPreset,
  dataSource,
  type GoldForm,
  goldAnswer,
  guessPreset,
  PRESET_NAMES,
  PRESETS,
  promptField,
  questionText,
  type Row,
  readRows,
} from "../data/index.ts";
import type { Message, TaskSet, TaskSetDef } from "../types.ts";
import { FilterOptions, openFilter } from "./file-filter.ts";
import { listTaskSet } from "./list.ts";
import { isTestContent, normalisedText } from "./split.ts";

const column = z.string().min(1).nullable().default(null);

const Options = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe(
      "JSONL, JSON, Parquet, CSV or TSV file; or hub:NAME, hub:NAME/test, hub:ORG/NAME/PATTERN for what rlvr data pull brought",
    ),
  preset: z
    .enum(PRESET_NAMES)
    .nullable()
    .default(null)
    .describe("columns of a known data set; null: guessed from the columns of the first row"),
  prompt: column.describe(
    "column of the question: text, or a conversation [{role, content}, …]; null: that of the preset",
  ),
  answer: column.describe("column of the gold answer: text or a number; null: that of the preset"),
  system: z.string().nullable().default(null).describe("system message before every question"),
  instruction: z.string().default("").describe("follows every question that is a text"),
  split: z
    .enum(["train", "test"])
    .default("train")
    .describe("of the file, disjoint by a hash of the question's text; see holdOut"),
  holdOut: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("share of the questions in the test split; 0: all are train, 1: all are test"),
  ...FilterOptions.shape,
  limit: z.int().min(1).nullable().default(null).describe("use only so many problems, the first ones"),
});
type Options = z.infer<typeof Options>;

interface Problem {
  readonly prompt: string | readonly Message[];
  readonly answer: string;
  readonly row: number;
}

/** Questions with gold answers from a data file of any origin. Columns may be nested: `reward_model.ground_truth`. */
export const file: TaskSetDef<typeof Options> = {
  name: "file",
  options: Options,
  open: (options) => openFile(options),
};

async function openFile(options: Options): Promise<TaskSet> {
  const { path, split, holdOut, limit, system, instruction } = options;
  const problems: Problem[] = [];
  const filter = await openFilter(options);
  let columns: Columns | null = null;
  let row = 0;
  const { paths, set } = dataSource(path);
  for await (const values of allRows(paths)) {
    row++;
    columns ??= columnsOf(values, { ...options, preset: options.preset ?? set?.preset ?? null });
    if (filter.skipsEmpty(values, columns)) continue;
    const prompt = promptField(values, columns.question);
    const answer = goldAnswer(values, columns.answer, columns.gold);
    const text = questionText(prompt);
    if (isTestContent("file", normalisedText(text), holdOut) !== (split === "test")) continue;
    if (!filter.keeps({ text, answer, where: values.where })) continue;
    problems.push({ prompt, answer, row });
    if (limit !== null && problems.length === limit) break;
  }
  const notes = [...(columns?.notes ?? []), ...filter.notes(path)];
  if (problems.length === 0) {
    const why = filter.notes(path).join("; ");
    throw new DataError(`${path}: no row is in the ${split} split; change holdOut (${holdOut})${why && `. ${why}`}`);
  }
  const tasks = listTaskSet("file", split, problems, (problem) => ({
    id: `file/${path}/${problem.row}`,
    set: "file",
    prompt: conversation(problem.prompt, system, instruction),
    question: questionText(problem.prompt),
    answer: problem.answer,
    data: {},
  }));
  return { ...tasks, notes };
}

async function* allRows(paths: readonly string[]): AsyncGenerator<Row> {
  for (const path of paths) yield* readRows(path);
}

/** Where a row's question and gold answer stand. */
interface Columns {
  readonly question: string;
  readonly answer: string;
  readonly gold: GoldForm;
  readonly skipEmpty: boolean;
  readonly notes: readonly string[];
}

function columnsOf(first: Row, { path, preset, prompt, answer }: Options): Columns {
  const guess = preset === null && (prompt === null || answer === null) ? guessPreset(first) : null;
  const base: ColumnPreset = preset === null ? (guess ?? PRESETS.plain) : PRESETS[preset];
  const question = prompt ?? base.question;
  const chosen = answer ?? base.answer;
  // a column that the user names holds the answer itself, unless the preset is the user's choice too
  const gold = answer === null || preset !== null ? base.gold : "whole";
  if (preset === null && guess === null && prompt === null && answer === null) {
    const names = Object.keys(first.values).slice(0, 20).join(", ");
    throw new DataError(
      `${first.where}: which columns hold question and answer? The row has ${names || "none"}; set prompt and answer, or preset (${PRESET_NAMES.join(", ")})`,
    );
  }
  const notes = guess
    ? [`${path}: the question is in column ${question}, the answer in ${chosen}${GOLD_WORDS[gold]} (guessed)`]
    : [];
  return { question, answer: chosen, gold, skipEmpty: preset !== null && base.skipEmpty, notes };
}

const GOLD_WORDS: Readonly<Record<GoldForm, string>> = {
  whole: "",
  "after-hashes": " after ####",
  "last-box": " in the last \\boxed{}",
};

function conversation(prompt: string | readonly Message[], system: string | null, instruction: string): Message[] {
  const before: Message[] = system === null ? [] : [{ role: "system", content: system }];
  if (typeof prompt !== "string") return [...before, ...prompt];
  return [...before, { role: "user", content: `${prompt}${instruction === "" ? "" : `\n${instruction}`}` }];
}
