import { z } from "zod";
import { RewardError } from "../utils/errors.ts";
import { codeJavascript, codePython } from "./code/index.ts";
import { containsReward } from "./contains.ts";
import { countdownReward } from "./countdown.ts";
import { environmentReward, invalidActionsReward } from "./environment.ts";
import { exactMatchReward } from "./exact-match.ts";
import { formatReward } from "./format.ts";
import { reasoningTask } from "./generated/index.ts";
import { jsonSchemaReward } from "./json-schema.ts";
import { llmJudge } from "./judge/index.ts";
import { languageReward } from "./language.ts";
import { lengthReward } from "./length.ts";
import { mathReward } from "./math-answer.ts";
import { numericAnswerReward } from "./numeric-answer.ts";
import type { ModuleRewardConfig } from "./own-reward.ts";
import { regexReward } from "./regex.ts";
import { repetitionReward } from "./repetition.ts";
import { toolCallReward } from "./tool-call.ts";
import type { Reward, RewardDef } from "./types.ts";

const DEFS = [
  countdownReward,
  reasoningTask,
  mathReward,
  numericAnswerReward,
  exactMatchReward,
  containsReward,
  regexReward,
  codePython,
  codeJavascript,
  jsonSchemaReward,
  toolCallReward,
  llmJudge,
  environmentReward,
  invalidActionsReward,
  formatReward,
  lengthReward,
  repetitionReward,
  languageReward,
] as const;

/** Weight of a reward in the sum. */
export const weight = z.number().default(1).describe("factor of this term in the reward; 0 = metric only");

const named = <N extends string, S extends z.ZodRawShape>(
  name: N,
  { options }: { options: z.ZodObject<S> },
  what: string,
) => options.extend({ name: z.literal(name), weight }).describe(what);

/** The built-in rewards of a recipe, by name. What each asks stands in its description. */
export const BuiltInRewardConfig = z.discriminatedUnion("name", [
  named("countdown", countdownReward, "Does the countdown answer use every number once and make the target?"),
  named("reasoning-task", reasoningTask, "Is the answer to a generated task right, by the rules of its family?"),
  named("math", mathReward, "Is the answer mathematically equal to the gold one?"),
  named("numeric-answer", numericAnswerReward, "Is the number that the answer ends with equal to the gold one?"),
  named("environment", environmentReward, "Was the task of the episode solved, or how far?"),
  named("invalid-actions", invalidActionsReward, "Share of actions that the environment did not understand"),
  named("exact-match", exactMatchReward, "Is the answer the gold text, up to blanks?"),
  named("contains", containsReward, "Does the answer hold some texts, or the gold answer?"),
  named("regex", regexReward, "Does a regular expression fit, or find the gold answer?"),
  named("code-python", codePython, "Does the Python program of the answer pass its task's tests, in a sandbox?"),
  named(
    "code-javascript",
    codeJavascript,
    "Does the JavaScript program of the answer pass its task's tests, in a sandbox?",
  ),
  named("json-schema", jsonSchemaReward, "Is the answer JSON that satisfies a JSON schema?"),
  named("tool-call", toolCallReward, "Are the answer's tool calls well-formed, to known tools, with valid arguments?"),
  named(
    "llm-judge",
    llmJudge,
    "Does a model at an OpenAI-compatible endpoint call the answer right? Off unless named.",
  ),
  named("format", formatReward, "Does the completion have the asked form: a box, answer tags, think tags, a pattern?"),
  named("length", lengthReward, "How near is the number of sampled tokens to a target?"),
  named("repetition", repetitionReward, "How little of the text repeats itself?"),
  named("language", languageReward, "Is the text written in the wanted scripts?"),
]);
export type BuiltInRewardConfig = z.infer<typeof BuiltInRewardConfig>;

/** Makes one built-in reward. One of the user's own runs in a thread only: `openRubric`. */
export function createReward(config: BuiltInRewardConfig | ModuleRewardConfig): Reward {
  if ("module" in config)
    throw new RewardError(`reward ${config.name}: ${config.module} runs in a thread only; use openRubric()`);
  const { name, weight: _weight, ...options } = config;
  return builtInDef(name).create(options as never);
}

/** The definition of a built-in reward. */
export function builtInDef(name: string): RewardDef {
  const def = DEFS.find((candidate) => candidate.name === name);
  if (!def) throw new Error(`internal: reward ${name} is not in the table`);
  return def as unknown as RewardDef;
}
