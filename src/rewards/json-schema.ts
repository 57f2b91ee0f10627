import { z } from "zod";
import { ConfigError, RewardError } from "../utils/errors.ts";
import { type JsonCheck, jsonCheck } from "../utils/json-check.ts";
import { jsonBlocks, readJson } from "../utils/json-text.ts";
import { afterThinking } from "../utils/thinking.ts";
import { lastAnswerTag } from "./extract.ts";
import { onceFor } from "./once-for.ts";
import type { Reward, RewardDef } from "./types.ts";
import { correct, wrong } from "./verdicts.ts";

const Options = z.strictObject({
  schema: z
    .record(z.string(), z.json())
    .nullable()
    .default(null)
    .describe("JSON schema, draft 2020-12; null = the task's own, data.schema"),
  from: z
    .enum(["answer", "fenced", "answer-tag"])
    .default("answer")
    .describe(
      "where the JSON stands: all that follows the thoughts, the last fenced block of it, or the last answer tag",
    ),
});

/** For one answer: only a pattern that backtracks needs as much. */
const DEADLINE_MS = 2000;
/** Of what was read, for the samples, characters. */
const MAX_SHOWN = 500;
/** Schemas of tasks that are kept ready. */
const MAX_KEPT = 256;

/**
 * Is the answer JSON that satisfies a JSON schema? What can't be parsed is wrong, too. Up to 200,000 characters and 100 levels are read. It runs in a
 * thread that can be killed, since a schema's `pattern` may backtrack without end. References to other documents are refused.
 */
export const jsonSchemaReward: RewardDef<typeof Options> = {
  name: "json-schema",
  options: Options,
  deadlineMs: () => DEADLINE_MS,
  create: ({ schema, from }): Reward => {
    const own = schema === null ? null : readySchema(schema, (text) => new ConfigError(`json-schema: schema ${text}`));
    const ofTask = onceFor(MAX_KEPT, checkOfTask);
    const read = {
      answer: (text: string) => text.trim(),
      fenced: (text: string) => jsonBlocks(text).at(-1) ?? null,
      "answer-tag": lastAnswerTag,
    }[from];
    return {
      name: "json-schema",
      score({ task, text }) {
        const check = own ?? ofTask(task.data.schema, task.id);
        const answer = read(afterThinking(text));
        if (answer === null) return wrong(`there is no ${from === "fenced" ? "fenced block of JSON" : "answer tag"}`);
        const shown = answer.slice(0, MAX_SHOWN);
        const json = readJson(answer);
        if ("problem" in json) return wrong(`the answer ${json.problem}`, shown);
        const problem = check(json.value);
        return problem === null ? correct("satisfies the schema", shown) : wrong(problem, shown);
      },
    };
  },
};

function readySchema(schema: unknown, error: (text: string) => Error): JsonCheck {
  const made = jsonCheck(schema);
  if ("problem" in made) throw error(made.problem);
  return made.check;
}

function checkOfTask(schema: unknown, id: string): JsonCheck {
  if (schema === undefined)
    throw new RewardError(`json-schema: task ${id} has no data.schema; give the reward a schema of its own`);
  return readySchema(schema, (text) => new RewardError(`json-schema: data.schema of task ${id}: ${text}`));
}
