import { answerField, fieldOf, type Row } from "../rollout/data/index.ts";
import { taskOfRow } from "../rollout/tasks/generated/index.ts";
import type { Json, Task } from "../rollout/types.ts";
import { DataError, messageOf } from "../utils/errors.ts";

/** One answer to be judged, and where it comes from. */
export interface Item {
  readonly id: string;
  /** Counted from 0 within the row. */
  readonly candidate: number;
  readonly task: Task;
  readonly text: string;
  /** Whether the row says that the answer is right; null when it does not say. */
  readonly isRight: boolean | null;
  /** Group in which the row's label is counted: `certain`, `convention`, or "labelled". */
  readonly group: string;
}

/**
 * The answers of a row. With `candidates` (rows of generated tasks and of countdown) each is put into an answer tag; with `gold` the row's `answer` is the
 * completion; with `text` that is the completion and `answer`, when there is one, the gold answer.
 * @throws DataError naming file, line and field
 */
export function itemsOf(row: Row): readonly Item[] {
  if ("candidates" in row.values) return candidateItems(row);
  const isPair = "gold" in row.values;
  const text = fieldOf(row, isPair ? "answer" : "text");
  if (typeof text !== "string")
    throw new DataError(`${row.where}, field "${isPair ? "answer" : "text"}": must be text`);
  const gold = isPair ? answerField(row, "gold") : "answer" in row.values ? answerField(row, "answer") : null;
  const data = (row.values.data ?? {}) as { readonly [key: string]: Json };
  const id = String(row.values.id ?? row.where);
  const task: Task = { id, set: "file", prompt: String(row.values.question ?? ""), answer: gold, data };
  const { equal, label } = row.values;
  const group = typeof label === "string" ? label : "labelled";
  return [{ id, candidate: 0, task, text, isRight: typeof equal === "boolean" ? equal : null, group }];
}

function candidateItems(row: Row): Item[] {
  const { candidates } = row.values;
  if (!Array.isArray(candidates)) throw new DataError(`${row.where}, field "candidates": must be a list`);
  const task = taskAt(row);
  return candidates.map((candidate: { answer?: unknown; expect?: unknown }, i) => {
    if (typeof candidate?.answer !== "string")
      throw new DataError(`${row.where}, field "candidates.${i}.answer": must be text`);
    const { expect } = candidate;
    const isRight = expect === "accept" ? true : expect === "reject" ? false : null;
    return {
      id: task.id,
      candidate: i,
      task,
      text: `<answer>${candidate.answer}</answer>`,
      isRight,
      group: "labelled",
    };
  });
}

function taskAt(row: Row): Task {
  try {
    return taskOfRow(row.values);
  } catch (error) {
    throw new DataError(`${row.where}: ${messageOf(error)}`, { cause: error });
  }
}
