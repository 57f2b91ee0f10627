import { z } from "zod";

/** Names that `simplification` may hold, with commas between them. */
const SIMPLIFICATIONS = [
  "easy",
  "teleportAction",
  "selfWateringFlowerPots",
  "openContainers",
  "openDoors",
  "noElectricalAction",
];

const isSimplification = (text: string): boolean =>
  text === "" || text.split(",").every((name) => SIMPLIFICATIONS.includes(name));

/** Options of the environment `scienceworld`. */
export const ScienceWorldOptions = z.strictObject({
  simplification: z
    .string()
    .overwrite((text) => text.replace(/\s/g, ""))
    .refine(isSimplification, { error: `must be empty, or some of ${SIMPLIFICATIONS.join(", ")} with commas` })
    .default("easy")
    .describe(
      "what is made easier; easy = teleportAction, openDoors, selfWateringFlowerPots, mostly noElectricalAction",
    ),
  reward: z
    .enum(["score-delta", "success"])
    .default("score-delta")
    .describe("score-delta: change of the score of 0 to 1; success: 1 at the step that brings the score to 100"),
  clipFailure: z
    .boolean()
    .default(true)
    .describe("score-delta: a failed task (a wrong focus, score -100) counts as score 0, not -1"),
  moveLimit: z
    .int()
    .min(1)
    .nullable()
    .default(100)
    .describe("an episode ends after more moves than this (wait takes 11, looking around none); null = no limit"),
  worlds: z.int().min(1).default(8).describe("simulators that may run at once; each is a process of about 220 MB"),
  callMs: z.int().min(1).default(60_000).describe("longest wait for an answer of the simulator, ms"),
  jar: z.string().min(1).nullable().default(null).describe("path of the JAR; else SCIENCEWORLD_JAR, else models/"),
  java: z.string().min(1).nullable().default(null).describe("path of java; else JAVA_HOME, else the search path"),
});
export type ScienceWorldOptions = z.infer<typeof ScienceWorldOptions>;
