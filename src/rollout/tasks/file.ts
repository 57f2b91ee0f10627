import { z } from "zod";
import { DataError } from "../../utils/errors.ts";
import { answerField, promptField, readRows } from "../data/index.ts";
import type { Message, TaskSet, TaskSetDef } from "../types.ts";
import { listTaskSet } from "./list.ts";
import { isTestContent, normalisedText } from "./split.ts";

const Options = z.strictObject({
  path: z.string().min(1).describe("JSONL, JSON or Parquet file"),
  prompt: z
    .string()
    .min(1)
    .default("question")
    .describe("column of the question: text, or a conversation [{role, content}, …]"),
  answer: z.string().min(1).default("answer").describe("column of the gold answer: text or a number"),
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
  let row = 0;
  for await (const values of readRows(path)) {
    row++;
    const prompt = promptField(values, options.prompt);
    const answer = answerField(values, options.answer);
    if (isTestContent("file", normalisedText(textOf(prompt)), holdOut) !== (split === "test")) continue;
    problems.push({ prompt, answer, row });
    if (limit !== null && problems.length === limit) break;
  }
  if (problems.length === 0)
    throw new DataError(`${path}: no row is in the ${split} split; change holdOut (${holdOut})`);
  return listTaskSet("file", split, problems, (problem) => ({
    id: `file/${path}/${problem.row}`,
    set: "file",
    prompt: conversation(problem.prompt, system, instruction),
    answer: problem.answer,
    data: {},
  }));
}

function textOf(prompt: string | readonly Message[]): string {
  return typeof prompt === "string" ? prompt : prompt.map(({ role, content }) => `${role}: ${content}`).join("\n");
}

function conversation(prompt: string | readonly Message[], system: string | null, instruction: string): Message[] {
  const before: Message[] = system === null ? [] : [{ role: "system", content: system }];
  if (typeof prompt !== "string") return [...before, ...prompt];
  return [...before, { role: "user", content: `${prompt}${instruction === "" ? "" : `\n${instruction}`}` }];
}
