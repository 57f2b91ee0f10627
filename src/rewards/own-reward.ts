import { z } from "zod";
import type { Reward, Scorable, Verdict } from "./types.ts";

/** Judges one finished completion. */
export type ScoreFunction = (completion: Scorable) => Verdict | Promise<Verdict>;

/** A reward of the user's own, as a module exports it: its options and how to make it from them. */
export interface OwnRewardDef<Options extends z.ZodType = z.ZodType> {
  /** Absent: it has none. */
  readonly options?: Options;
  create(options: z.output<Options>): ScoreFunction | Reward;
}

/** Gives a module's default export its types; it returns what it gets. */
export function defineReward<Options extends z.ZodType = z.ZodObject>(
  def: OwnRewardDef<Options>,
): OwnRewardDef<Options> {
  return def;
}

/** A reward of the user's own in a recipe: a module whose default export is made by `defineReward`, or is a function of a completion. */
export const ModuleRewardConfig = z.strictObject({
  module: z.string().min(1).describe("TypeScript or JavaScript file, from the folder of the recipe"),
  name: z
    .string()
    .regex(/^[\w-]+$/, "may hold letters, digits, dash and underscore only")
    .describe("how metrics and samples call it"),
  weight: z.number().default(1).describe("factor of this term in the reward; 0 = metric only"),
  deadlineMs: z.int().min(10).default(5000).describe("longest time for one answer, ms"),
  options: z.record(z.string(), z.json()).default({}).describe("the reward's own options"),
});
export type ModuleRewardConfig = z.infer<typeof ModuleRewardConfig>;
