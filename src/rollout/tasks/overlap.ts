import { DataError } from "../../utils/errors.ts";
import { type ComparedQuestion, compareQuestions } from "../data/compare.ts";
import { questionText, sameQuestion } from "../data/index.ts";
import type { Task, TaskSet } from "../types.ts";
import { isPlayed } from "./environment.ts";

/**
 * Checks that no problem of a test set is trained on: the last guard where files or options of two sets could overlap. Questions count as the
 * same when they differ in blanks and capital letters only. A set that is evaluated on its own train split is left alone.
 * @throws DataError naming the first problem that is in both
 */
export function checkDisjoint(train: TaskSet, test: TaskSet): void {
  if (train.split !== "train" || test.split !== "test") return;
  const tested = new Map<string, string>();
  for (let i = 0; i < test.size; i++) {
    const task = test.get(i);
    tested.set(questionOf(task), task.id);
  }
  for (let i = 0; i < train.size; i++) {
    const task = train.get(i);
    const other = tested.get(questionOf(task));
    if (other === undefined) continue;
    throw new DataError(
      `tasks.train and tasks.eval overlap: ${task.id} and ${other} ask the same; give both the same file with one holdOut, or files without common questions`,
    );
  }
}

/** An episode has no question of its own: its start says which it is. */
function questionOf(task: Task): string {
  return isPlayed(task) ? task.id : sameQuestion(questionText(task.prompt));
}

/** Task sets whose questions people wrote: those of generators share their words by design. */
const WRITTEN: readonly string[] = ["file", "gsm8k"];
/** Words in a row that count as shared. */
const N = 8;
/** Questions that are looked at in each set, evenly spread, and characters of each: what bounds the time. */
const MAX_QUESTIONS = 20_000;
const MAX_LENGTH = 4000;

/**
 * How much of the training questions the evaluation holds in other words than {@link checkDisjoint} compares: runs of 8 words in common, as sentences for the user. Empty for
 * generated problems and for a set that is evaluated on its own train split.
 */
export async function overlapNotes(train: TaskSet, test: TaskSet): Promise<string[]> {
  if (train.split !== "train" || test.split !== "test") return [];
  if (!WRITTEN.includes(train.name) || !WRITTEN.includes(test.name)) return [];
  const { rows, ngramShare, halfCovered, stride, worst } = await compareQuestions(
    () => questionsOf(train),
    () => questionsOf(test),
    N,
  );
  const [pair] = worst;
  const looked = rows < train.size ? ` (${rows} of ${train.size} were looked at)` : "";
  const sample = stride > 1 ? ` (1 of ${stride} was looked at)` : "";
  const example = pair && halfCovered > 0 ? `, most: ${pair.where} and ${pair.other} (${percent(pair.share)})` : "";
  return [
    `overlap of tasks.train with tasks.eval: ${percent(ngramShare)} of the runs of ${N} words in the training questions${looked} occur in the evaluation${sample}; ${halfCovered} question${halfCovered === 1 ? " shares" : "s share"} at least half of theirs${example}`,
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** The questions of a set without what all of them begin and end with: the instruction. */
async function* questionsOf(tasks: TaskSet): AsyncGenerator<ComparedQuestion> {
  const step = Math.max(1, Math.ceil(tasks.size / MAX_QUESTIONS));
  const textOf = (index: number): string => questionText(tasks.get(index).prompt);
  const first = textOf(0);
  let [head, tail] = [first.length, first.length];
  for (let i = step; i < tasks.size; i += step) {
    const text = textOf(i);
    head = commonLength(first, text, head, (at) => at);
    tail = commonLength(first, text, tail, (at, length) => length - 1 - at);
  }
  if (tasks.size === 1) [head, tail] = [0, 0]; // nothing to compare it with
  for (let i = 0; i < tasks.size; i += step) {
    const text = textOf(i);
    yield { where: tasks.get(i).id, text: text.slice(head, Math.max(head, text.length - tail)).slice(0, MAX_LENGTH) };
  }
}

/** How many characters two texts share, counted by `place` from one end, at most `most`. */
function commonLength(
  left: string,
  right: string,
  most: number,
  place: (at: number, length: number) => number,
): number {
  let same = 0;
  while (same < most && same < right.length && left[place(same, left.length)] === right[place(same, right.length)])
    same++;
  return same;
}
