import { CodeOptions } from "../../../src/rewards/code/options.ts";
import type { BuiltInRewardConfig } from "../../../src/rewards/index.ts";
import { findSandbox } from "../../../src/rewards/index.ts";
import type { Scorable } from "../../../src/rewards/types.ts";
import type { Json } from "../../../src/rollout/types.ts";
import { messageOf } from "../../../src/utils/errors.ts";

type Language = "python" | "javascript";

/** Why Python programs can't be run here; false when they can. */
export function noPython(): string | false {
  try {
    findSandbox(null);
    return false;
  } catch (error) {
    return messageOf(error);
  }
}

/** A recipe entry of a code reward with some options. */
export function configOf(language: Language, options: Partial<CodeOptions> = {}): BuiltInRewardConfig {
  const all = { weight: 1, ...CodeOptions.parse(options) };
  return language === "python" ? { name: "code-python", python: null, ...all } : { name: "code-javascript", ...all };
}

/** A completion whose last block is a program. */
export function answer(language: Language, code: string, tests: Json): Scorable {
  return {
    task: { id: "t", set: "s", prompt: "", answer: null, data: { tests } },
    text: `I would write this:\n\`\`\`${language}\n${code}\n\`\`\`\nThat is all.`,
    stop: "eos",
    tokens: 1,
  };
}
