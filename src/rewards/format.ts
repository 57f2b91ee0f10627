import { z } from "zod";
import { ConfigError, messageOf } from "../utils/errors.ts";
import { afterThinking } from "../utils/thinking.ts";
import { lastAnswerTag, lastBox } from "./extract.ts";
import type { Reward, RewardDef, Verdict } from "./types.ts";
import { correct, wrong } from "./verdicts.ts";

const Options = z.strictObject({
  style: z
    .enum(["boxed", "answer-tag", "think-answer", "hashes", "pattern"])
    .default("boxed")
    .describe(
      "boxed: \\boxed{…}; answer-tag: <answer>…</answer>; think-answer: <think>…</think> and then <answer>…</answer>, nothing else; " +
        "hashes: a line #### …; pattern: a regular expression",
    ),
  pattern: z.string().nullable().default(null).describe("for style pattern: must be found in the completion"),
  ended: z.boolean().default(true).describe("the completion must have ended by itself, not at the token limit"),
});
type Options = z.infer<typeof Options>;

/** Does the completion have the asked form? It says nothing about whether the answer is right. */
export const formatReward: RewardDef<typeof Options> = {
  name: "format",
  options: Options,
  runs: ({ style }) => (style === "pattern" ? "worker" : "main"), // an expression of the user's may backtrack without end
  create: ({ style, pattern, ended }): Reward => {
    const expression = style === "pattern" ? compilePattern(pattern) : null;
    return {
      name: "format",
      score({ text, stop }): Verdict {
        if (ended && stop === "length") return wrong("cut off at the token limit");
        return judge(text, style, expression);
      },
    };
  },
};

function judge(text: string, style: Options["style"], expression: RegExp | null): Verdict {
  const found = (is: boolean, what: string): Verdict => (is ? correct(`has ${what}`) : wrong(`has no ${what}`));
  switch (style) {
    case "boxed":
      return found(lastBox(afterThinking(text)) !== null, "closed \\boxed{…}");
    case "answer-tag":
      return found(lastAnswerTag(afterThinking(text)) !== null, "<answer>…</answer>");
    case "think-answer":
      return found(isThinkAnswer(text.trim()), "form <think>…</think><answer>…</answer>");
    case "hashes":
      return found(/^####[ \t]*[^\s#]/m.test(afterThinking(text)), "line #### …");
    case "pattern":
      return found(expression!.test(text), `match of ${expression!}`);
  }
}

/** Exactly one of each tag, in order, and nothing but blanks around them. */
function isThinkAnswer(text: string): boolean {
  const tags = ["<think>", "</think>", "<answer>", "</answer>"];
  if (tags.some((tag) => text.indexOf(tag) < 0 || text.indexOf(tag) !== text.lastIndexOf(tag))) return false;
  const [think, thinkEnd, answer, answerEnd] = tags.map((tag) => text.indexOf(tag)) as [number, number, number, number];
  const between = text.slice(thinkEnd + "</think>".length, answer);
  return think === 0 && thinkEnd < answer && between.trim() === "" && answerEnd === text.length - "</answer>".length;
}

function compilePattern(pattern: string | null): RegExp {
  if (pattern === null) throw new ConfigError("format: style pattern needs the option pattern");
  try {
    return new RegExp(pattern, "u");
  } catch (error) {
    throw new ConfigError(`format: pattern is not a regular expression: ${messageOf(error)}`, { cause: error });
  }
}
