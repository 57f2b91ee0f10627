import { z } from "zod";
import { DataError } from "../../utils/errors.ts";
import { fieldOf, isEmpty, questionKey, type Row, readRows, textField } from "../data/index.ts";

/** Options of the task set `file` that leave rows out. */
export const FilterOptions = z.strictObject({
  length: z
    .strictObject({
      min: z.int().min(0).default(0).describe("shortest question"),
      max: z.int().min(1).nullable().default(null).describe("longest question"),
      tokenizer: z
        .string()
        .min(1)
        .nullable()
        .default(null)
        .describe("model whose tokens are counted, the chat template not included; null: characters are counted"),
    })
    .refine(({ min, max }) => max === null || min <= max, "min must be at most max")
    .nullable()
    .default(null)
    .describe("leave out questions that are shorter or longer"),
  difficulty: z
    .strictObject({
      file: z.string().min(1).describe("what rlvr data difficulty wrote with -o"),
      min: z.number().min(0).max(1).default(0).describe("smallest pass rate"),
      max: z.number().min(0).max(1).default(1).describe("largest pass rate"),
    })
    .refine(({ min, max }) => min <= max, "min must be at most max")
    .nullable()
    .default(null)
    .describe("leave out questions that a model solves more or less often than this, and those without an estimate"),
  dedup: z
    .boolean()
    .default(true)
    .describe("leave out questions that occurred before; blanks and capital letters make no difference"),
  skipEmpty: z
    .boolean()
    .default(false)
    .describe("leave out rows without a question or an answer, instead of refusing the file"),
});
type FilterOptions = z.infer<typeof FilterOptions>;

/** A question that may be left out. */
interface Candidate {
  readonly text: string;
  readonly answer: string;
  readonly where: string;
}

/** Decides row by row, and counts what was left out. */
export interface Filter {
  /** Whether to pass over a row that has no question or no answer. */
  skipsEmpty(row: Row, columns: { question: string; answer: string; skipEmpty: boolean }): boolean;
  keeps(candidate: Candidate): boolean;
  /** What was left out so far, in words. */
  notes(path: string): string[];
}

/** Makes the filter of a task set. @throws DataError when the tokenizer's model cannot be opened */
export async function openFilter(options: FilterOptions): Promise<Filter> {
  const empty = new LeftOut();
  const long = new LeftOut();
  const twice = new LeftOut();
  const otherAnswer = new LeftOut();
  const unrated = new LeftOut();
  const unfit = new LeftOut();
  const rates = options.difficulty && (await passRates(options.difficulty.file));
  const lengthOf = await lengthMeasure(options.length);
  const answers = new Map<string, string>();
  const isNew = ({ text, answer, where }: Candidate): boolean => {
    const key = questionKey(text);
    const before = answers.get(key);
    if (before === undefined) answers.set(key, answer);
    else twice.add(where);
    if (before !== undefined && before !== answer) otherAnswer.add(where);
    return before === undefined;
  };
  const fits = ({ text, where }: Candidate): boolean => {
    if (options.length === null) return true;
    const length = lengthOf(text);
    const isFit = length >= options.length.min && length <= (options.length.max ?? Number.POSITIVE_INFINITY);
    if (!isFit) long.add(where);
    return isFit;
  };
  const isRated = ({ text, where }: Candidate): boolean => {
    if (!rates) return true;
    const rate = rates.get(questionKey(text));
    const { min, max } = options.difficulty!;
    if (rate === undefined) unrated.add(where);
    else if (rate < min || rate > max) unfit.add(where);
    else return true;
    return false;
  };
  return {
    skipsEmpty(row, { question, answer, skipEmpty }) {
      const skips = (options.skipEmpty || skipEmpty) && (isEmpty(row, question) || isEmpty(row, answer));
      if (skips) empty.add(row.where);
      return skips;
    },
    keeps: (candidate) => fits(candidate) && isRated(candidate) && (!options.dedup || isNew(candidate)),
    notes: (path) => [
      ...empty.note(path, "without a question or an answer left out"),
      ...long.note(path, `left out by length (${rangeText(options.length)})`),
      ...unfit.note(path, `left out by pass rate (${options.difficulty?.min} to ${options.difficulty?.max})`),
      ...unrated.note(path, `left out without an estimate in ${options.difficulty?.file}`),
      ...twice.note(path, "left out that ask the same as an earlier one"),
      ...otherAnswer.note(path, "of these have another answer than the earlier one: which is right?"),
    ],
  };
}

/** How many rows were left out for one reason, and the first of them. */
class LeftOut {
  #count = 0;
  #first = "";

  add(where: string): void {
    if (this.#count++ === 0) this.#first = where;
  }

  note(path: string, what: string): string[] {
    if (this.#count === 0) return [];
    const first = this.#first.startsWith(`${path}, `) ? this.#first.slice(path.length + 2) : this.#first;
    return [`${path}: ${this.#count} row${this.#count === 1 ? "" : "s"} ${what} (first: ${first})`];
  }
}

/** Pass rates by the key of their question. @throws DataError when the file is not one of these */
async function passRates(file: string): Promise<ReadonlyMap<string, number>> {
  const rates = new Map<string, number>();
  for await (const row of readRows(file, "make it with: npx rlvr data difficulty MODEL --tasks FILE -o FILE")) {
    const rate = fieldOf(row, "passRate");
    if (rate === null) continue; // no sample could be judged
    if (typeof rate !== "number" || !(rate >= 0 && rate <= 1))
      throw new DataError(`${row.where}, field "passRate": must be a number from 0 to 1, got ${JSON.stringify(rate)}`);
    rates.set(textField(row, "question"), rate);
  }
  return rates;
}

async function lengthMeasure(length: FilterOptions["length"]): Promise<(text: string) => number> {
  if (!length?.tokenizer) return (text) => text.length;
  const { openModel } = await import("../../policy/index.ts"); // only here: it brings the runtime with it
  const files = openModel(length.tokenizer);
  files.close();
  return (text) => files.tokenizer.encode(text).length;
}

function rangeText(length: FilterOptions["length"]): string {
  if (length === null) return "";
  const unit = length.tokenizer === null ? "characters" : `tokens of ${length.tokenizer}`;
  return length.max === null ? `at least ${length.min} ${unit}` : `${length.min} to ${length.max} ${unit}`;
}
