import { z } from "zod";
import { DataError } from "../../../utils/errors.ts";
import type { Json, Task } from "../../types.ts";
import { FAMILY_NAMES } from "./family.ts";
import { generatedTask } from "./task-set.ts";

/** A problem as reasoning-gym's data sets hold it, with its place. */
const FamilyRow = z.object({
  family: z.enum(FAMILY_NAMES),
  seed: z.int(),
  index: z.int().min(0),
  question: z.string(),
  answer: z.string(),
  metadata: z.record(z.string(), z.json()),
});

/** A countdown problem. */
const CountdownRow = z.object({ id: z.string(), numbers: z.array(z.int()).min(1), target: z.int() });

/**
 * The task of a recorded row: `{family, seed, index, question, answer, metadata}` or, for countdown, `{id, numbers, target}`. The reward
 * `reasoning-task` judges both, the reward `countdown` the second kind. Other fields, such as `candidates`, are left alone.
 * @throws DataError naming the field that is missing or malformed
 */
export function taskOfRow(row: unknown): Task {
  const isFamilyRow = typeof row === "object" && row !== null && "family" in row;
  const parsed = (isFamilyRow ? FamilyRow : CountdownRow).safeParse(row);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const kind = isFamilyRow ? "a reasoning-gym row" : "a countdown row (it has no family)";
    throw new DataError(`${kind}: ${issue.path.join(".") || "row"}: ${issue.message}`);
  }
  return "family" in parsed.data ? familyTask(parsed.data) : countdownTask(parsed.data);
}

function familyTask({ family, seed, index, question, answer, metadata }: z.infer<typeof FamilyRow>): Task {
  const item = { question, answer, metadata: metadata as { readonly [key: string]: Json } };
  return generatedTask(`${family}/${seed}/${index}`, family, item, "");
}

function countdownTask({ id, numbers, target }: z.infer<typeof CountdownRow>): Task {
  const content = `Use the numbers ${numbers.join(", ")}, each exactly once, with +, -, *, / and brackets to make ${target}.`;
  return {
    id,
    set: "countdown",
    prompt: [{ role: "user", content }],
    answer: null,
    data: { numbers, target, format: "question", family: "countdown", metadata: { numbers, target } },
  };
}
