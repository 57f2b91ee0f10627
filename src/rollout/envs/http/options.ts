import { z } from "zod";

/** Where a server is, what it speaks, and what it does not tell about itself. */
export const HttpOptions = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: "must be an address such as http://127.0.0.1:8000" })
    .describe("address of the server"),
  protocol: z
    .enum(["rlvr", "openenv", "agentgym"])
    .default("rlvr")
    .describe(
      "rlvr: that of docs/environments.md; openenv: OpenEnv servers that keep one world; agentgym: AgentGym servers",
    ),
  timeoutMs: z.int().min(1).default(30_000).describe("longest wait for a reply"),
  retries: z
    .int()
    .min(0)
    .max(10)
    .default(3)
    .describe("further tries of calls that may be repeated, or that nobody heard"),
  worlds: z
    .int()
    .min(1)
    .optional()
    .describe("worlds at once; default: what an rlvr server says, 8 of agentgym, 1 of openenv"),
  tasks: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("rlvr: which of the server's tasks, default all; else the name of the one task"),
  starts: z
    .strictObject({
      train: z.int().min(1).default(100).describe("seeds for training, from 0 on"),
      dev: z.int().min(0).default(20).describe("the seeds after them"),
      test: z.int().min(1).default(20).describe("and after those"),
    })
    .prefault({})
    .describe("openenv, agentgym: seeds (data_idx) of the splits"),
  instruction: z
    .string()
    .min(1)
    .optional()
    .describe("openenv, agentgym: what is to be done, where replies don't say it"),
  actionField: z.string().min(1).default("message").describe("openenv: field of the action that takes the text"),
  observationField: z
    .string()
    .min(1)
    .optional()
    .describe("openenv: field with the text; default: the whole observation as JSON"),
  deterministic: z
    .boolean()
    .default(false)
    .describe("openenv, agentgym: whether equal seeds and actions give equal episodes"),
  returnRange: z
    .tuple([z.number(), z.number()])
    .default([0, 1])
    .describe("openenv, agentgym: bounds of an episode's return"),
  successReturn: z.number().default(1).describe("openenv, agentgym: an ended episode with this return is a success"),
});
export type HttpOptions = z.output<typeof HttpOptions>;
