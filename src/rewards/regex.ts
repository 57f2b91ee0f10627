import { z } from "zod";
import { ConfigError, messageOf, RewardError } from "../utils/errors.ts";
import { PART_HELP, Part, partOf } from "./parts.ts";
import type { Reward, RewardDef } from "./types.ts";
import { correct, unparseable, wrong } from "./verdicts.ts";

const Options = z.strictObject({
  pattern: z.string().min(1).describe("JavaScript regular expression, with Unicode classes"),
  flags: z
    .string()
    .regex(/^[ims]*$/, "may hold i, m and s only")
    .default("")
    .describe("i: capital and small letters are the same; m: ^ and $ match at lines; s: the dot matches line ends"),
  expect: z
    .enum(["match", "no-match", "gold"])
    .default("match")
    .describe(
      "match: it must be found; no-match: it must not; gold: the last match's first group (the whole match when it has none) must be the gold answer",
    ),
  part: Part.default("answer").describe(PART_HELP),
  deadlineMs: z.int().min(10).default(1000).describe("longest time for one answer, ms"),
});

/** Of a match, for the samples, characters. */
const MAX_SHOWN = 500;

/**
 * Does a regular expression of the user's fit? An expression may backtrack without end on a text that a model writes, therefore it runs in a thread that
 * is killed after the deadline: the outcome is `timeout` then.
 */
export const regexReward: RewardDef<typeof Options> = {
  name: "regex",
  options: Options,
  deadlineMs: ({ deadlineMs }) => deadlineMs,
  create: ({ pattern, flags, expect, part }): Reward => {
    const expression = compile(pattern, `${flags}gu`);
    return {
      name: "regex",
      score({ task, text }) {
        const place = partOf(text, part);
        if (expect !== "gold") {
          const match = place.matchAll(expression).next().value?.[0].slice(0, MAX_SHOWN);
          const reason = match === undefined ? `no match of ${pattern}` : `match of ${pattern}`;
          return (match === undefined) === (expect === "no-match") ? correct(reason, match) : wrong(reason, match);
        }
        if (task.answer === null) throw new RewardError(`regex: task ${task.id} has no gold answer`);
        const last = lastMatch(place, expression);
        if (last === null) return unparseable(`no match of ${pattern}`);
        const found = (last[1] ?? last[0]).trim();
        const shown = found.slice(0, MAX_SHOWN);
        if (found === task.answer.trim()) return correct("is the gold answer", shown);
        return wrong(`is not ${JSON.stringify(task.answer)}`, shown);
      },
    };
  },
};

function compile(pattern: string, flags: string): RegExp {
  try {
    return new RegExp(pattern, flags);
  } catch (error) {
    throw new ConfigError(`regex: pattern is not a regular expression: ${messageOf(error)}`, { cause: error });
  }
}

function lastMatch(text: string, expression: RegExp): RegExpExecArray | null {
  let last: RegExpExecArray | null = null;
  for (const match of text.matchAll(expression)) last = match;
  return last;
}
