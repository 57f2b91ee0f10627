import { DataError } from "../../utils/errors.ts";
import { questionText, sameQuestion } from "../data/index.ts";
import type { Task, TaskSet } from "../types.ts";

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

function questionOf({ prompt }: Task): string {
  return sameQuestion(questionText(prompt));
}
