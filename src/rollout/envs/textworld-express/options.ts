import { z } from "zod";

/** The games of version 1.1.0. */
export const GAMES = [
  "cookingworld",
  "twc",
  "coin",
  "mapreader",
  "arithmetic",
  "sorting",
  "simonsays",
  "peckingorder",
] as const;

/** Options of the environment `textworld-express`. */
export const TextWorldExpressOptions = z.strictObject({
  games: z
    .array(z.enum(GAMES))
    .min(1)
    .default([...GAMES])
    .describe("the games that there are; each is a task"),
  params: z
    .partialRecord(z.enum(GAMES), z.string())
    .default({})
    .describe("parameters by game, such as {coin: 'numLocations=3,includeDoors=0'}; the simulator's own where absent"),
  reward: z
    .enum(["score-delta", "success"])
    .default("score-delta")
    .describe("score-delta: change of the score of 0 to 1; success: 1 at the step that solves the task"),
  moveLimit: z.int().min(1).default(100).describe("an episode ends after more inputs than this, also unknown ones"),
  worlds: z.int().min(1).default(8).describe("simulators that may run at once; each is a process of about 110 MB"),
  callMs: z.int().min(1).default(60_000).describe("longest wait for an answer of the simulator, ms"),
  jar: z.string().min(1).nullable().default(null).describe("path of the JAR; else TEXTWORLD_EXPRESS_JAR, else models/"),
  java: z.string().min(1).nullable().default(null).describe("path of java; else JAVA_HOME, else the search path"),
});
export type TextWorldExpressOptions = z.infer<typeof TextWorldExpressOptions>;
