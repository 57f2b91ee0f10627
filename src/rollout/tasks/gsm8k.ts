import { join } from "node:path";
import { z } from "zod";
import { DataError } from "../../utils/errors.ts";
import { dataSource, goldAnswer, readRows, textField } from "../data/index.ts";
import type { TaskSet, TaskSetDef } from "../types.ts";
import { listTaskSet } from "./list.ts";
import { normalisedText } from "./split.ts";

const Options = z.strictObject({
  split: z.enum(["train", "test"]).default("train").describe("the data set's own splits"),
  path: z
    .string()
    .nullable()
    .default(null)
    .describe(
      "JSONL, JSON or Parquet file with question and answer, {split} in it stands for the split; null: gsm8k/{split}.jsonl in the folder RLVR_DATA, else what rlvr data pull gsm8k brought",
    ),
  instruction: z
    .string()
    .default("Solve it step by step. End with a line of the form: #### number")
    .describe("follows the question: how the answer is to be written"),
  limit: z.int().min(1).nullable().default(null).describe("use only so many problems, the first ones"),
});
type Options = z.infer<typeof Options>;

interface Problem {
  readonly question: string;
  readonly answer: string;
}

/**
 * GSM8K (arXiv:2110.14168), 7,473 / 1,319 word problems, from a local file: it is not part of this package. The gold number stands after
 * `####` in the answer. A question of `train` that occurs in the file of `test` is left out.
 */
export const gsm8k: TaskSetDef<typeof Options> = {
  name: "gsm8k",
  options: Options,
  open: (options) => openGsm8k(options),
};

async function openGsm8k(options: Options): Promise<TaskSet> {
  const { split, limit, instruction } = options;
  const path = options.path ?? defaultPath();
  const problems = await readProblems(fileOf(path, split));
  const hasTwo = split === "train" && path.includes(PLACE);
  const other = hasTwo ? await readProblems(fileOf(path, "test")) : [];
  const tested = new Set(other.map(({ question }) => normalisedText(question)));
  const used = problems.filter(({ question }) => !tested.has(normalisedText(question))).slice(0, limit ?? undefined);
  if (used.length === 0)
    throw new DataError(`${fileOf(path, split)}: holds no problem${hasTwo ? " that is not in the test file" : ""}`);
  return listTaskSet("gsm8k", split, used, ({ question, answer }, index) => ({
    id: `gsm8k/${split}/${index}`,
    set: "gsm8k",
    prompt: [{ role: "user", content: `${question}\n${instruction}`.trim() }],
    question,
    answer,
    data: {},
  }));
}

/** Stands for the split in a path. */
const PLACE = "{split}";

function fileOf(path: string, split: string): string {
  return path.replaceAll(PLACE, split);
}

function defaultPath(): string {
  const folder = process.env.RLVR_DATA;
  if (folder) return join(folder, "gsm8k", `${PLACE}.jsonl`);
  try {
    dataSource("hub:gsm8k");
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new DataError(
      "gsm8k: the problems are not here: bring them with: npx rlvr data pull gsm8k; or set the option path to a file, or RLVR_DATA to the folder that holds gsm8k/train.jsonl and gsm8k/test.jsonl",
      { cause: error },
    );
  }
  return `hub:gsm8k/${PLACE}`;
}

async function readProblems(path: string): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const part of dataSource(path).paths) {
    for await (const row of readRows(part, "set the option path, or RLVR_DATA to the folder that holds gsm8k/"))
      problems.push({ question: textField(row, "question"), answer: goldAnswer(row, "answer", "after-hashes") });
  }
  return problems;
}
