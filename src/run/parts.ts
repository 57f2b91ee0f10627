import { z } from "zod";

export const TaskConfig = z.looseObject({ name: z.string() });
export const RewardConfig = z.looseObject({ name: z.string(), weight: z.number().default(1) });
export const DemonstrationConfig = z.looseObject({ name: z.string() });
