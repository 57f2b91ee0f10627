import { z } from "zod";
import { DataError } from "../../utils/errors.ts";
import { readJsonLines } from "../data/jsonl.ts";

const RecordedTurn = z.strictObject({
  action: z.string().describe("text that the world was given"),
  mistake: z.boolean().describe("a random action in the place of the gold one"),
  observation: z.string().describe("what the world answered"),
  reward: z.number(),
  valid: z.boolean().nullable().describe("whether the world understood the action; null: it can't tell"),
});

/** One line of a file of recordings: an episode as it was played, in the world's own words. */
export const RecordedEpisode = z.strictObject({
  env: z.string().min(1).describe("kind of environment"),
  version: z.string().describe("of the environment, see EnvironmentSource"),
  task: z.string().min(1),
  seed: z.int().describe("variation of the task"),
  instruction: z.string(),
  observation: z.string().describe("what an agent sees first"),
  turns: z.array(RecordedTurn),
  success: z.boolean(),
});
export type RecordedTurn = z.infer<typeof RecordedTurn>;
export type RecordedEpisode = z.infer<typeof RecordedEpisode>;

/** Reads recordings, one episode a line. @throws DataError with line and field of the first that is malformed */
export async function readRecordings(path: string): Promise<RecordedEpisode[]> {
  const episodes: RecordedEpisode[] = [];
  for await (const { where, values } of readJsonLines(path)) {
    const parsed = RecordedEpisode.safeParse(values);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const field = issue!.path.length === 0 ? "" : `, field "${issue!.path.join(".")}"`;
      throw new DataError(`${where}${field}: ${issue!.message}; scripts/record-episodes.mjs writes such files`);
    }
    episodes.push(parsed.data);
  }
  if (episodes.length === 0) throw new DataError(`${path}: has no episodes`);
  return episodes;
}

/** Texts that a policy reads and writes in an episode, for a vocabulary that is to express them in few tokens. */
export function textsOf({ instruction, observation, turns }: RecordedEpisode): string[] {
  return [instruction, observation, ...turns.flatMap((turn) => [` ${turn.action}`, turn.observation])];
}
