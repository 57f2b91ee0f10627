import { z } from "zod";
import { countdownTraces } from "./countdown-traces.ts";
import type { DemonstrationSet } from "./types.ts";

export type { Demonstration, DemonstrationDef, DemonstrationSet } from "./types.ts";

const DEFS = [countdownTraces] as const;

/** What supervised training imitates: a name and its own options. */
export const DemonstrationConfig = z.discriminatedUnion("name", [
  countdownTraces.options.extend({ name: z.literal(countdownTraces.name as "countdown-traces") }),
]);
export type DemonstrationConfig = z.infer<typeof DemonstrationConfig>;

/** Opens a source of demonstrations. */
export function openDemonstrations(config: DemonstrationConfig): Promise<DemonstrationSet> {
  const { name, ...options } = config;
  const def = DEFS.find((candidate) => candidate.name === name);
  if (!def) throw new Error(`internal: demonstrations ${name} are not in the table`);
  return def.open(options);
}
