import type { z } from "zod";
import { RewardError } from "../../utils/errors.ts";
import type { Problem } from "./scorer.ts";

/** The fields of a problem that a scorer needs. @throws RewardError naming the first one that is missing or of another kind */
export function metadataOf<Fields extends z.ZodType>(problem: Problem, fields: Fields): z.output<Fields> {
  const parsed = fields.safeParse(problem.metadata);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new RewardError(`reasoning-task: ${problem.family}: metadata.${issue.path.join(".")}: ${issue.message}`);
}
