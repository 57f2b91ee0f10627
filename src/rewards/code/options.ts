import { z } from "zod";

/** Options of all rewards that run code. */
export const CodeOptions = z.strictObject({
  timeoutMs: z.int().min(10).default(4000).describe("longest time for one test, ms"),
  totalMs: z.int().min(10).default(20_000).describe("longest time for all tests of one answer, ms"),
  memoryMb: z.int().min(16).default(512).describe("memory of the program, MiB"),
  outputKb: z.int().min(1).default(64).describe("longest output of one test, KiB"),
  maxTests: z.int().min(1).nullable().default(null).describe("only the first tests of a task; null = all"),
  partialCredit: z
    .boolean()
    .default(false)
    .describe("the score is the share of tests passed; without it, all must pass"),
  compare: z
    .enum(["tokens", "lines", "exact"])
    .default("tokens")
    .describe("printed output: words line by line, lines without blanks at their ends, or every byte"),
  tolerance: z
    .number()
    .min(0)
    .default(0)
    .describe("numbers may differ by this much, absolutely or relatively; 0 = not at all"),
  code: z
    .enum(["last-block", "whole"])
    .default("last-block")
    .describe("the program is the last fenced block of its language (or of none), or the whole answer"),
  url: z
    .url()
    .nullable()
    .default(null)
    .describe("a sandbox server that speaks the protocol of SandboxFusion; null = this machine"),
  tokenVariable: z.string().nullable().default(null).describe("environment variable with the server's bearer token"),
});
export type CodeOptions = z.infer<typeof CodeOptions>;
