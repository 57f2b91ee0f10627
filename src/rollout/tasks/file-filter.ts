import { z } from "zod";
import { sha256 } from "../../utils/hash.ts";
import { isEmpty, type Row, sameQuestion } from "../data/index.ts";

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
  const lengthOf = await lengthMeasure(options.length);
  const answers = new Map<string, string>();
  const isNew = ({ text, answer, where }: Candidate): boolean => {
    const key = sha256(sameQuestion(text)).slice(0, 24);
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
  return {
    skipsEmpty(row, { question, answer, skipEmpty }) {
      const skips = (options.skipEmpty || skipEmpty) && (isEmpty(row, question) || isEmpty(row, answer));
      if (skips) empty.add(row.where);
      return skips;
    },
    keeps: (candidate) => fits(candidate) && (!options.dedup || isNew(candidate)),
    notes: (path) => [
      ...empty.note(path, "without a question or an answer left out"),
      ...long.note(path, `left out by length (${rangeText(options.length)})`),
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
