import { z } from "zod";

const warmup = z.int().min(0).default(0).describe("steps over which the rate rises linearly from 0");
const finalFraction = z.number().min(0).max(1).default(0).describe("rate at the last step, as a share of lr");

/** How the learning rate moves over the steps of a run. */
export const ScheduleConfig = z.discriminatedUnion("name", [
  z.strictObject({ name: z.literal("constant"), warmup }).describe("lr after the warm-up"),
  z.strictObject({ name: z.literal("linear"), warmup, finalFraction }).describe("straight line down to finalFraction"),
  z.strictObject({ name: z.literal("cosine"), warmup, finalFraction }).describe("half a cosine down to finalFraction"),
  z
    .strictObject({
      name: z.literal("trapezoid"),
      warmup,
      constantUntil: z
        .number()
        .min(0)
        .max(1)
        .default(0.3)
        .describe("share of all steps up to which the rate stays at lr"),
      finalFraction,
    })
    .describe("warm-up, constant, then a straight line down to finalFraction"),
]);
export type ScheduleConfig = z.infer<typeof ScheduleConfig>;

const beta = (value: number, what: string) => z.number().min(0).lt(1).default(value).describe(what);

/** The update rule. */
export const OptimizerConfig = z.discriminatedUnion("name", [
  z
    .strictObject({
      name: z.literal("adamw"),
      lr: z.number().positive().describe("learning rate, before the schedule"),
      beta1: beta(0.9, "decay of the mean of gradients"),
      beta2: beta(0.999, "decay of the mean of squared gradients"),
      epsilon: z.number().positive().default(1e-8).describe("added to the root of the second moment"),
      weightDecay: z.number().min(0).default(0).describe("decoupled: weights shrink by lr × this each update"),
      schedule: ScheduleConfig.default({ name: "constant", warmup: 0 }),
    })
    .describe("Adam with decoupled weight decay, arXiv:1711.05101"),
]);
export type OptimizerConfig = z.infer<typeof OptimizerConfig>;
