import { z } from "zod";

const text = (): z.ZodString => z.string().includes("{text}", { error: "must contain {text}" });

/** How turns are written for a model without a chat template. */
export const PlainConfig = z.strictObject({
  turnEnd: z.string().min(1).default("\n").describe("ends a turn of the policy; must be one token of the model"),
  prompt: z.string().default(">").describe("stands before each turn of the policy"),
  start: z.string().default("").describe("stands before everything, e.g. the text of a begin token"),
  system: text().default("{text}\n\n").describe("how a system message is written"),
  user: text().default("{text}\n\n").describe("how a user's message is written"),
  observation: text().default("{text}\n").describe("how an observation of an environment is written"),
  tool: text().default("{text}\n").describe("how a tool's result is written"),
});
export type PlainConfig = z.infer<typeof PlainConfig>;

/** How conversations become tokens. */
export const DialogueConfig = z.strictObject({
  style: z
    .enum(["auto", "chat", "plain"])
    .default("auto")
    .describe("chat: the model's chat template; plain: texts as `plain` says; auto: chat where there is a template"),
  plain: PlainConfig.prefault({}),
  variables: z
    .record(z.string(), z.json())
    .default({})
    .describe("further variables of the chat template, e.g. enable_thinking: false"),
  date: z.iso.date().default("2025-01-01").describe("today, for templates that tell the date: it must not change"),
});
export type DialogueConfig = z.infer<typeof DialogueConfig>;
